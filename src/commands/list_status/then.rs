//! Everybody as he stood at an earlier time, rebuilt from how he stands now and from the log.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::name::UserName;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::store::Snapshot;

/// Every user by the name that he had then, one at a time, and how many there were besides whose names
/// were taken out of the log since. In constant memory, but for those who were renamed or removed since.
///
/// # Errors
/// `bad_input` for a time of which the log does not tell, and as the store has them.
pub fn users(
    snapshot: &mut dyn Snapshot,
    then: Timestamp,
    now: Timestamp,
    visit: &mut dyn FnMut(User) -> Result<()>,
) -> Result<u64> {
    // What happened within the second is part of it, and so is all that was written by now.
    let after = if then >= now {
        snapshot.head()?.seq
    } else {
        snapshot.last_before(then.plus(Span::seconds(1)), now)?
    };
    crate::commands::changes::told(snapshot, "--at", after, then)?;
    let mut moved: BTreeMap<UserName, User> = BTreeMap::new();
    let ids = snapshot.moved(after)?;
    for id in &ids {
        let back = snapshot.undoing(*id, after)?;
        let stood = match snapshot.user_of(*id)? {
            Some(user) => back.stood(user)?,
            None => back.stood_once(*id)?,
        };
        moved.extend(stood.map(|user| (user.name.clone(), user)));
    }
    snapshot.users_then(after, &mut |user, back| {
        if ids.contains(&user.id) {
            return Ok(());
        }
        let Some(user) = back.stood(user)? else { return Ok(()) };
        while let Some(first) = moved.first_entry()
            && first.key().as_str() < user.name.as_str()
        {
            visit(first.remove())?;
        }
        visit(user)
    })?;
    moved.into_values().try_for_each(visit)?;
    snapshot.nameless(after)
}
