//! Integrity of the audit log: with the key every event is verified; without it the events are counted.

use anyhow::Result;

use crate::domain::audit::chain::Chain;
use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, Subject};
use crate::domain::audit::proved_event::EventProof;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::driver::{Driver, first};
use crate::store::log_ends::{LogStart, SignedHead};
use crate::store::row::{self, Row, StoredMac, Value};
use crate::store::sql;

/// Verifies the chain from its start. `tampered`, with the number of the first altered event.
pub fn check_chain(
    driver: &mut dyn Driver,
    vault: &Vault,
    progress: &mut dyn FnMut(),
) -> Result<Chain> {
    let start = log_start(driver)?;
    if !start.is_authentic(vault)? {
        return Err(altered("its start is not what `log --prune` wrote").into());
    }
    let mut chain = Chain::from(start.head);
    chain.may_lack_users = start.may_lack_users(vault)?;
    chain.beginning = start.beginning(created_at(driver)?);
    let mut broken = None;
    let mac = |head: &Head, subject: Option<Subject<'_>>, generation| {
        vault.event_mac_by(generation, head, subject)
    };
    walk_chain(driver, &mut |entry, proof| {
        progress();
        broken = match chain.next(entry, proof, Some(&mac)) {
            // Only a key can tell whether it was altered.
            Err(ChainError::Generation(other)) => {
                vault.require(other)?;
                None
            }
            proved => proved.err().map(|b| b.words(proof.seq)),
        };
        Ok(broken.is_none())
    })?;
    let broken =
        broken.or_else(|| chain.users.check_erasures().err().map(|(seq, error)| error.words(seq)));
    let broken = broken.or_else(|| start.mismatch(&chain));
    broken.map_or(Ok(chain), |words| Err(altered(&words).into()))
}

fn altered(words: &str) -> Refusal {
    Refusal::new(
        ErrorCode::Tampered,
        format!("the audit log was altered outside of mfactl: {words}"),
    )
    .hint("restore a backup, and find out who can write to the store")
}

/// Checks that there are as many events after a number as the signed head says. `tampered` when one is
/// missing.
pub fn check_count(
    driver: &mut dyn Driver,
    signed_head: Option<&SignedHead>,
    after: u64,
) -> Result<()> {
    // The whole log is counted from an index, without reading the events.
    let is_all = after <= log_start(driver)?.head.seq;
    let values = [Value::Int(after.cast_signed())];
    let (sql, values) =
        if is_all { (sql::ALL_EVENTS, &[][..]) } else { (sql::EVENTS_AFTER, &values[..]) };
    let found = first(driver, sql, values, |row| {
        let number = |column| Ok::<_, anyhow::Error>(row.int(column)?.map(i64::cast_unsigned));
        Ok((number(0)?.unwrap_or_default(), number(1)?.zip(number(2)?)))
    })?;
    let (count, bounds) = found.unwrap_or_default();
    let end = signed_head.map(|signed_head| signed_head.head.seq);
    let is_there = end.and_then(|end| end.checked_sub(after)) == Some(count);
    if is_there && bounds.is_none_or(|bounds| Some(bounds) == end.map(|end| (after + 1, end))) {
        return Ok(());
    }
    let message = match end {
        Some(end) => format!("the log is incomplete: events are missing between {after} and {end}"),
        None => "the log is incomplete: the record of its end is missing".to_owned(),
    };
    Err(Refusal::new(ErrorCode::Tampered, message)
        .hint(command("verify-log").after("do not rely on it; check it with: "))
        .into())
}

/// Passes every event with its hashes and MAC, in order, to `visit` until it returns `false`.
pub fn walk_chain(
    driver: &mut dyn Driver,
    visit: &mut dyn FnMut(&EventFields<'_>, &EventProof<'_>) -> Result<bool>,
) -> Result<()> {
    driver.query(&sql::CHAIN, &[], &mut |row| {
        let (entry, proof) = row::entry_and_proof(row)?;
        visit(&entry, &proof)
    })
}

pub fn log_start(driver: &mut dyn Driver) -> Result<LogStart> {
    let start = first(driver, sql::LOG_START, &[], |row| {
        let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok()).unwrap_or_default();
        let head = Head { seq: seq(row, "log_start")?.unwrap_or_default(), hash };
        Ok(LogStart { head, at: at(row, 2, "log_start")?, mac: Some(StoredMac::read(row, 3)?) })
    })?;
    Ok(start.unwrap_or(LogStart { head: Head::START, at: None, mac: None }))
}

/// The end of the log as stored with its MAC; `None` when that row is missing.
pub fn signed_head(driver: &mut dyn Driver) -> Result<Option<SignedHead>> {
    let head = first(driver, sql::SIGNED_HEAD, &[], |row| {
        let seq = seq(row, "audit_head")?;
        let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
        let mac = StoredMac::read(row, 2)?;
        Ok(seq.zip(hash).map(|(seq, hash)| SignedHead::new(Head { seq, hash }, mac)))
    })?;
    Ok(head.flatten())
}

/// When the store was created.
pub fn created_at(driver: &mut dyn Driver) -> Result<Timestamp> {
    let at = first(driver, sql::CREATED_AT, &[], |row| row.int(0))?.flatten();
    let at = Timestamp::from_unix(at.unwrap_or_default());
    Ok(at.map_err(|_| row::damaged_column("store", "created_at"))?)
}

/// The last event of the log.
pub fn end_of_log(driver: &mut dyn Driver) -> Result<Head> {
    let last = first(driver, sql::LAST_EVENT, &[], |row| {
        let seq = row.int(0)?.map(i64::cast_unsigned);
        let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
        Ok(seq.zip(hash).map(|(seq, hash)| Head { seq, hash }))
    })?;
    Ok(last.flatten().unwrap_or(Head::START))
}

/// The number in the first column.
pub fn seq(row: &dyn Row, table: &str) -> Result<Option<u64>> {
    let seq = row.int(0)?.map(u64::try_from).transpose();
    Ok(seq.map_err(|_| row::damaged_column(table, "seq"))?)
}

/// A time outside the valid range is damage, not a fault of this machine's clock.
pub fn at(row: &dyn Row, column: usize, table: &str) -> Result<Option<Timestamp>> {
    let at = row.int(column)?.map(Timestamp::from_unix).transpose();
    Ok(at.map_err(|_| row::damaged_column(table, "at"))?)
}
