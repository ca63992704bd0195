//! The message that begins a transaction, with every setting that the transaction relies on.
//!
//! A role, a database, a connection pooler and whoever used the connection before can leave other settings.
//! So each transaction sets its own, in the message with its `BEGIN`, which costs no round trip. Nothing is sent as a
//! start-up option, which a pooler would drop or refuse.

use std::time::Duration;

use crate::store::access::Access;

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Comparing the schema, and reading which store it is.
    Inspect,
    /// Creating or migrating the schema.
    Migrate,
    Read,
    Change,
}

/// The schema of the tables, as SQL text.
#[derive(Clone, Debug)]
pub struct Schema {
    pub name: String,
    /// Whether the address names it.
    pub is_named: bool,
    quoted: String,
}

/// In which order the server looks for a name without a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SearchPath {
    /// The server's own objects alone. Catalogs are compared under this one, so that no object of another
    /// schema answers a question about them.
    Catalog,
    /// The server's own objects, then the tables. Without being named, `pg_catalog` comes first; a temporary
    /// table would come before it if `pg_temp` were not named.
    Tables,
}

/// Without one, the address means this.
const DEFAULT_SCHEMA: &str = "public";

/// What the text of definitions and the meaning of statements depend on. A policy makes a statement fail
/// instead of hiding rows from it. JIT compilation takes longer than most queries here.
const MEANING: &str = "SET LOCAL row_security = off; SET LOCAL quote_all_identifiers = off; \
                       SET LOCAL jit = off";

/// A commit waits for the disk, and for a standby where the server has a synchronous one; a stronger setting
/// is kept. A warning says that it did not.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', true) \
                           WHERE current_setting('synchronous_commit') <> 'remote_apply'; \
                       SET LOCAL client_min_messages = warning";

/// For a change. The server's limits are shorter than ours, so that the error is the server's and names the
/// reason.
struct ServerLimits {
    statement: u16,
    lock: u16,
    /// After which the server undoes the transaction of a process that was stopped and holds the write lock.
    idle: u16,
}

/// No limit of a role, of a database or of whoever used the session before ends the transaction: not even in the
/// rest of the message, which is why this comes first. Servers before PostgreSQL 17 do not have the last one. No
/// operator is in this, because the search path is not set yet.
const UNLIMITED: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
     SELECT pg_catalog.set_config('transaction_timeout', '0', true) \
         WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL";

const OPERATOR: ServerLimits = ServerLimits { statement: 2700, lock: 2500, idle: 10_000 };
const LOGIN: ServerLimits = ServerLimits { statement: 1400, lock: 1200, idle: 2000 };

impl Schema {
    pub fn new(name: Option<&str>) -> Self {
        let is_named = name.is_some();
        let name = name.unwrap_or(DEFAULT_SCHEMA).to_owned();
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        Self { name, is_named, quoted }
    }

    /// A table, so that no search path matters.
    pub fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.quoted)
    }

    pub fn search_path(&self, path: SearchPath) -> String {
        match path {
            SearchPath::Catalog => "SET LOCAL search_path = pg_catalog, pg_temp".to_owned(),
            SearchPath::Tables => format!("SET LOCAL search_path = {}, pg_temp", self.quoted),
        }
    }
}

/// The message.
pub fn begin(purpose: Purpose, access: Access, schema: &Schema) -> String {
    // Read committed: the statements after the lock must see what other writers committed before it.
    let (mode, path) = match purpose {
        Purpose::Inspect => ("REPEATABLE READ READ ONLY", SearchPath::Catalog),
        Purpose::Migrate => ("READ COMMITTED READ WRITE", SearchPath::Catalog),
        Purpose::Read => ("REPEATABLE READ READ ONLY", SearchPath::Tables),
        Purpose::Change => ("READ COMMITTED READ WRITE", SearchPath::Tables),
    };
    let mut message = format!(
        "BEGIN ISOLATION LEVEL {mode}; {UNLIMITED}; {}; {MEANING}; {}",
        schema.search_path(path),
        limits(purpose, access)
    );
    if matches!(purpose, Purpose::Migrate | Purpose::Change) {
        message.push_str("; ");
        message.push_str(DURABLE);
    }
    message
}

fn limits(purpose: Purpose, access: Access) -> String {
    let limits = if access == Access::Login { LOGIN } else { OPERATOR };
    let ServerLimits { statement, lock, idle } = limits;
    let is_look = match purpose {
        Purpose::Read => access != Access::Login,
        Purpose::Inspect => access == Access::Read,
        Purpose::Migrate | Purpose::Change => false,
    };
    // Whoever only looks waits for no other, but may have a long list to sort: the client has a deadline of its own.
    if is_look {
        return format!("SET LOCAL lock_timeout = {lock}");
    }
    format!(
        "SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; \
         SET LOCAL idle_in_transaction_session_timeout = {idle}"
    )
}

/// The limits of a transaction that begins again in what is left of its time.
pub fn remaining_limits(left: Duration) -> String {
    let left = left.as_millis();
    format!("SET LOCAL statement_timeout = {left}; SET LOCAL lock_timeout = {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_schema_can_not_end_its_quotes() {
        let schema = Schema::new(Some("a\"; DROP SCHEMA public; --"));
        assert_eq!(schema.table("users"), "\"a\"\"; DROP SCHEMA public; --\".users");
        let path = Schema::new(None).search_path(SearchPath::Tables);
        assert_eq!(path, "SET LOCAL search_path = \"public\", pg_temp");
    }
}
