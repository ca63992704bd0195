//! An older copy of the store's tables, for somebody who writes the database without the key.

use crate::testing::{Engine, World};

/// A copy of the tables, from which rows are put back.
pub struct Copy<'w> {
    pub world: &'w World,
    name: &'static str,
}

/// The tables that are copied.
const TABLES: [&str; 7] =
    ["users", "devices", "tokens", "events", "requests", "audit_head", "log_start"];

impl<'w> Copy<'w> {
    pub fn of(world: &'w World) -> Self {
        Self::named(world, "copy")
    }

    /// One of several.
    pub fn named(world: &'w World, name: &'static str) -> Self {
        let copy = Self { world, name };
        for table in TABLES {
            copy.sql(&format!(
                "DROP TABLE IF EXISTS copy.{table}; CREATE TABLE copy.{table} AS SELECT * FROM {table}"
            ));
        }
        copy
    }

    /// Runs SQL that can name the tables of the copy as `copy.TABLE`.
    pub fn sql(&self, sql: &str) {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The same, with the database's error.
    pub fn try_sql(&self, sql: &str) -> Result<(), String> {
        let name = self.name;
        let sql = if self.world.engine.is_postgres() {
            let sql = sql.replace("copy.", &format!("{name}."));
            format!("CREATE SCHEMA IF NOT EXISTS {name}; {sql}")
        } else {
            let path = self.world.folder.path().join(format!("{name}.db"));
            format!("ATTACH '{}' AS copy; {sql}", path.display())
        };
        self.world.engine.try_sql(&sql).map(drop)
    }

    /// What a query finds, of the store or, as `copy.TABLE`, of the copy.
    pub fn query(&self, sql: &str) -> String {
        let name = self.name;
        if self.world.engine.is_postgres() {
            self.world.sql(&sql.replace("copy.", &format!("{name}.")))
        } else if sql.contains("copy.") {
            let path = self.world.folder.path().join(format!("{name}.db"));
            Engine::Sqlite(path).sql(&sql.replace("copy.", ""))
        } else {
            self.world.sql(sql)
        }
    }

    /// Puts every row back: the store goes on from its state at the copy.
    pub fn put_all_back(&self) {
        for table in TABLES.into_iter().rev() {
            self.sql(&format!("DELETE FROM {table}"));
        }
        for table in TABLES {
            self.sql(&format!("INSERT INTO {table} SELECT * FROM copy.{table}"));
        }
    }

    /// Puts the rows of one user back.
    pub fn put_back(&self, user: &str) {
        let id = format!("(SELECT n FROM copy.users WHERE name = '{user}')");
        self.sql(&format!(
            "DELETE FROM devices WHERE \"user\" = {id}; DELETE FROM users WHERE n = {id}; \
             INSERT INTO users SELECT * FROM copy.users WHERE n = {id}; \
             INSERT INTO devices SELECT * FROM copy.devices WHERE \"user\" = {id}"
        ));
    }
}
