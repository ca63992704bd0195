//! Errors that every database can have.

use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};

/// The database rolled a transaction back because of a concurrent one. It can be retried, provided that
/// everything is read again.
#[derive(Debug)]
pub struct Conflict;

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another change came between")
    }
}

/// An event was not appended because the log has one with its number.
#[derive(Debug)]
pub struct OccupiedEvent;

impl std::fmt::Display for OccupiedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the log has an event with this number")
    }
}

/// The login at the database server may not do this.
#[derive(Debug)]
pub struct DeniedByDatabase;

impl std::fmt::Display for DeniedByDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database denies it")
    }
}

pub fn busy() -> Refusal {
    Refusal::new(ErrorCode::Busy, "the store is busy: another program is writing to it")
        .hint("try again in a moment")
}

/// Nobody knows whether the change was stored.
#[derive(Debug)]
struct Unconfirmed;

impl std::fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database failed during the commit")
    }
}

/// When a database fails during the commit, it is unknown whether the change was stored.
pub fn unconfirmed(error: anyhow::Error) -> anyhow::Error {
    let message = "the store did not confirm the change; it may or may not be stored";
    let hint = command("show-user").name("NAME").after("before you try again, check with: ");
    error.context(Unconfirmed).context(Refusal::new(ErrorCode::Io, message).hint(hint))
}

/// Whether a change that failed may be stored all the same. Then what was handed over for it may be in force, and must
/// not be thrown away.
#[must_use]
pub fn is_unconfirmed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Unconfirmed>().is_some()
}
