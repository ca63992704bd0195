//! Users as stored, and the checks before their rows are believed.

use anyhow::{Error, Result};

use crate::domain::audit::chain::Chain;
use crate::domain::audit::logged_users::UserMismatch;
use crate::domain::device::Device;
use crate::domain::hint::{Hint, command};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::driver::{Driver, first};
use crate::store::row::{self, DEVICE_COLUMNS, Row, StoredMac, USER_COLUMNS, UserRows, Value};
use crate::store::sql;

/// How many damaged users a check names.
pub const MOST_NAMED: usize = 20;
/// The index of the name among [`USER_COLUMNS`].
pub const NAME_COLUMN: usize = 1;

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

    pub fn altered(&self) -> Error {
        altered_user(&self.user)
    }

    fn read_device(&mut self, row: &dyn Row, first: usize) -> Result<()> {
        self.user.devices.push(read_device(row, first)?);
        let mac = StoredMac::read(row, first + DEVICE_COLUMNS.len());
        self.device_macs.push(mac.map_err(|error| name_user(error, row))?);
        Ok(())
    }
}

/// The refusal of a user whose rows are not what was written last.
pub fn altered_user(user: &User) -> Error {
    altered(format!("the record of {} was altered outside of mfactl", user.name), &user.name)
}

fn altered(message: String, name: &UserName) -> Error {
    Refusal::new(ErrorCode::Tampered, message)
        .hint(way_out("restore a backup, and find out who can write to the store; ", name))
        .into()
}

/// Adds to the error for rows that can't be read what helps besides a backup.
pub fn unreadable(error: Error, name: &str) -> Error {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == ErrorCode::Damaged => {
            let name = UserName::stored(name.to_owned());
            let problem = format!("the record of {name} can't be read: {}", refusal.problem);
            let refusal = Refusal { problem, ..refusal.clone() };
            error.context(refusal.hint(way_out("restore a backup; ", &name)))
        }
        _ => error,
    }
}

/// A user without devices, from the columns of a user at the start of the row. The error names the user.
pub fn read_user(row: &dyn Row) -> Result<User> {
    row::user(row, 0).map_err(|error| name_user(error, row))
}

/// A device of the user whose columns are at the start of the row. The error names the user.
pub fn read_device(row: &dyn Row, first: usize) -> Result<Device> {
    row::device(row, first).map_err(|error| name_user(error, row))
}

/// Names the user of a row that can't be read, unless that is what can't be read.
fn name_user(error: Error, row: &dyn Row) -> Error {
    match row.text(NAME_COLUMN) {
        Ok(Some(name)) => unreadable(error, &name),
        _ => error,
    }
}

/// What to do first, and what else helps.
fn way_out(first: &str, name: &UserName) -> Hint {
    let give_up = command("remove-user").flag("--damaged").name(name);
    Hint::from(first).then(give_up.after("or give the user up: ")).or(first.trim_end_matches("; "))
}

/// What was found in the records of all users.
#[derive(Default)]
pub struct CheckedUsers {
    pub count: u64,
    /// What is wrong with each user for whom something is, at most [`MOST_NAMED`].
    pub damages: Vec<Refusal>,
    /// For how many users something is wrong.
    pub damaged: u64,
}

impl CheckedUsers {
    /// How many users there are; what was found first is the error.
    pub fn all_good(self) -> Result<u64> {
        self.damages.into_iter().next().map_or(Ok(self.count), |first| Err(first.into()))
    }

    /// Remembers damage of one user; another error ends the check.
    fn note(&mut self, checked: Result<()>) -> Result<()> {
        let Err(error) = checked else { return Ok(()) };
        match error.downcast_ref::<Refusal>() {
            Some(refusal) if matches!(refusal.code, ErrorCode::Damaged | ErrorCode::Tampered) => {
                self.damaged += 1;
                if self.damages.len() < MOST_NAMED {
                    self.damages.push(refusal.clone());
                }
                Ok(())
            }
            _ => Err(error),
        }
    }
}

/// Checks the MACs of every user and every device if there is a key, and that users and log agree if the whole log
/// was verified.
///
/// Something can be wrong with several users: a row that can't be read, an altered one, one from an older copy, one
/// whom the log does not know. Users whose rows are gone are looked for where nothing else is wrong.
pub fn check_users(
    driver: &mut dyn Driver,
    vault: Option<&Vault>,
    mut log: Option<&mut Chain>,
    progress: &mut dyn FnMut(),
) -> Result<CheckedUsers> {
    let mut all = CheckedUsers::default();
    let mut check = |found: StoredUser| {
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
    let mut current: Option<(i64, Result<StoredUser>)> = None;
    let (mac, device) = (USER_COLUMNS.len(), USER_COLUMNS.len() + 1);
    let number = device + DEVICE_COLUMNS.len() + 1;
    driver.query(&sql::USERS_WITH_MACS, &[], &mut |row| {
        let user_row = row.int(number)?.unwrap_or_default();
        if current.as_ref().is_none_or(|(known, _)| *known != user_row) {
            let found = read_user(row).and_then(|user| {
                Ok(StoredUser {
                    user,
                    user_mac: StoredMac::read(row, mac).map_err(|error| name_user(error, row))?,
                    device_macs: Vec::new(),
                })
            });
            if let Some((_, done)) = current.replace((user_row, found)) {
                all.note(done.and_then(&mut check))?;
            }
            all.count += 1;
            progress();
        }
        if let Some((_, found)) = &mut current
            && !row.is_null(device)?
            && let Ok(user) = found
            && let Err(error) = user.read_device(row, device)
        {
            *found = Err(error);
        }
        Ok(true)
    })?;
    if let Some((_, last)) = current {
        all.note(last.and_then(&mut check))?;
    }
    let missing = log.and_then(|log| log.users.missing()).filter(|_| all.damaged == 0);
    if let Some(event) = missing {
        let gone = missing_user(driver, event)?;
        all.note(Err(gone))?;
    }
    Ok(all)
}

/// The refusal for the user of this event, whose rows are gone.
fn missing_user(driver: &mut dyn Driver, event: u64) -> Result<Error> {
    let seq = [Value::Int(event.cast_signed())];
    let name = first(driver, sql::EVENT_USER, &seq, |row| row.text(0))?.flatten();
    let name = name.unwrap_or_default();
    let message = format!(
        "{} is not in the store any more, although no event removed them (the newest about them is event {event})",
        shown(&name)
    );
    Ok(altered(message, &UserName::stored(name)))
}
