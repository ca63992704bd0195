//! The newest event about a user or a token, which shows whether their rows are the newest.

use anyhow::Result;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{Head, Subject, SubjectId};
use crate::domain::audit::proved_event::prove_event;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Stamp;
use crate::keyring::Vault;
use crate::store::driver::{Driver, first};
use crate::store::integrity::log_start;
use crate::store::row::{self, Row, StoredMac, Value};
use crate::store::sql;

/// The newest event about a user or a token, proved by its MAC.
#[derive(Clone, Copy, Debug)]
pub struct NewestEvent {
    pub seq: u64,
    /// The revision after it.
    rev: u64,
    stamps: EventStamps,
}

/// What an event says about the rows that it is about.
#[derive(Clone, Copy, Debug)]
enum EventStamps {
    /// The stamp before it, and the one that it gave if it records a change.
    Both(Stamp, Stamp),
    /// None: it is about rows that no program of schema 6 or later changed.
    None,
    /// None, and the revision may have grown without an event: it is of a program before schema 5.
    Uncounted,
}

impl NewestEvent {
    /// Whether rows with this revision and stamp are those after the event. Of the two stamps the earlier one belongs to
    /// the earlier revision if the event records a change, and otherwise to this one.
    pub fn left(&self, rev: u64, stamp: Option<Stamp>) -> bool {
        match (self.stamps, stamp) {
            (EventStamps::Both(before, made), Some(stamp)) => {
                rev == self.rev && (stamp == before || stamp == made)
            }
            (EventStamps::None, None) => rev == self.rev,
            (EventStamps::Uncounted, None) => rev >= self.rev,
            _ => false,
        }
    }
}

/// Finds the newest event about a user or a token and proves it; `head` is the guarded end of the log. `None` when the
/// log has no event about them: that of a user only a pruning can have caused, and a token has none until it is assigned.
///
/// An index finds the event, but only the row of the table is believed. `tampered` when the event was altered, lies
/// beyond the end of the log, or is missing from a log that was never pruned.
pub fn newest_event(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    id: SubjectId<'_>,
) -> Result<Option<NewestEvent>> {
    let (sql, bytes) = match id {
        SubjectId::User(bytes) => (sql::NEWEST_EVENT, bytes),
        SubjectId::Token(bytes) => (sql::NEWEST_TOKEN_EVENT, bytes),
    };
    let found = first(driver, sql, &[Value::Bytes(bytes.to_vec())], |row| {
        FoundEvent::read(row, vault, id)
    })?;
    found.map(|found| found.proved(driver, vault, head, id)).transpose()
}

/// The newest event as an index finds it, which says nothing yet.
pub struct FoundEvent {
    seq: u64,
    /// `None` where its MAC does not prove it.
    proved: Option<NewestEvent>,
}

impl FoundEvent {
    /// From a row of [`sql::NEWEST_EVENT`].
    pub fn read(row: &dyn Row, vault: &Vault, id: SubjectId<'_>) -> Result<Self> {
        let damaged = |column| row::damaged_column("events", column);
        let seq = row.int(0)?.and_then(|seq| seq.try_into().ok());
        let seq = seq.ok_or_else(|| damaged("seq"))?;
        let hash = row.bytes_ref(2)?.and_then(|hash| hash.try_into().ok());
        let head = Head { seq, hash: hash.ok_or_else(|| damaged("hash"))? };
        let Some(rev) = row.int(1)?.map(i64::cast_unsigned) else {
            return Ok(Self { seq, proved: None });
        };
        let was_stamp = row.bytes_ref(4)?;
        let subject = Subject { id, rev, was_stamp };
        let mac = StoredMac::read(row, 3)?;
        if !mac.is(vault, &vault.event_mac(&head, Some(subject)))? {
            return Ok(Self { seq, proved: None });
        }
        let stamps = match was_stamp.map(|stamp| stamp.try_into().map(Stamp::new)) {
            None => EventStamps::None,
            Some(Ok(before)) => EventStamps::Both(before, Stamp::of(&head.hash)),
            Some(Err(_)) => return Err(damaged("was_stamp").into()),
        };
        Ok(Self { seq, proved: Some(NewestEvent { seq, rev, stamps }) })
    }

    /// The event, if it proves. `head` is the guarded end of the log, read after the event.
    pub fn proved(
        self,
        driver: &mut dyn Driver,
        vault: &Vault,
        head: &Head,
        id: SubjectId<'_>,
    ) -> Result<NewestEvent> {
        if self.seq > head.seq {
            return Err(altered_event(self.seq, ChainError::Beyond { end: head.seq }));
        }
        match self.proved {
            Some(proved) => Ok(proved),
            None => prove_whole(driver, vault, self.seq, id),
        }
    }
}

/// Proves an event by the hash of all its fields: its MAC may be that of a program before schema 5, which does not
/// name the user.
fn prove_whole(
    driver: &mut dyn Driver,
    vault: &Vault,
    seq: u64,
    id: SubjectId<'_>,
) -> Result<NewestEvent> {
    let mac = |head: &Head, subject: Option<Subject<'_>>, generation| {
        vault.event_mac_by(generation, head, subject)
    };
    let Some(previous) = hash_before(driver, seq)? else {
        return Err(altered_event(seq, ChainError::Missing { expected: seq - 1 }));
    };
    let number = [Value::Int(seq.cast_signed())];
    let proved = first(driver, &sql::EVENT_TO_PROVE, &number, |row| {
        let (entry, proof) = row::proved_event(row)?;
        // The index may have led to an event about something else.
        let is_theirs = entry.subject().is_some_and(|subject| subject.id == id);
        let rev = entry.rev.filter(|_| is_theirs).ok_or(ChainError::Hash);
        Ok(prove_event(&entry, &proof, &previous, Some(&mac)).and(rev))
    })?;
    match proved {
        Some(Ok(rev)) => Ok(NewestEvent { seq, rev, stamps: EventStamps::Uncounted }),
        Some(Err(ChainError::Generation(other))) => {
            vault.require(other)?;
            Err(altered_event(seq, ChainError::Mac))
        }
        Some(Err(error)) => Err(altered_event(seq, error)),
        None => Err(altered_event(seq, ChainError::Missing { expected: seq })),
    }
}

/// The hash of the event before this one, also if that one is the last that was pruned.
pub fn hash_before(driver: &mut dyn Driver, seq: u64) -> Result<Option<[u8; 32]>> {
    let Some(before) = seq.checked_sub(1).filter(|before| *before > 0) else {
        return Ok(Some(Head::START.hash));
    };
    let number = [Value::Int(before.cast_signed())];
    let hash = first(driver, sql::EVENT_HASH, &number, |row| {
        Ok(row.bytes_ref(0)?.and_then(|hash| hash.try_into().ok()))
    })?;
    if hash.flatten().is_some() {
        return Ok(hash.flatten());
    }
    let start = log_start(driver)?.head;
    Ok((start.seq == before).then_some(start.hash))
}

/// The refusal for an event that does not prove.
pub fn altered_event(seq: u64, error: ChainError) -> anyhow::Error {
    let words = error.words(seq);
    Refusal::new(
        ErrorCode::Tampered,
        format!("the audit log was altered outside of mfactl: {words}"),
    )
    .hint(command("verify-log").after("see what else was altered with: "))
    .into()
}
