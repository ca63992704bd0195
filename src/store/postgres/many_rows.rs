//! Writes of many rows by one statement, which fails where it finds another number of rows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anyhow::{Result, bail, ensure};

use crate::store::postgres::pipeline::Parameter;
use crate::store::row::{EVENT_COLUMNS, Value};
use crate::store::row_write::{RowWrite, WriteKind};
use crate::store::table::{ColumnType, Table};

/// A statement and its values.
pub type Statement = (String, Vec<Parameter>);

static EVENT_TYPES: LazyLock<Types> = LazyLock::new(|| Types::of("events"));
static USER_TYPES: LazyLock<Types> = LazyLock::new(|| Types::of("users"));
static DEVICE_TYPES: LazyLock<Types> = LazyLock::new(|| Types::of("devices"));

/// Writes of one kind.
type Group = (WriteKind, Vec<Vec<Value>>);

/// The types of a table's columns.
struct Types(BTreeMap<&'static str, ColumnType>);

impl Types {
    fn of(name: &str) -> Self {
        let table = Table::all().find(|table| table.name == name);
        let columns = table.map(|table| table.columns().zip(table.types()).collect());
        Self(columns.unwrap_or_default())
    }

    fn of_column(&self, column: &str) -> ColumnType {
        self.0.get(column.trim_matches('"')).copied().unwrap_or(ColumnType::Bytes)
    }
}

/// The statements for these writes, in their order. Neighbours of one kind share a statement, and so do events and
/// updates with others of their kind as long as nothing else lies between them: no two of a set are about the same row.
pub fn statements(writes: Vec<RowWrite>) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for RowWrite { kind, values } in writes {
        if !has_array_form(&kind) {
            of_groups(&mut groups, &mut statements)?;
            statements.push(of_one(&kind, values));
        } else if let Some((_, rows)) = groups.iter_mut().find(|(known, _)| *known == kind) {
            rows.push(values);
        } else {
            groups.push((kind, vec![values]));
        }
    }
    of_groups(&mut groups, &mut statements)?;
    Ok(statements)
}

fn of_groups(groups: &mut Vec<Group>, statements: &mut Vec<Statement>) -> Result<()> {
    for group in groups.drain(..) {
        statements.push(of_group(group)?);
    }
    Ok(())
}

const fn has_array_form(kind: &WriteKind) -> bool {
    matches!(kind, WriteKind::NewEvent | WriteKind::User(_) | WriteKind::Device(_))
}

fn of_one(kind: &WriteKind, values: Vec<Value>) -> Statement {
    let sql = kind.sql().into_owned();
    let sql = if kind.is_of_one_row() { exactly(1, &sql) } else { sql };
    (sql, values.into_iter().map(Parameter::One).collect())
}

fn of_group((kind, mut rows): Group) -> Result<Statement> {
    if rows.len() == 1 {
        return Ok(of_one(&kind, rows.pop().unwrap_or_default()));
    }
    let count = rows.len();
    let (sql, types) = match &kind {
        WriteKind::User(columns) => {
            let mut types: Vec<_> = columns.iter().map(|c| USER_TYPES.of_column(c)).collect();
            types.extend([ColumnType::Bytes, ColumnType::Int, ColumnType::Int]);
            let row = columns.len() + 2;
            let to_find = format!("t.n = v.c{row} AND t.rev = v.c{}", row + 1);
            (update("users", columns, &types, &to_find), types)
        }
        WriteKind::Device(columns) => {
            let mut types: Vec<_> = columns.iter().map(|c| DEVICE_TYPES.of_column(c)).collect();
            types.extend([ColumnType::Bytes, ColumnType::Int]);
            let to_find = format!("t.n = v.c{}", columns.len() + 2);
            (update("devices", columns, &types, &to_find), types)
        }
        _ => {
            let types: Vec<_> = EVENT_COLUMNS.iter().map(|c| EVENT_TYPES.of_column(c)).collect();
            let (columns, lists) = (EVENT_COLUMNS.join(", "), lists(&types));
            (format!("INSERT INTO events({columns}) SELECT * FROM unnest({lists})"), types)
        }
    };
    Ok((exactly(count, &sql), columns_of(rows, &types)?))
}

/// Values: the changed columns, the MAC, what finds the row.
fn update(table: &str, columns: &[&str], types: &[ColumnType], to_find: &str) -> String {
    let names = columns.iter().copied().chain(["mac"]);
    let set: Vec<_> = names.zip(1..).map(|(c, n): (_, usize)| format!("{c} = v.c{n}")).collect();
    let values: Vec<_> = (1..=types.len()).map(|n| format!("c{n}")).collect();
    format!(
        "UPDATE {table} AS t SET {} FROM unnest({}) AS v({}) WHERE {to_find}",
        set.join(", "),
        lists(types),
        values.join(", ")
    )
}

fn lists(types: &[ColumnType]) -> String {
    let list = |(n, column_type): (usize, &ColumnType)| match column_type {
        ColumnType::Int => format!("${n}::bigint[]"),
        ColumnType::Text => format!("${n}::text[]"),
        ColumnType::Bytes => format!("${n}::bytea[]"),
    };
    let lists: Vec<_> = (1..).zip(types).map(list).collect();
    lists.join(", ")
}

/// Makes a statement fail, by a division, where it is not about so many rows: the commit is on its way already.
fn exactly(count: usize, sql: &str) -> String {
    format!(
        "WITH done AS ({sql} RETURNING 1) \
         SELECT 1 / (count(*) = {count}::bigint)::int FROM done"
    )
}

/// The rows as one array a column. A value of another type than its column is a fault of ours, and nothing is written.
fn columns_of(rows: Vec<Vec<Value>>, types: &[ColumnType]) -> Result<Vec<Parameter>> {
    let list = |column_type: &ColumnType| match column_type {
        ColumnType::Int => Parameter::Ints(Vec::with_capacity(rows.len())),
        ColumnType::Text => Parameter::Texts(Vec::with_capacity(rows.len())),
        ColumnType::Bytes => Parameter::Bytes(Vec::with_capacity(rows.len())),
    };
    let mut lists: Vec<Parameter> = types.iter().map(list).collect();
    for row in rows {
        ensure!(row.len() == lists.len(), "a row has {} values", row.len());
        for (list, value) in lists.iter_mut().zip(row) {
            match (list, value) {
                (Parameter::Ints(list), Value::Int(n)) => list.push(Some(n)),
                (Parameter::Ints(list), Value::Null) => list.push(None),
                (Parameter::Texts(list), Value::Text(text)) => list.push(Some(text)),
                (Parameter::Texts(list), Value::Null) => list.push(None),
                (Parameter::Bytes(list), Value::Bytes(bytes)) => list.push(Some(bytes)),
                (Parameter::Bytes(list), Value::Null) => list.push(None),
                _ => bail!("a value has another type than its column"),
            }
        }
    }
    Ok(lists)
}
