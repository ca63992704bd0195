//! The schema of the PostgreSQL store: numbered migrations in the current schema of the database.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, shown};
use crate::store::driver::{Driver, first};
use crate::store::row::Value;

/// In order, one statement a line; their count is the version of the schema.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema/postgres/0001.sql"),
    include_str!("../schema/postgres/0002.sql"),
    include_str!("../schema/postgres/0003.sql"),
    include_str!("../schema/postgres/0004.sql"),
    include_str!("../schema/postgres/0005.sql"),
];

/// The version that this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

/// Foreign objects in the schema that could change what our tables store, or take their place.
const FOREIGN: &str = "SELECT kind || ' ' || name FROM ( \
    SELECT 'relation' AS kind, c.relname::text AS name FROM pg_class c \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind NOT IN ('r', 'i', 'S') \
    UNION ALL SELECT 'trigger', t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal \
    UNION ALL SELECT 'rule', r.rulename::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class \
        WHERE c.relnamespace = current_schema()::regnamespace \
    UNION ALL SELECT 'policy', p.polname::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid \
        WHERE c.relnamespace = current_schema()::regnamespace) AS other LIMIT 1";

/// Every column, constraint and index of every table, one a line, in one round trip.
const PARTS: &str = "SELECT c.relname || '.' || a.attname || ' ' \
        || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' \
        AND a.attnum > 0 AND NOT a.attisdropped \
    UNION ALL SELECT c.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) \
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
    WHERE c.relnamespace = current_schema()::regnamespace AND k.contype <> 'n' \
    UNION ALL SELECT c.relname || '.' || i.relname || ' ' || pg_get_indexdef(i.oid, 0, true) \
        || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END \
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT x.indisprimary";

const ENCODING: &str = "SELECT current_setting('server_encoding')";

const TABLES: &str = "SELECT count(*) FROM pg_class c \
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v', 'm', 'f', 'p')";

const VERSION_OF_STORE: &str = "SELECT schema_version FROM store";

/// The schema that a database contains.
#[derive(Debug, PartialEq, Eq)]
pub enum SchemaState {
    Nothing,
    /// Ours, with its version.
    Ours(i64),
}

/// Determines which schema the database contains. `damaged` for another program's tables, `tampered` for
/// our schema with objects added, missing or altered.
pub fn inspect(driver: &mut dyn Driver) -> Result<SchemaState> {
    let tables = first(driver, TABLES, &[], |row| row.int(0))?.flatten().unwrap_or_default();
    if tables == 0 {
        return Ok(SchemaState::Nothing);
    }
    let mut found = BTreeSet::new();
    driver.query(PARTS, &[], &mut |row| {
        found.extend(row.text(0)?);
        Ok(true)
    })?;
    if !found.iter().any(|line| line.starts_with("store.schema_version ")) {
        return Err(Refusal::new(
            ErrorCode::Damaged,
            "the database contains another program's tables",
        )
        .hint("give mfactl a database of its own: createdb mfactl")
        .into());
    }
    let version = first(driver, VERSION_OF_STORE, &[], |row| row.int(0))?.flatten().unwrap_or(0);
    if version == VERSION {
        if let Some(other) = first(driver, FOREIGN, &[], |row| row.text(0))?.flatten() {
            return Err(altered(&format!("{} is not ours", quoted(&other))));
        }
        if let Some(odd) = found.iter().find(|line| expected().all(|e| e != *line)) {
            return Err(altered(&format!("{} differs from what mfactl created", quoted(odd))));
        }
        if let Some(missing) = expected().find(|line| !found.contains(*line)) {
            return Err(altered(&format!("{} is missing", quoted(missing))));
        }
    }
    Ok(SchemaState::Ours(version))
}

/// What the migrations make: columns, then constraints and indexes.
fn expected() -> impl Iterator<Item = &'static str> {
    let columns = include_str!("../schema/postgres/columns.txt").lines();
    columns.chain(include_str!("../schema/postgres/constraints.txt").lines())
}

/// Refuses a database whose encoding can't store every name.
pub fn check_encoding(driver: &mut dyn Driver) -> Result<()> {
    let encoding = first(driver, ENCODING, &[], |row| row.text(0))?.flatten().unwrap_or_default();
    if encoding == "UTF8" {
        return Ok(());
    }
    let message = format!("the database has the encoding {} instead of UTF8", shown(&encoding));
    Err(Refusal::new(ErrorCode::Config, message)
        .hint("create another one with: createdb -E UTF8 -T template0 NAME")
        .into())
}

/// Refuses every schema but ours of this version: `store_unavailable` when there is none, `config` for an
/// older or newer version.
pub fn check(driver: &mut dyn Driver) -> Result<()> {
    match inspect(driver)? {
        SchemaState::Ours(VERSION) => Ok(()),
        SchemaState::Nothing => {
            Err(Refusal::new(ErrorCode::StoreUnavailable, "there is no store in this database")
                .hint("create one with: mfactl init")
                .into())
        }
        SchemaState::Ours(version) if version > VERSION => Err(Refusal::new(
            ErrorCode::Config,
            format!(
                "the store is newer than this program: schema {version}, known up to {VERSION}"
            ),
        )
        .hint("use the mfactl that wrote it, or a newer one")
        .into()),
        SchemaState::Ours(version) => Err(Refusal::new(
            ErrorCode::Config,
            format!("the store is older than this program: schema {version} of {VERSION}"),
        )
        .hint("update it with: mfactl init --migrate")
        .into()),
    }
}

/// Runs the migrations after version `from`.
pub fn migrate(driver: &mut dyn Driver, from: i64) -> Result<()> {
    for statement in MIGRATIONS.iter().skip(usize::try_from(from)?).flat_map(|m| m.lines()) {
        driver.execute(statement, &[])?;
    }
    Ok(())
}

/// Stores the present schema version.
pub fn record_version(driver: &mut dyn Driver) -> Result<()> {
    driver.execute("UPDATE store SET schema_version = $1", &[Value::Int(VERSION)]).map(|_| ())
}

fn altered(what: &str) -> anyhow::Error {
    Refusal::new(ErrorCode::Tampered, format!("the schema of the store was altered: {what}"))
        .hint("restore a backup, and find out who can write to the store")
        .into()
}
