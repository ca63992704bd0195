//! Users whose rows don't prove: what is stored under their name, and what the log has of them, which is believed instead.

use anyhow::Result;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{Head, Subject, SubjectId};
use crate::domain::audit::logged_users::REMOVAL;
use crate::domain::audit::proved_event::prove_event;
use crate::domain::name::UserName;
use crate::domain::secret::{Id, Stamp};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::keyring::Vault;
use crate::store::change::Change;
use crate::store::driver::{Driver, first};
use crate::store::newest_event::{altered_event, hash_before, newest_event};
use crate::store::row::{self, Value, bytes};
use crate::store::sql;

/// What is there of a user whose rows don't prove.
pub struct DamagedUser {
    /// The user as the newest event about them left them; `None` when the log has no user of this name who was not
    /// removed.
    pub logged: Option<UserInLog>,
    /// The rows are of a user whom an event removed, and whose name that event may have erased.
    pub is_of_removed_user: bool,
    pub devices: u64,
    /// The ids of the rows in `users`: the row of this name, and the row with the id of the logged user.
    rows: Vec<i64>,
}

impl DamagedUser {
    /// Whether both are the same rows of the same user.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let parts = |of: &Self| {
            let logged = of.logged.as_ref().map(|logged| (logged.user.id, logged.user.rev));
            (logged, of.is_of_removed_user, of.devices, of.rows.clone())
        };
        parts(self) == parts(other)
    }
}

/// A user from the log alone.
pub struct UserInLog {
    user: User,
    status: Status,
}

impl UserInLog {
    /// The change that ends this user. The event continues the newest event about them and nothing in their rows.
    pub fn given_up(self) -> Change {
        Change::GiveUp { user: self.user, status: self.status }
    }
}

/// The newest event about a user, with its name.
struct LastEvent {
    seq: u64,
    at: Timestamp,
    is_removal: bool,
    name: Option<String>,
    rev: u64,
    stamp: Option<Stamp>,
    status: Status,
}

/// Finds the user; `None` when neither the tables nor the log have one of this name. `head` is the guarded end of the
/// log.
pub fn damaged_user(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    name: &UserName,
) -> Result<Option<DamagedUser>> {
    let mut logged = None;
    for spelling in name.spellings() {
        if logged.is_none() {
            logged = logged_user(driver, vault, head, spelling)?;
        }
    }
    let mut found = DamagedUser { logged, is_of_removed_user: false, devices: 0, rows: Vec::new() };
    for spelling in name.spellings() {
        let spelling = [Value::Text(spelling.to_owned())];
        let row = first(driver, sql::USER_ROW_OF_NAME, &spelling, |row| {
            // The id may be what is damaged.
            let id = row.bytes(1).ok().flatten().and_then(|id| id.try_into().ok());
            Ok((row.int(0)?.unwrap_or_default(), id.map(Id::new)))
        })?;
        let Some((row, id)) = row.filter(|_| found.rows.is_empty()) else { continue };
        found.rows.push(row);
        if let Some(id) = id {
            let last = last_event(driver, vault, head, id)?;
            found.is_of_removed_user = last.is_some_and(|last| last.is_removal);
        }
    }
    if let Some(logged) = &found.logged {
        let id = [bytes(logged.user.id.bytes())];
        let row = first(driver, sql::USER_ROW_ID, &id, |row| row.int(0))?.flatten();
        found.rows.extend(row.filter(|row| !found.rows.contains(row)));
    }
    for row in &found.rows {
        let count = first(driver, sql::COUNT_DEVICES, &[Value::Int(*row)], |row| row.int(0))?;
        found.devices += count.flatten().unwrap_or_default().cast_unsigned();
    }
    Ok((found.logged.is_some() || !found.rows.is_empty()).then_some(found))
}

/// Deletes the rows, with the devices and the requests of their users.
pub fn remove_rows(driver: &mut dyn Driver, damaged: &DamagedUser) -> Result<()> {
    if let Some(logged) = &damaged.logged {
        driver.execute(sql::REMOVE_REQUESTS_OF, &[bytes(logged.user.id.bytes())])?;
    }
    for row in &damaged.rows {
        let row = [Value::Int(*row)];
        for statement in
            [sql::REMOVE_REQUESTS_OF_ROW, sql::REMOVE_DEVICES_OF_ROW, sql::REMOVE_USER_ROW]
        {
            driver.execute(statement, &row)?;
        }
    }
    Ok(())
}

/// The user who has this name according to the log, and whom no event removed.
fn logged_user(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    name: &str,
) -> Result<Option<UserInLog>> {
    let mut named = Vec::new();
    driver.query(sql::LAST_EVENTS_WITH_NAME, &[Value::Text(name.to_owned())], &mut |row| {
        let id = row.bytes(0)?.and_then(|id| id.try_into().ok());
        named.extend(id.map(Id::new).zip(row.int(1)?.map(i64::cast_unsigned)));
        Ok(true)
    })?;
    for (id, seq) in named {
        let last = last_event(driver, vault, head, id)?;
        // The event was found in the table, so an index that has no event as new does not agree with it.
        let last = last.filter(|last| last.seq >= seq);
        let last = last.ok_or_else(|| altered_event(seq, ChainError::Missing { expected: seq }))?;
        if last.is_removal || last.name.as_deref() != Some(name) {
            continue;
        }
        let mut user = User::new(id, UserName::stored(name.to_owned()), last.at);
        (user.rev, user.stamp) = (last.rev, last.stamp);
        return Ok(Some(UserInLog { user, status: last.status }));
    }
    Ok(None)
}

/// The newest event about a user, proved with its personal fields.
fn last_event(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    user: Id,
) -> Result<Option<LastEvent>> {
    let Some(newest) = newest_event(driver, vault, head, SubjectId::User(user.bytes()))? else {
        return Ok(None);
    };
    let seq = newest.seq;
    let Some(previous) = hash_before(driver, seq)? else {
        return Err(altered_event(seq, ChainError::Missing { expected: seq - 1 }));
    };
    let mac = |head: &Head, subject: Option<Subject<'_>>, generation| {
        vault.event_mac_by(generation, head, subject)
    };
    let number = [Value::Int(seq.cast_signed())];
    let read = first(driver, &sql::EVENT, &number, |row| {
        let (entry, proof) = row::entry_and_proof(row)?;
        let is_whole = match proof.salt {
            Some(salt) => entry.personal.hash(salt)[..] == *proof.personal,
            None => entry.personal.user.is_none(),
        };
        let proved = prove_event(&entry, &proof, &previous, Some(&mac));
        let rev = entry.rev.filter(|_| is_whole && entry.user_id == Some(&user.bytes()[..]));
        let statuses = [Status::Enabled, Status::Disabled, Status::Pending];
        let status = statuses.into_iter().find(|status| Some(status.word()) == entry.status);
        let at = Timestamp::from_unix(entry.at.cast_signed())?;
        Ok(proved.and_then(|proved| {
            Ok(LastEvent {
                seq,
                at,
                is_removal: entry.verb == REMOVAL,
                name: entry.personal.user.map(str::to_owned),
                rev: rev.ok_or(ChainError::Personal)?,
                stamp: entry.stamp_after(&proved.head.hash),
                status: status.unwrap_or(Status::NotEnabled),
            })
        }))
    })?;
    match read {
        Some(Ok(last)) => Ok(Some(last)),
        Some(Err(ChainError::Generation(other))) => {
            vault.require(other)?;
            Err(altered_event(seq, ChainError::Mac))
        }
        Some(Err(error)) => Err(altered_event(seq, error)),
        None => Err(altered_event(seq, ChainError::Missing { expected: seq })),
    }
}
