//! The database of a test: SQLite, or PostgreSQL with `MFACTL_TEST_ENGINE=postgres`, where
//! `MFACTL_TEST_POSTGRES` names the server as `socket directory:port:user`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// The location of one store, with direct access to the database.
pub enum Engine {
    Sqlite(PathBuf),
    Postgres { server: Server, database: String },
}

#[derive(Clone)]
pub struct Server {
    folder: String,
    port: String,
    user: String,
}

/// How many databases this process has created.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Databases of earlier tests, emptied: that takes a tenth of the time that a new one takes.
static EMPTY: Mutex<Vec<String>> = Mutex::new(Vec::new());

const MAKE_EMPTY: &str = "SET lock_timeout = '5s'; SET client_min_messages = error; \
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid(); \
    DO $$ DECLARE name text; BEGIN \
        FOR name IN SELECT nspname FROM pg_namespace \
            WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' \
        LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP; END $$; \
    CREATE SCHEMA public AUTHORIZATION pg_database_owner";

impl Engine {
    /// A file below the directory, or a new database.
    pub fn new(folder: &Path) -> Self {
        if std::env::var_os("MFACTL_TEST_ENGINE").is_none_or(|engine| engine != "postgres") {
            return Self::Sqlite(folder.join("store/mfactl.db"));
        }
        let text = std::env::var("MFACTL_TEST_POSTGRES").expect("the server to test with");
        let [folder, port, user] = text.split(':').collect::<Vec<_>>()[..] else {
            panic!("MFACTL_TEST_POSTGRES={text} is not folder:port:user");
        };
        let server = Server { folder: folder.into(), port: port.into(), user: user.into() };
        if let Some(database) = EMPTY.lock().expect("the list").pop() {
            return Self::Postgres { server, database };
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = format!("mfactl_{}_{count}", std::process::id());
        server.psql("postgres", &[format!("CREATE DATABASE {database}")]).expect("a new database");
        Self::Postgres { server, database }
    }

    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// The value for `--store`.
    pub fn location(&self) -> PathBuf {
        match self {
            Self::Sqlite(path) => path.clone(),
            Self::Postgres { server: Server { folder, port, user }, database } => {
                let folder = folder.replace('/', "%2F");
                format!("postgres://{user}@{folder}:{port}/{database}").into()
            }
        }
    }

    /// Runs SQL without mfactl; returns a line a row, with `|` between columns.
    pub fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, with the database's error.
    pub fn try_sql(&self, sql: &str) -> Result<String, String> {
        self.try_each(&[sql])
    }

    /// Runs several statements in one process: starting psql costs more than most of them.
    pub fn sql_each(&self, statements: &[impl AsRef<str>]) -> String {
        self.try_each(statements).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_each(&self, statements: &[impl AsRef<str>]) -> Result<String, String> {
        match self {
            Self::Postgres { server, database } => server.psql(database, statements),
            Self::Sqlite(path) => {
                let each = statements.iter().map(|sql| sqlite(path, sql.as_ref()));
                let each: Result<Vec<_>, _> = each.collect();
                each.map(|results| results.join("\n")).map_err(|error| error.to_string())
            }
        }
    }

    /// An SQL expression for another value of a column's type, also where the column is NULL.
    pub fn another(&self, table: &str, column: &str) -> String {
        if !self.is_postgres() {
            return format!(
                "CASE typeof(\"{column}\") WHEN 'integer' THEN \"{column}\" + 1 \
                 WHEN 'text' THEN \"{column}\" || 'x' \
                 WHEN 'blob' THEN zeroblob(max(1, length(\"{column}\"))) ELSE 1 END"
            );
        }
        let columns = include_str!("../store/schema/postgres/columns.txt");
        let start = format!("{table}.{column} ");
        let column_type =
            columns.lines().find_map(|line| line.strip_prefix(&start)).expect("a column");
        match column_type.split(' ').next() {
            Some("bigint") => format!("coalesce(\"{column}\", 0) + 1"),
            Some("text") => format!("coalesce(\"{column}\", '') || 'x'"),
            _ => format!("decode(repeat('00', greatest(1, length(\"{column}\"))), 'hex')"),
        }
    }

    /// SQL for an id of sixteen zero bytes, which belongs to no user.
    pub const fn nobody(&self) -> &'static str {
        if self.is_postgres() { "decode(repeat('00', 16), 'hex')" } else { "zeroblob(16)" }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Self::Postgres { server, database } = self
            && server.psql(database, &[MAKE_EMPTY]).is_ok()
        {
            EMPTY.lock().expect("the list").push(std::mem::take(database));
        }
    }
}

impl Server {
    /// The folder of its socket, its port, its user.
    pub fn parts(&self) -> [&str; 3] {
        [&self.folder, &self.port, &self.user]
    }

    fn psql(&self, database: &str, statements: &[impl AsRef<str>]) -> Result<String, String> {
        let output = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", &self.folder])
            .args(["-p", &self.port, "-U", &self.user, "-d", database])
            .args(statements.iter().flat_map(|sql| ["-c", sql.as_ref()]))
            .output()
            .expect("psql");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8(output.stdout).expect("text").trim_end().to_owned())
    }
}

fn sqlite(path: &Path, sql: &str) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open(path)?;
    if !sql.starts_with("SELECT") {
        return connection.execute_batch(sql).map(|()| String::new());
    }
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(())?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |n| {
            Ok(match row.get_ref(n)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Real(n) => n.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
            })
        };
        let texts: rusqlite::Result<Vec<String>> = (0..columns).map(text).collect();
        lines.push(texts?.join("|"));
    }
    Ok(lines.join("\n"))
}
