//! Loads sets of users for a change: their rows, and the newest event about each, which shows that the rows are the
//! newest.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::domain::audit::event::{Head, SubjectId};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::checks::altered_log_end;
use crate::store::driver::{Driver, UserPart};
use crate::store::integrity::log_start;
use crate::store::log_tail::{LogTail, guarded_end};
use crate::store::newest_event::FoundEvent;
use crate::store::row::{self, DEVICE_COLUMNS, Row, StoredMac, USER_COLUMNS, USER_ROW_ID_COLUMN};
use crate::store::stored_user::{NAME_COLUMN, StoredUser, altered_user, unreadable};
use crate::store::user_tables::{RowIds, UserTables};

/// A user, `None` for a name that nobody has, or what is wrong with the rows that are there.
pub type Loaded = Result<Option<User>, Refusal>;

/// The column of a device's row with the row id of its user.
const OWNER_COLUMN: usize = DEVICE_COLUMNS.len() + 2;

/// The users with these names, in the same order.
pub fn load_users(
    driver: &mut dyn Driver,
    vault: &Vault,
    (users, log): (&mut UserTables, &mut LogTail),
    names: &[UserName],
) -> Result<Vec<Loaded>> {
    let wants_end = !log.is_known();
    let mut found = RowsOfUsers::of(vault, names);
    driver.read_users(names, wants_end, &mut |part, row| found.read(part, row))?;
    if let Some(user) = found.foreign {
        return Err(altered_user(&user));
    }
    let mut checked = BTreeMap::new();
    for (name, rows) in found.by_name {
        checked.insert(name, or_refusal(rows.checked(vault))?);
    }
    if wants_end {
        match found.end.unwrap_or_else(|| Err(altered_log_end().into())) {
            Ok(end) => log.saw(end),
            // What is wrong with a user says more.
            Err(error) => {
                return Err(checked.into_values().find_map(Result::err).map_or(error, Into::into));
            }
        }
    }
    let head = log.end(driver, vault)?;
    let mut loaded: BTreeMap<String, Loaded> = BTreeMap::new();
    for (name, rows) in checked {
        let proved = match rows {
            Ok(rows) => or_refusal(rows.proved(driver, vault, &head))?,
            Err(refusal) => Err(refusal),
        };
        let user = proved.map(|CheckedUser { user, row_ids, .. }| {
            users.found(user.id, row_ids);
            Some(user)
        });
        loaded.insert(name, user);
    }
    let of_name = |name: &UserName| {
        let spelt = name.spellings().find_map(|spelling| loaded.get(spelling));
        spelt.cloned().unwrap_or(Ok(None))
    };
    Ok(names.iter().map(of_name).collect())
}

/// Keeps what is wrong with the rows of one user apart; another error is about all of them.
fn or_refusal<T>(read: Result<T>) -> Result<Result<T, Refusal>> {
    let error = match read {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if matches!(refusal.code, ErrorCode::Tampered | ErrorCode::Damaged) => {
            Ok(Err(refusal.clone()))
        }
        _ => Err(error),
    }
}

/// The rows that were found, nothing of which is believed yet.
struct RowsOfUsers<'v> {
    vault: &'v Vault,
    wanted: BTreeSet<&'v str>,
    by_name: BTreeMap<String, RowsOfUser>,
    names_by_row: BTreeMap<i64, String>,
    names_by_id: BTreeMap<[u8; 16], String>,
    end: Option<Result<Head>>,
    /// A user to whom an index led by another name.
    foreign: Option<User>,
}

/// The rows of one user, or why they can't be read.
struct RowsOfUser {
    rows: Result<StoredUser>,
    row_ids: RowIds,
    newest: Option<Result<FoundEvent>>,
}

impl<'v> RowsOfUsers<'v> {
    fn of(vault: &'v Vault, names: &'v [UserName]) -> Self {
        Self {
            vault,
            wanted: names.iter().flat_map(UserName::spellings).collect(),
            by_name: BTreeMap::new(),
            names_by_row: BTreeMap::new(),
            names_by_id: BTreeMap::new(),
            end: None,
            foreign: None,
        }
    }

    fn read(&mut self, part: UserPart, row: &dyn Row) -> Result<()> {
        match part {
            UserPart::User => self.read_user(row),
            UserPart::Device => {
                let owner = row.int(OWNER_COLUMN)?.unwrap_or_default();
                let name = self.names_by_row.get(&owner);
                if let Some(found) = name.and_then(|name| self.by_name.get_mut(name)) {
                    found.read_device(row);
                }
                Ok(())
            }
            UserPart::NewestEvent => {
                let id: Option<[u8; 16]> = row.bytes_ref(5)?.and_then(|id| id.try_into().ok());
                let Some(id) = id else { return Ok(()) };
                let name = self.names_by_id.get(&id);
                if let Some(found) = name.and_then(|name| self.by_name.get_mut(name)) {
                    found.newest = Some(FoundEvent::read(row, self.vault, SubjectId::User(&id)));
                }
                Ok(())
            }
            UserPart::EndOfLog => {
                self.end = Some(guarded_end(row, self.vault));
                Ok(())
            }
        }
    }

    fn read_user(&mut self, row: &dyn Row) -> Result<()> {
        let name = row.text(NAME_COLUMN)?.unwrap_or_default();
        let number = row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default();
        let rows = read_user(row).map_err(|error| unreadable(error, &name));
        let is_ours = self.wanted.contains(name.as_str());
        if !is_ours || self.names_by_row.contains_key(&number) || self.by_name.contains_key(&name) {
            self.foreign = Some(rows?.user);
            return Ok(());
        }
        if let Ok(found) = &rows {
            self.names_by_id.insert(*found.user.id.bytes(), name.clone());
        }
        self.names_by_row.insert(number, name.clone());
        let row_ids = RowIds { user_row: number, devices: Vec::new() };
        self.by_name.insert(name, RowsOfUser { rows, row_ids, newest: None });
        Ok(())
    }
}

fn read_user(row: &dyn Row) -> Result<StoredUser> {
    let user_mac = StoredMac::read(row, USER_COLUMNS.len());
    Ok(StoredUser { user: row::user(row, 0)?, user_mac: user_mac?, device_macs: Vec::new() })
}

impl RowsOfUser {
    fn read_device(&mut self, row: &dyn Row) {
        let Ok(found) = &mut self.rows else { return };
        let name = found.user.name.clone();
        let mut read = || {
            let device = row::device(row, 0)?;
            let number = row.int(DEVICE_COLUMNS.len() + 1)?.unwrap_or_default();
            found.device_macs.push(StoredMac::read(row, DEVICE_COLUMNS.len())?);
            self.row_ids.devices.push((device.id, number));
            found.user.devices.push(device);
            Ok(())
        };
        if let Err(error) = read() {
            self.rows = Err(unreadable(error, name.as_str()));
        }
    }

    /// The user, after checking the MACs of their rows, which those that were put back from a copy have as well.
    fn checked(self, vault: &Vault) -> Result<CheckedUser> {
        let Self { rows, row_ids, newest } = self;
        let user = rows?.checked(vault)?;
        Ok(CheckedUser { user, row_ids, newest: newest.transpose()? })
    }
}

/// A user whose MACs are valid.
struct CheckedUser {
    user: User,
    row_ids: RowIds,
    newest: Option<FoundEvent>,
}

impl CheckedUser {
    /// The same, after checking that the rows are those after the user's newest event. Programs before schema 5 did not
    /// log every change, and left no event about some users when they pruned the log.
    fn proved(mut self, driver: &mut dyn Driver, vault: &Vault, head: &Head) -> Result<Self> {
        let id = SubjectId::User(self.user.id.bytes());
        let newest = self.newest.take();
        match newest.map(|found| found.proved(driver, vault, head, id)).transpose()? {
            Some(newest) if newest.left(self.user.rev, self.user.stamp) => Ok(self),
            None if self.user.stamp.is_none() && log_start(driver)?.may_lack_users(vault)? => {
                Ok(self)
            }
            _ => Err(altered_user(&self.user)),
        }
    }
}
