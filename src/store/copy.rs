//! Copying a whole store row by row, and checking the copy.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::domain::audit::event::{Canonical, Head};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::check_all::check_all;
use crate::store::checks::one_row;
use crate::store::driver::Driver;
use crate::store::identity::Identity;
use crate::store::integrity::end_of_log;
use crate::store::lock_scope::LockScope;
use crate::store::row::{StoredMac, Value, bytes};
use crate::store::row_source::RowSource;
use crate::store::sql;
use crate::store::table::Table;
use crate::store::write_tx::WriteTx;

/// Writes the identity and an empty log into a new store.
pub fn initialize(tx: &mut WriteTx<'_>, identity: Identity, at: Timestamp) -> Result<()> {
    insert_store_row(tx, identity, at)?;
    let start = Head::START;
    let mac = StoredMac::value(tx.vault, &tx.vault.head_mac(&start));
    let head = [Value::Int(0), bytes(&start.hash), mac];
    one_row(tx.driver.execute(sql::FIRST_HEAD, &head)?)
}

/// Copies every row of another store into an empty one, then reads each one back and checks every
/// MAC; calls `progress` for each of these. `tampered` when a MAC does not match, `io` for a row that
/// reads back differently.
pub fn import_rows(
    tx: &mut WriteTx<'_>,
    identity: Identity,
    source: &mut dyn RowSource,
    progress: &mut dyn FnMut(),
) -> Result<()> {
    tx.driver.expect_bulk()?;
    insert_store_row(tx, identity, source.created_at()?)?;
    for table in Table::all() {
        let mut written = Sha256::new();
        tx.driver.insert_rows(&table, &mut |put| {
            source.rows(&table, &mut |values| {
                digest(&mut written, &values);
                progress();
                put(values)
            })
        })?;
        let mut read_back = Sha256::new();
        tx.driver.query(&table.select(), &[], &mut |row| {
            digest(&mut read_back, &table.values(row)?);
            progress();
            Ok(true)
        })?;
        if written.finalize() != read_back.finalize() {
            let message =
                format!("the table {} reads back differently from what was written", table.name);
            return Err(Refusal::new(ErrorCode::Io, message)
                .hint("nothing was kept; check the disk of the target")
                .into());
        }
    }
    tx.driver.reset_sequences()?;
    check_all(&mut *tx.driver, tx.vault, progress)
}

/// A transaction that has emptied the store, invisible to others before the commit. `busy` when the
/// log no longer ends at `head`.
pub fn emptied<'t>(
    mut driver: Box<dyn Driver + 't>,
    vault: &'t Vault,
    head: &Head,
) -> Result<WriteTx<'t>> {
    driver.lock_exclusively()?;
    if end_of_log(&mut *driver)? != *head {
        return Err(Refusal::new(ErrorCode::Busy, "the store has changed in the meantime")
            .hint("nothing was changed; check the store, then try again")
            .into());
    }
    driver.expect_bulk()?;
    for table in Table::all().collect::<Vec<_>>().into_iter().rev() {
        driver.execute(&table.clear(), &[])?;
    }
    Ok(WriteTx::new(driver, vault, LockScope::Store))
}

/// Inserts the row with the store's identity.
fn insert_store_row(tx: &mut WriteTx<'_>, identity: Identity, at: Timestamp) -> Result<()> {
    let store = [bytes(identity.store.bytes()), bytes(&identity.key.0), Value::Int(at.as_i64())];
    one_row(tx.driver.execute(sql::INIT_STORE, &store)?)
}

fn digest(digest: &mut Sha256, values: &[Value]) {
    let mut row = Canonical::default();
    for value in values {
        match value {
            Value::Null => row.field("null", []),
            Value::Int(n) => row.field("int", n.to_be_bytes()),
            Value::Text(s) => row.field("text", s),
            Value::Bytes(b) => row.field("bytes", b),
        }
    }
    // The length prefix makes the boundaries between rows unambiguous.
    digest.update((row.bytes().len() as u64).to_be_bytes());
    digest.update(row.bytes());
}
