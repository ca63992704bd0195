//! The guarded end of the log, and the events that a transaction appends to it.

use anyhow::Result;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, SubjectAfter};
use crate::domain::audit::history::EarlierValues;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::keyring::Vault;
use crate::store::change::{NewEvent, SavedUser};
use crate::store::checks::altered_log_end;
use crate::store::driver::{Driver, Query};
use crate::store::errors::OccupiedEvent;
use crate::store::row::{self, Row, StoredMac, Value, bytes};
use crate::store::row_write::{RowWrite, WriteKind};
use crate::store::saved_token::SavedToken;
use crate::store::sql;

/// The end of the log during a transaction. The stored one follows with the commit.
#[derive(Default)]
pub struct LogTail {
    /// The end, once read.
    end: Option<Head>,
    /// The stored end, once nobody else can move it.
    locked: Option<Head>,
    appended: u64,
}

/// What is saved that an event is about.
pub enum SavedSubject<'s> {
    User(&'s mut SavedUser),
    Token(&'s mut SavedToken),
    None,
}

impl SavedSubject<'_> {
    fn earlier_values(&self) -> EarlierValues {
        match self {
            Self::User(user) => user.earlier_values(),
            Self::Token(token) => token.earlier_values(),
            Self::None => EarlierValues::default(),
        }
    }

    const fn after(&self) -> SubjectAfter<'_> {
        match self {
            Self::User(saved) => SubjectAfter::User(&saved.user),
            Self::Token(saved) => SubjectAfter::Token(&saved.token),
            Self::None => SubjectAfter::None,
        }
    }
}

impl LogTail {
    /// The end of the log, after checking its MAC. Others may have moved it on since, unless it is locked.
    pub fn end(&mut self, driver: &mut dyn Driver, vault: &Vault) -> Result<Head> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        let mut found = None;
        driver.query(sql::HEAD, &[], &mut |row| {
            found = Some(guarded_end(row, vault)?);
            Ok(false)
        })?;
        let end = found.ok_or_else(altered_log_end)?;
        self.end = Some(end);
        Ok(end)
    }

    /// Whether the end was read.
    pub const fn is_known(&self) -> bool {
        self.end.is_some()
    }

    /// Takes note of the end, which was read together with something else.
    pub fn saw(&mut self, end: Head) {
        self.end = Some(end);
    }

    /// Locks the end until the commit. Nothing may be written before.
    pub fn lock(&mut self, driver: &mut dyn Driver, vault: &Vault) -> Result<Head> {
        self.lock_reading(driver, vault, None, &mut |_| Ok(()))
    }

    /// The same with one query more, which sees what was committed before the lock.
    pub fn lock_reading(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        query: Option<Query<'_>>,
        visit: &mut dyn FnMut(&dyn Row) -> Result<()>,
    ) -> Result<Head> {
        let reads_end = match (self.locked, self.end) {
            (Some(_), _) => false,
            (None, seen) => driver.lock_end() || seen.is_none(),
        };
        let end = Query { sql: sql::HEAD, values: &[] };
        let queries: Vec<_> = reads_end.then_some(end).into_iter().chain(query).collect();
        let mut found = None;
        let mut see = |n: usize, row: &dyn Row| {
            if reads_end && n == 0 {
                found = Some(guarded_end(row, vault)?);
                return Ok(false);
            }
            visit(row).map(|()| true)
        };
        if !queries.is_empty() {
            driver.query_each(&queries, &mut see)?;
        }
        if reads_end {
            let locked = found.ok_or_else(altered_log_end)?;
            // It only moves on.
            if self.end.is_some_and(|seen| locked.seq < seen.seq) {
                return Err(altered_log_end().into());
            }
            self.end = Some(locked);
        }
        self.locked = self.locked.or(self.end);
        self.end.ok_or_else(|| altered_log_end().into())
    }

    /// How many events were appended.
    pub const fn appended(&self) -> u64 {
        self.appended
    }

    /// Appends an event to the hash chain. The first event about a user or a token records the change, and stamps their
    /// rows. Returns the new end.
    pub fn append(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        event: &NewEvent,
        subject: SavedSubject<'_>,
    ) -> Result<Head> {
        let (end, write) = self.next_event(driver, vault, event, subject)?;
        self.write(driver, vec![write])?;
        Ok(end)
    }

    /// The same, but leaves the writing of the event to the caller: events of a set go together.
    pub fn next_event(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        event: &NewEvent,
        subject: SavedSubject<'_>,
    ) -> Result<(Head, RowWrite)> {
        let NewEvent { event, salt } = event;
        let previous = self.lock(driver, vault)?;
        let past = subject.earlier_values();
        let entry = EventFields::of(event, vault.generation(), subject.after(), &past);
        let personal = entry.personal.hash(salt);
        let end = Head { seq: previous.seq + 1, hash: entry.chain_hash(&previous, &personal) };
        let mac = StoredMac::value(vault, &vault.event_mac(&end, entry.subject()));
        let values = row::event_values(&entry, salt, &personal, &end, mac);
        self.end = Some(end);
        self.appended += 1;
        match subject {
            SavedSubject::User(saved) => saved.recorded(&end.hash),
            SavedSubject::Token(saved) => saved.recorded(&end.hash),
            SavedSubject::None => {}
        }
        Ok((end, RowWrite { kind: WriteKind::NewEvent, values }))
    }

    /// Writes events, and rows after them.
    pub fn write(&self, driver: &mut dyn Driver, writes: Vec<RowWrite>) -> Result<()> {
        driver.write(writes).map_err(|error| self.explained(error))
    }

    /// Writes the end with its MAC, if events were appended.
    pub fn guard(&self, driver: &mut dyn Driver, vault: &Vault) -> Result<()> {
        match self.end {
            Some(end) if self.appended > 0 => driver.write(vec![end_write(vault, &end)]),
            _ => Ok(()),
        }
    }

    /// Says of an event that was not appended what keeps it out: nothing but one with the same number can.
    pub fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        match self.locked {
            Some(end) if error.downcast_ref::<OccupiedEvent>().is_some() => {
                occupied(error, end.seq)
            }
            _ => error,
        }
    }

    /// Writes the end as it is, which costs as much as after an event.
    pub fn rewrite(&mut self, driver: &mut dyn Driver, vault: &Vault) -> Result<()> {
        let end = self.lock(driver, vault)?;
        // SQLite writes nothing when a row is overwritten with the same values.
        let no_mac = [0; crate::keyring::MAC];
        let values = vec![Value::Int(end.seq.cast_signed()), bytes(&end.hash), bytes(&no_mac)];
        let without = RowWrite { kind: WriteKind::EndOfLog, values };
        driver.write(vec![without, end_write(vault, &end)])
    }
}

fn end_write(vault: &Vault, end: &Head) -> RowWrite {
    let mac = StoredMac::value(vault, &vault.head_mac(end));
    let values = vec![Value::Int(end.seq.cast_signed()), bytes(&end.hash), mac];
    RowWrite { kind: WriteKind::EndOfLog, values }
}

/// The end of the log from a row of [`sql::HEAD`], after checking its MAC.
pub fn guarded_end(row: &dyn Row, vault: &Vault) -> Result<Head> {
    let seq = row.int(0)?.map(i64::cast_unsigned);
    let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
    let end = seq.zip(hash).map(|(seq, hash)| Head { seq, hash });
    let end = end.ok_or_else(altered_log_end)?;
    let (mac, last) = (StoredMac::read(row, 2), row.bytes(3)?);
    let is_there = last.as_deref() == Some(&end.hash[..]) || (end.seq == 0 && last.is_none());
    if !is_there || !mac?.is(vault, &vault.head_mac(&end))? {
        return Err(altered_log_end().into());
    }
    Ok(end)
}

fn occupied(error: anyhow::Error, end: u64) -> anyhow::Error {
    let words = ChainError::Beyond { end }.words(end + 1);
    let message = format!("the audit log was altered outside of mfactl: {words}");
    error.context(Refusal::new(ErrorCode::Tampered, message).hint(format!(
        "find out who can write to the store, then remove what they added with this SQL: \
         DELETE FROM events WHERE seq > {end}"
    )))
}
