//! The schema of the SQLite store: numbered migrations.

use anyhow::Result;
use rusqlite::Connection;

use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::store::sqlite::errors::store_error;

/// `application_id` in the header of the file: "mfac".
const APPLICATION: i64 = 0x6d66_6163;

/// In order, one statement a line; their count is the version of the schema.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema/sqlite/0001.sql"),
    include_str!("../schema/sqlite/0002.sql"),
    include_str!("../schema/sqlite/0003.sql"),
    include_str!("../schema/sqlite/0004.sql"),
    include_str!("../schema/sqlite/0005.sql"),
    include_str!("../schema/sqlite/0006.sql"),
    include_str!("../schema/sqlite/0007.sql"),
    include_str!("../schema/sqlite/0008.sql"),
    include_str!("../schema/sqlite/0009.sql"),
    include_str!("../schema/sqlite/0010.sql"),
    include_str!("../schema/sqlite/0011.sql"),
    include_str!("../schema/sqlite/0012.sql"),
];

/// The objects that the migrations make, as SQLite stores their SQL.
const OBJECTS: &str = include_str!("../schema/sqlite/objects.txt");

/// The version that this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

/// Runs the migrations after version `from`, which is 0 for an empty database.
pub fn migrate(connection: &Connection, from: i64) -> Result<()> {
    for migration in MIGRATIONS.iter().skip(usize::try_from(from)?) {
        connection.execute_batch(migration).map_err(store_error)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION).map_err(store_error)?;
    connection.pragma_update(None, "user_version", VERSION).map_err(store_error)
}

/// Refuses any other schema: another program's file, an older or newer version, and one in which a table,
/// index, view or trigger was added, removed or altered.
pub fn check(connection: &Connection) -> Result<()> {
    let version = version(connection)?;
    if version > VERSION {
        return Err(Refusal::new(
            ErrorCode::Config,
            format!(
                "the store is newer than this program: schema {version}, known up to {VERSION}"
            ),
        )
        .hint("use the mfactl that wrote it, or a newer one")
        .into());
    }
    if version < VERSION {
        return Err(Refusal::new(
            ErrorCode::Config,
            format!("the store is older than this program: schema {version} of {VERSION}"),
        )
        .hint(command("init").flag("--migrate").after("update it with: "))
        .into());
    }
    compare(connection)
}

/// The schema version of the file.
pub fn version(connection: &Connection) -> Result<i64> {
    let number = |pragma: &str| -> Result<i64> {
        connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(store_error)
    };
    if number("application_id")? != APPLICATION {
        return Err(Refusal::new(ErrorCode::Damaged, "the file is not an mfactl store")
            .hint(command("init").after("name another with --store, or move it away and run: "))
            .into());
    }
    number("user_version")
}

/// Compares in any order, because `VACUUM` changes it.
fn compare(connection: &Connection) -> Result<()> {
    let mut missing: Vec<&str> = OBJECTS.lines().collect();
    let mut objects = connection
        .prepare("SELECT sql, type, name FROM sqlite_schema WHERE sql IS NOT NULL")
        .map_err(store_error)?;
    let mut rows = objects.query(()).map_err(store_error)?;
    while let Some(row) = rows.next().map_err(store_error)? {
        let sql = row.get_ref(0).map_err(store_error)?.as_str().unwrap_or_default();
        let known = missing.iter().position(|line| *line == sql);
        let Some(known) = known else {
            let (kind, name): (String, String) =
                (row.get(1).map_err(store_error)?, row.get(2).map_err(store_error)?);
            return Err(altered(&format!(
                "{kind} {} differs from what mfactl created",
                quoted(&name)
            )));
        };
        missing.swap_remove(known);
    }
    if missing.is_empty() { Ok(()) } else { Err(altered("a table or an index is missing")) }
}

fn altered(what: &str) -> anyhow::Error {
    Refusal::new(ErrorCode::Tampered, format!("the schema of the store was altered: {what}"))
        .hint("restore a backup, and find out who can write to the store")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_make_the_recorded_objects() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, 0).unwrap();
        let mut made = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
            .unwrap();
        let made: Vec<String> =
            made.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(made.join("\n") + "\n", OBJECTS);
    }
}
