//! The schema of the PostgreSQL store: numbered migrations, and the comparison with what they make.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::domain::hint::{Hint, command};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, shown};
use crate::store::driver::{Driver, first};
use crate::store::postgres::begin::{Purpose, Schema, SearchPath};
use crate::store::postgres::driver::{ListQuery, PostgresDriver};
use crate::store::postgres::errors::no_such_schema;
use crate::store::postgres::pipeline::Parameter;
use crate::store::row::{Row, Value};

/// In order, one statement a line; their count is the version of the schema.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema/postgres/0001.sql"),
    include_str!("../schema/postgres/0002.sql"),
    include_str!("../schema/postgres/0003.sql"),
    include_str!("../schema/postgres/0004.sql"),
    include_str!("../schema/postgres/0005.sql"),
    include_str!("../schema/postgres/0006.sql"),
    include_str!("../schema/postgres/0007.sql"),
    include_str!("../schema/postgres/0008.sql"),
    include_str!("../schema/postgres/0009.sql"),
    include_str!("../schema/postgres/0010.sql"),
    include_str!("../schema/postgres/0011.sql"),
    include_str!("../schema/postgres/0012.sql"),
];

/// Stands in the expected texts for the name of the schema, where the server shows it.
const SCHEMA: &str = "{schema}";

/// What `contrib/postgres-roles.sql` adds, where it was run.
const SERVICE_ACTS: &str = "events.events_by_services CHECK (((verb = ANY (ARRAY['verify'::text, \
    'sign-in'::text, 'notify'::text])) OR has_table_privilege(('{schema}.users'::regclass)::oid, 'INSERT'::text)))";

/// The version that this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

/// Everything that could change what our statements read or write, in one round trip: `part` is ours and must
/// be as the migrations make it, `changed` and `foreign` must not be there. A part of the system's catalogs that
/// only a superuser can edit is not looked at.
const PARTS: &str = include_str!("schema_parts.sql");

const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// The store, once its schema is known.
#[derive(Debug, Default)]
pub struct StoreRow {
    pub version: i64,
    pub id: Option<Vec<u8>>,
    pub key_id: Option<Vec<u8>>,
    /// The server's time.
    pub clock: Option<i64>,
}

/// The schema that a database contains.
#[derive(Debug)]
pub enum SchemaState {
    Nothing,
    /// None here, but a store in another schema of this name.
    Elsewhere(String),
    Ours(StoreRow),
}

/// What the comparison found.
#[derive(Default)]
struct Findings {
    parts: BTreeSet<String>,
    changed: Option<String>,
    foreign: Option<String>,
    elsewhere: Option<String>,
    /// The schema of the store as the server shows it in a definition, with quotes where it needs them.
    schema: Option<String>,
}

/// Determines which schema the database contains. `damaged` for another program's tables, `tampered` for
/// our schema with objects added, missing or altered. Names must be looked up in the catalog alone.
pub fn inspect(driver: &mut PostgresDriver<'_>) -> Result<SchemaState> {
    let (mut found, mut store) = (Findings::default(), StoreRow::default());
    let (parts, row_of_store) = (PARTS.to_owned(), store_query(driver.schema()));
    let name = [Parameter::One(Value::Text(driver.schema().name.clone()))];
    let both: [ListQuery<'_>; 2] = [(&parts, &name), (&row_of_store, &[])];
    // Where nothing is made after this, both go in one message; the second one fails where there is no store.
    let (now, later) = both.split_at(if driver.purpose == Purpose::Inspect { 2 } else { 1 });
    let mut visit = |n: usize, row: &dyn Row| {
        if n == 0 { found.read(row) } else { store.read(row) }.map(|()| true)
    };
    let mut results = driver.exchange(now, &mut visit)?.into_iter();
    results.next().transpose()?;
    let read_store = results.next();
    if found.parts.is_empty() && found.foreign.is_none() {
        if found.schema.is_none() {
            return Err(no_such_schema().into());
        }
        return Ok(found.elsewhere.map_or(SchemaState::Nothing, SchemaState::Elsewhere));
    }
    if !found.parts.iter().any(|line| line.starts_with("store.schema_version ")) {
        return Err(Refusal::new(
            ErrorCode::Damaged,
            "the database contains another program's tables",
        )
        .hint("give mfactl a database of its own: createdb mfactl")
        .into());
    }
    if let Some(read) = read_store {
        read?;
    } else {
        let read = driver.exchange(later, &mut |_, row| store.read(row).map(|()| true))?;
        read.into_iter().collect::<Result<()>>()?;
    }
    if store.version == VERSION {
        found.check()?;
    }
    Ok(SchemaState::Ours(store))
}

impl Findings {
    /// Takes in a row of [`PARTS`].
    fn read(&mut self, row: &dyn Row) -> Result<()> {
        let Some(line) = row.text(1)? else { return Ok(()) };
        match row.text_ref(0)? {
            Some("part") => drop(self.parts.insert(line)),
            Some("changed") => self.changed = Some(line),
            Some("foreign") => self.foreign = Some(line),
            Some("elsewhere") => self.elsewhere = Some(line),
            _ => self.schema = Some(line),
        }
        Ok(())
    }

    /// `tampered` for the first difference.
    fn check(&self) -> Result<()> {
        if let Some(other) = &self.foreign {
            return Err(altered(&format!("{} is not ours", quoted(other))));
        }
        if let Some(changed) = &self.changed {
            return Err(altered(&shown(changed)));
        }
        // Only what is expected is rewritten, never what is there: a name of this schema where none belongs is an
        // object that takes the place of one of the server's own.
        let schema = self.schema.as_deref().unwrap_or_default();
        let expected: Vec<String> = expected().map(|line| line.replace(SCHEMA, schema)).collect();
        let service_acts = SERVICE_ACTS.replace(SCHEMA, schema);
        let is_known = |line: &String| expected.contains(line) || *line == service_acts;
        if let Some(odd) = self.parts.iter().find(|line| !is_known(line)) {
            return Err(altered(&format!("{} differs from what mfactl created", quoted(odd))));
        }
        if let Some(missing) = expected.iter().find(|line| !self.parts.contains(*line)) {
            return Err(altered(&format!("{} is missing", quoted(missing))));
        }
        Ok(())
    }
}

impl StoreRow {
    /// Takes in the row of [`store_query`].
    fn read(&mut self, row: &dyn Row) -> Result<()> {
        *self = Self {
            version: row.int(0)?.unwrap_or_default(),
            id: row.bytes(1)?,
            key_id: row.bytes(2)?,
            clock: row.int(3)?,
        };
        Ok(())
    }
}

fn store_query(schema: &Schema) -> String {
    format!(
        "SELECT schema_version, id, key_id, extract(epoch FROM clock_timestamp())::bigint FROM {}",
        schema.table("store")
    )
}

/// What the migrations make, with `SCHEMA`: columns, then the rest.
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
pub fn check(driver: &mut PostgresDriver<'_>) -> Result<StoreRow> {
    let version = match inspect(driver)? {
        SchemaState::Ours(store) if store.version == VERSION => return Ok(store),
        SchemaState::Ours(store) => store.version,
        SchemaState::Elsewhere(name) => return Err(elsewhere(&name).into()),
        SchemaState::Nothing => {
            return Err(Refusal::new(
                ErrorCode::StoreUnavailable,
                "there is no store in this database",
            )
            .hint(command("init").after("create one with: "))
            .into());
        }
    };
    let (problem, hint) = if version > VERSION {
        (
            format!(
                "the store is newer than this program: schema {version}, known up to {VERSION}"
            ),
            Hint::from("use the mfactl that wrote it, or a newer one"),
        )
    } else {
        (
            format!("the store is older than this program: schema {version} of {VERSION}"),
            command("init").flag("--migrate").after("update it with: "),
        )
    };
    Err(Refusal::new(ErrorCode::Config, problem).hint(hint).into())
}

/// The refusal for an address that does not name the schema of the store.
pub fn elsewhere(name: &str) -> Refusal {
    let message = format!("the store of this database is in the schema {}", quoted(name));
    Refusal::new(ErrorCode::StoreUnavailable, message)
        .hint("add schema=NAME to --store: postgres://host/database?schema=NAME")
}

/// Runs the migrations after version `from`.
pub fn migrate(driver: &mut PostgresDriver<'_>, from: i64) -> Result<()> {
    driver.search(SearchPath::Tables)?;
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
