//! Users as stored, and the checks before their rows are believed.

use anyhow::Result;

use crate::domain::audit::chain::Chain;
use crate::domain::audit::logged_users::UserMismatch;
use crate::domain::hint::{Hint, command};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::driver::{Driver, first};
use crate::store::row::{self, DEVICE_COLUMNS, StoredMac, USER_COLUMNS, UserRows, Value};
use crate::store::sql;

/// A user as stored, whose MACs have not been checked yet.
pub struct StoredUser {
    pub user: User,
    pub user_mac: StoredMac,
    pub device_macs: Vec<StoredMac>,
}

impl StoredUser {
    /// The user, if every MAC matches. They do so too for rows that were put back from an older copy.
    pub fn checked(self, vault: &Vault) -> Result<User> {
        let macs = UserRows::of(&self.user).macs(vault, self.user.id);
        let mut is_valid = self.user_mac.is(vault, &macs.user)?;
        for (stored, mac) in self.device_macs.iter().zip(&macs.devices) {
            is_valid &= stored.is(vault, mac)?;
        }
        if is_valid { Ok(self.user) } else { Err(self.altered()) }
    }

    pub fn altered(&self) -> anyhow::Error {
        altered_user(&self.user)
    }
}

/// The refusal of a user whose rows are not what was written last.
pub fn altered_user(user: &User) -> anyhow::Error {
    altered(format!("the record of {} was altered outside of mfactl", user.name), &user.name)
}

fn altered(message: String, name: &UserName) -> anyhow::Error {
    Refusal::new(ErrorCode::Tampered, message)
        .hint(way_out("restore a backup, and find out who can write to the store; ", name))
        .into()
}

/// Adds to the error for rows that can't be read what helps besides a backup.
pub fn unreadable(error: anyhow::Error, name: &str) -> anyhow::Error {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == ErrorCode::Damaged => {
            let name = UserName::stored(name.to_owned());
            let refusal = refusal.clone().hint(way_out("restore a backup; ", &name));
            error.context(refusal)
        }
        _ => error,
    }
}

/// What to do first, and what else helps.
fn way_out(first: &str, name: &UserName) -> Hint {
    let give_up = command("remove-user").flag("--damaged").name(name);
    Hint::from(first).then(give_up.after("or give the user up: ")).or(first.trim_end_matches("; "))
}

/// Checks the MACs of every user and every device if there is a key, and that users and log agree if the whole log
/// was verified. Returns the number of users.
///
/// `tampered` with the first user for whom something is wrong: an altered row, one from an older copy, one whom the
/// log does not know, or a user whose rows are gone.
pub fn check_users(
    driver: &mut dyn Driver,
    vault: Option<&Vault>,
    mut log: Option<&mut Chain>,
    progress: &mut dyn FnMut(),
) -> Result<u64> {
    let mut users = 0;
    let mut check = |found: StoredUser| {
        users += 1;
        let user = match vault {
            Some(vault) => found.checked(vault)?,
            None => found.user,
        };
        let Some(log) = &mut log else { return Ok(()) };
        match log.users.compare(user.id, user.rev, user.stamp) {
            // Programs before schema 5 pruned the events of users to whom nothing had happened since.
            Err(UserMismatch::Unlogged) if log.may_lack_users => Ok(()),
            compared => {
                compared.map_err(|mismatch| altered(mismatch.words(user.name.as_str()), &user.name))
            }
        }
    };
    let mut current: Option<StoredUser> = None;
    let (mac, device) = (USER_COLUMNS.len(), USER_COLUMNS.len() + 1);
    driver.query(&sql::USERS_WITH_MACS, &[], &mut |row| {
        let same = current.as_ref().is_some_and(|f| row.is_bytes(0, f.user.id.bytes()));
        if !same {
            let found = StoredUser {
                user: row::user(row, 0)?,
                user_mac: StoredMac::read(row, mac)?,
                device_macs: Vec::new(),
            };
            if let Some(done) = current.replace(found) {
                check(done)?;
            }
            progress();
        }
        if let Some(found) = &mut current
            && !row.is_null(device)?
        {
            found.user.devices.push(row::device(row, device)?);
            let mac = StoredMac::read(row, device + DEVICE_COLUMNS.len())?;
            found.device_macs.push(mac);
        }
        Ok(true)
    })?;
    if let Some(last) = current {
        check(last)?;
    }
    match log.and_then(|log| log.users.missing()) {
        Some(event) => Err(missing_user(driver, event)?),
        None => Ok(users),
    }
}

/// The refusal for the user of this event, whose rows are gone.
fn missing_user(driver: &mut dyn Driver, event: u64) -> Result<anyhow::Error> {
    let seq = [Value::Int(event.cast_signed())];
    let name = first(driver, sql::EVENT_USER, &seq, |row| row.text(0))?.flatten();
    let name = name.unwrap_or_default();
    let message = format!(
        "{} is not in the store any more, although no event removed them (the newest about them is event {event})",
        shown(&name)
    );
    Ok(altered(message, &UserName::stored(name)))
}
