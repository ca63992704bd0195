//! Compares each index with its table: an index that somebody made stale hides rows from whatever asks through it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use anyhow::Result;

use crate::store::driver::{Driver, Route};

/// An index on a table.
struct Index {
    /// Its name in SQLite, where the number of a row needs none.
    sqlite: Option<&'static str>,
    column: &'static str,
    /// Rows without a value are not in the index.
    is_partial: bool,
}

const fn index(sqlite: &'static str, column: &'static str) -> Index {
    Index { sqlite: Some(sqlite), column, is_partial: false }
}

const fn partial_index(sqlite: &'static str, column: &'static str) -> Index {
    Index { is_partial: true, ..index(sqlite, column) }
}

/// The primary key.
const fn numbers(column: &'static str) -> Index {
    Index { sqlite: None, column, is_partial: false }
}

/// A table, the column that numbers its rows, and its indexes, each with the column that it begins with.
struct IndexedTable {
    name: &'static str,
    row: &'static str,
    indexes: &'static [Index],
}

const TABLES: &[IndexedTable] = &[
    IndexedTable {
        name: "users",
        row: "n",
        indexes: &[
            numbers("n"),
            index("sqlite_autoindex_users_1", "id"),
            index("sqlite_autoindex_users_2", "name"),
            index("users_created_at", "created_at"),
            partial_index("users_required_from", "required_from"),
        ],
    },
    IndexedTable {
        name: "devices",
        row: "n",
        indexes: &[
            numbers("n"),
            index("sqlite_autoindex_devices_1", "id"),
            index("devices_of_user", "\"user\""),
            partial_index("devices_serial", "serial"),
        ],
    },
    IndexedTable {
        name: "tokens",
        row: "n",
        indexes: &[
            numbers("n"),
            index("sqlite_autoindex_tokens_1", "id"),
            index("sqlite_autoindex_tokens_2", "folded"),
            index("sqlite_autoindex_tokens_3", "fingerprint"),
        ],
    },
    IndexedTable {
        name: "events",
        row: "seq",
        indexes: &[
            numbers("seq"),
            partial_index("events_of_user", "user_id"),
            partial_index("events_of_token", "token_id"),
            index("events_at", "at"),
        ],
    },
    IndexedTable {
        name: "requests",
        row: "n",
        indexes: &[numbers("n"), index("sqlite_autoindex_requests_1", "id")],
    },
];

/// Reads every table, then every index of it in order, and returns what is wrong with the first index that does not
/// lead to each row once, in its order.
pub fn check_indexes(driver: &mut dyn Driver) -> Result<Option<String>> {
    // Nobody who writes the database knows the key of this hash, so nobody can make two sets of rows equal.
    let key = RandomState::new();
    for IndexedTable { name, row: number, indexes } in TABLES {
        let columns: Vec<&str> = indexes.iter().map(|index| index.column).collect();
        let mut expected = vec![0_u64; columns.len()];
        let from = driver.route(Route::Table)?.unwrap_or_default();
        let sql = format!("SELECT {number}, {} FROM {name}{from}", columns.join(", "));
        let (mut at, mut value) = (Vec::new(), Vec::new());
        driver.query(&sql, &[], &mut |row| {
            row.put_sortable(0, &mut at)?;
            for ((n, sum), index) in (1..).zip(&mut expected).zip(*indexes) {
                row.put_sortable(n, &mut value)?;
                if !index.is_partial || !value.is_empty() {
                    add(sum, &key, &value, &at);
                }
            }
            Ok(true)
        })?;
        for (index, expected) in indexes.iter().zip(expected) {
            let Some(from) = driver.route(Route::Index(index.sqlite))? else { continue };
            let Index { column, is_partial, .. } = index;
            let only =
                if *is_partial { format!(" WHERE {column} IS NOT NULL") } else { String::new() };
            let sql =
                format!("SELECT {column}, {number} FROM {name}{from}{only} ORDER BY {column}");
            let (mut sum, mut last, mut is_ordered) = (0, Vec::new(), true);
            driver.query(&sql, &[], &mut |row| {
                row.put_sortable(0, &mut value)?;
                row.put_sortable(1, &mut at)?;
                add(&mut sum, &key, &value, &at);
                is_ordered &= last <= value;
                std::mem::swap(&mut last, &mut value);
                Ok(true)
            })?;
            if sum != expected || !is_ordered {
                let column = column.trim_matches('"');
                return Ok(Some(format!(
                    "the index of {name} by {column} does not agree with the table: it was altered outside of mfactl"
                )));
            }
        }
    }
    Ok(None)
}

/// Adds a row to the sum of the hashes of a set of rows, whatever their order.
fn add(sum: &mut u64, key: &RandomState, value: &[u8], number: &[u8]) {
    let mut hasher = key.build_hasher();
    hasher.write_usize(value.len());
    hasher.write(value);
    hasher.write(number);
    *sum = sum.wrapping_add(hasher.finish());
}
