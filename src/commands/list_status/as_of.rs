//! All users as they were at an earlier time: today's values with the later events taken back.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::store::{ReadTx, RowSource as _};

/// Refuses a time before the store was created, when nobody was in it.
pub fn require_covered(snapshot: &mut ReadTx<'_>, as_of: Timestamp) -> Result<()> {
    let created_at = snapshot.created_at()?;
    if as_of >= created_at {
        return Ok(());
    }
    Err(Refusal::bad_input("--at", format!("the store begins at {created_at}"))
        .hint("give a later time")
        .into())
}

/// Visits every user in the order of the names they had then, and returns how many could not be
/// visited because their names were erased from the log, or because they were given up as damaged. Only users renamed or
/// removed since are kept in memory. Fails with `bad_input` if the log was pruned beyond that time.
pub fn users(
    snapshot: &mut ReadTx<'_>,
    as_of: Timestamp,
    now: Timestamp,
    visit: &mut dyn FnMut(User) -> Result<()>,
) -> Result<u64> {
    // Events of that second count as past; for the present time, every event does.
    let after = if as_of >= now {
        snapshot.log().head()?.seq
    } else {
        snapshot.log().last_seq_before(as_of.plus(Span::seconds(1)), now)?
    };
    crate::audit::check_log_covers(snapshot, "--at", after, as_of)?;
    users_after(snapshot, after, visit)
}

/// The same after the event of this number, up to which the log must reach.
pub fn users_after(
    snapshot: &mut ReadTx<'_>,
    after: u64,
    visit: &mut dyn FnMut(User) -> Result<()>,
) -> Result<u64> {
    let mut moved: BTreeMap<UserName, User> = BTreeMap::new();
    let ids = snapshot.log().naming().renamed_or_removed(after)?;
    for id in &ids {
        let back = snapshot.log().changes_to_revert(*id, after)?;
        let user = match snapshot.user_by_id(*id)? {
            Some(user) => back.apply_to(user)?,
            None => back.rebuild_removed(*id)?,
        };
        moved.extend(user.map(|user| (user.name.clone(), user)));
    }
    snapshot.users_as_of(after, &mut |user, back| {
        if ids.contains(&user.id) {
            return Ok(());
        }
        let Some(user) = back.apply_to(user)? else { return Ok(()) };
        while let Some(first) = moved.first_entry()
            && first.key().as_str() < user.name.as_str()
        {
            visit(first.remove())?;
        }
        visit(user)
    })?;
    moved.into_values().try_for_each(visit)?;
    snapshot.log().count_lost(after)
}
