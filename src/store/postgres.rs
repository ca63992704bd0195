//! The store for several machines: one PostgreSQL database.

pub mod address;
mod begin;
mod connection;
mod driver;
mod errors;
mod many_rows;
mod password_file;
mod pipeline;
mod schema;
mod service_file;

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::domain::audit::event::Head;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::files::file_trust::FilePolicy;
use crate::keyring::{KeyId, Vault};
use crate::store::access::Access;
use crate::store::copy::emptied;
use crate::store::driver::{Driver as _, first};
use crate::store::engine::{InitialContent, Store};
use crate::store::identity::Identity;
use crate::store::lock_scope::LockScope;
use crate::store::postgres::address::Address;
use crate::store::postgres::begin::{Purpose, SearchPath};
use crate::store::postgres::connection::PgConnection;
use crate::store::postgres::driver::PostgresDriver;
use crate::store::postgres::schema::{SchemaState, StoreRow};
use crate::store::read_tx::ReadTx;
use crate::store::write_tx::WriteTx;

/// Only one process may create or migrate a schema at a time. The lock's number is fixed.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(120261122)::text";

/// For how long changes go by one comparison of the schema.
const COMPARISON_HOLDS: Duration = Duration::from_secs(5);

/// Without them a commit may not outlive a crash of the machine, or a page may be half written.
const SETTINGS_OFF: &str = "SELECT name FROM pg_catalog.pg_settings \
    WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";

/// An open PostgreSQL store.
pub struct Postgres {
    connection: PgConnection,
    identity: Identity,
    /// The server's time when the store was opened.
    clock: Option<Timestamp>,
    /// When the schema was compared last.
    compared_at: Instant,
}

/// Opens an existing store.
///
/// `store_unavailable` when the server or the store is missing, `not_permitted` when the login fails,
/// `damaged`, `tampered` or `config` for one with another schema.
pub fn open(address: &Address, access: Access, policy: &FilePolicy) -> Result<Postgres> {
    let connection = PgConnection::new(address, access, policy)?;
    let compared_at = Instant::now();
    let (identity, clock) = identity(compare(&connection)?)?;
    Ok(Postgres { connection, identity, clock, compared_at })
}

/// Compares the schema, and reads which store it is.
fn compare(connection: &PgConnection) -> Result<StoreRow> {
    schema::check(&mut PostgresDriver::begin(connection, Purpose::Inspect)?)
}

/// Whether there is a store in the database.
pub fn exists(address: &Address, policy: &FilePolicy) -> Result<bool> {
    let connection = PgConnection::new(address, Access::Read, policy)?;
    has_store(&mut PostgresDriver::begin(&connection, Purpose::Inspect)?)
}

/// A second store in another schema is made only where the address names that schema.
fn has_store(driver: &mut PostgresDriver<'_>) -> Result<bool> {
    match schema::inspect(driver)? {
        SchemaState::Ours(_) => Ok(true),
        SchemaState::Elsewhere(name) if !driver.schema().is_named => {
            Err(schema::elsewhere(&name).into())
        }
        SchemaState::Elsewhere(_) | SchemaState::Nothing => Ok(false),
    }
}

/// Creates a store; `false` when one exists already, which is left unchanged.
pub fn create(
    address: &Address,
    policy: &FilePolicy,
    vault: &Vault,
    content: InitialContent<'_>,
) -> Result<bool> {
    let connection = PgConnection::new(address, Access::Write, policy)?;
    let mut driver = begin_migration(&connection)?;
    if has_store(&mut driver)? {
        return Ok(false);
    }
    schema::check_encoding(&mut driver)?;
    driver.expect_bulk()?;
    schema::migrate(&mut driver, 0)?;
    let mut tx = WriteTx::new(Box::new(driver), vault, LockScope::Store);
    content(&mut tx)?;
    schema::record_version(&mut *tx.driver)?;
    tx.commit()?;
    Ok(true)
}

/// Migrates an older schema in one transaction; `false` when it was up to date.
pub fn migrate(address: &Address, policy: &FilePolicy) -> Result<bool> {
    let connection = PgConnection::new(address, Access::Write, policy)?;
    let mut driver = begin_migration(&connection)?;
    let version = match schema::inspect(&mut driver)? {
        SchemaState::Ours(store) if store.version < schema::VERSION => store.version,
        _ => {
            schema::check(&mut driver)?;
            return Ok(false);
        }
    };
    driver.expect_bulk()?;
    driver.search(SearchPath::Tables)?;
    driver.lock_exclusively()?;
    schema::migrate(&mut driver, version)?;
    schema::record_version(&mut driver)?;
    driver.search(SearchPath::Catalog)?;
    schema::check(&mut driver)?;
    Box::new(driver).commit()?;
    Ok(true)
}

fn begin_migration(connection: &PgConnection) -> Result<PostgresDriver<'_>> {
    let mut driver = PostgresDriver::begin(connection, Purpose::Migrate)?;
    first(&mut driver, MIGRATION_LOCK, &[], |_| Ok(()))?;
    Ok(driver)
}

fn identity(store: StoreRow) -> Result<(Identity, Option<Timestamp>)> {
    let id = store.id.and_then(|id| id.try_into().ok()).map(Id::new);
    let key = store.key_id.and_then(|id| id.try_into().ok()).map(KeyId);
    let clock = store.clock.map(Timestamp::from_unix).transpose()?;
    let identity = id.zip(key).map(|(store, key)| Identity { store, key });
    identity
        .map(|identity| (identity, clock))
        .ok_or_else(|| Refusal::damaged("its identity is missing").hint("restore a backup").into())
}

impl Store for Postgres {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn clock(&self) -> Option<Timestamp> {
        self.clock
    }

    fn settings_off(&mut self) -> Result<Option<Vec<String>>> {
        let mut off = Vec::new();
        PostgresDriver::begin(&self.connection, Purpose::Inspect)?.query(
            SETTINGS_OFF,
            &[],
            &mut |row| {
                off.extend(row.text(0)?);
                Ok(true)
            },
        )?;
        Ok(Some(off))
    }

    fn is_there(&self) -> bool {
        !self.connection.client.is_closed()
    }

    fn begin_scope<'a>(&'a mut self, vault: &'a Vault, scope: LockScope) -> Result<WriteTx<'a>> {
        // A co-process keeps its store open for days.
        if self.compared_at.elapsed() > COMPARISON_HOLDS {
            compare(&self.connection)?;
            self.compared_at = Instant::now();
        }
        Ok(WriteTx::new(Box::new(PostgresDriver::write(&self.connection, scope)?), vault, scope))
    }

    fn begin_again<'a>(
        &'a mut self,
        vault: &'a Vault,
        scope: LockScope,
    ) -> Result<Option<WriteTx<'a>>> {
        let driver = PostgresDriver::write_again(&self.connection, scope)?;
        Ok(driver.map(|driver| WriteTx::new(Box::new(driver), vault, scope)))
    }

    fn replace_all<'a>(&'a mut self, vault: &'a Vault, head: &Head) -> Result<WriteTx<'a>> {
        let driver = PostgresDriver::begin(&self.connection, Purpose::Change)?;
        emptied(Box::new(driver), vault, head)
    }

    fn read(&mut self) -> Result<ReadTx<'_>> {
        Ok(ReadTx { driver: Box::new(PostgresDriver::begin(&self.connection, Purpose::Read)?) })
    }
}
