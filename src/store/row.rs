//! A user and a device as columns: the only mapping, for every database.

mod device;
mod event;
mod request;
mod spares;
mod user;

use anyhow::Result;

use device::device_values;
pub use device::{DEVICE_COLUMNS, device};
pub use event::{CHANGE_COLUMNS, EVENT_COLUMNS, TOLD_COLUMNS, change, entry, event_values, told};
pub use request::{REQUEST_COLUMNS, request, request_mac, request_values};
use user::user_values;
pub use user::{USER_COLUMNS, user};

use crate::domain::event::Canonical;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::vault::{MAC, Vault};

/// Where the number of a user's row stands, after the columns and the MAC.
pub const USER_NUMBER: usize = USER_COLUMNS.len() + 1;

/// One column's value on its way into a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row on its way out, by column number.
pub trait Row {
    /// # Errors
    /// `damaged` when there is no such column.
    fn is_null(&self, column: usize) -> Result<bool>;
    /// Does the column hold just these bytes?
    fn is_bytes(&self, column: usize, bytes: &[u8]) -> bool;
    /// # Errors
    /// `damaged` when the column holds something else.
    fn int(&self, column: usize) -> Result<Option<i64>>;
    /// # Errors
    /// `damaged` when the column holds something else.
    fn lent_text(&self, column: usize) -> Result<Option<&str>>;
    /// # Errors
    /// `damaged` when the column holds something else.
    fn lent_bytes(&self, column: usize) -> Result<Option<&[u8]>>;
    /// # Errors
    /// As [`Row::lent_text`].
    fn text(&self, column: usize) -> Result<Option<String>> {
        Ok(self.lent_text(column)?.map(str::to_owned))
    }
    /// # Errors
    /// As [`Row::lent_bytes`].
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>> {
        Ok(self.lent_bytes(column)?.map(<[u8]>::to_vec))
    }
}

/// The columns that two versions of a row differ in, with the newer values. Naming a column in an
/// `UPDATE` costs a write to every index that has it, changed or not.
pub fn changed(
    columns: &[&'static str],
    before: &[Value],
    after: Vec<Value>,
) -> (Vec<&'static str>, Vec<Value>) {
    let pairs = before.iter().zip(after);
    let differing = columns.iter().zip(pairs).filter(|(_, (before, after))| *before != after);
    differing.map(|(column, (_, after))| (*column, after)).unzip()
}

/// A user and his devices as they stand in the columns.
pub struct Rows {
    pub user: Vec<Value>,
    pub devices: Vec<Vec<Value>>,
}

impl Rows {
    pub fn of(user: &User) -> Self {
        let devices = user.devices.iter().map(device_values).collect();
        Self { user: user_values(user), devices }
    }

    /// The MACs of the rows of this user.
    pub fn macs(&self, vault: &Vault, user: Id) -> Macs {
        let device = |values: &Vec<Value>| {
            let mut row = Canonical::default();
            row.field("user", user.bytes());
            put_all(&mut row, DEVICE_COLUMNS, values);
            vault.state_mac("device", &row)
        };
        let devices: Vec<_> = self.devices.iter().map(device).collect();
        let mut row = Canonical::default();
        put_all(&mut row, USER_COLUMNS, &self.user);
        for mac in &devices {
            row.field("device", mac);
        }
        Macs { user: vault.state_mac("user", &row), devices }
    }
}

/// The MACs of a user's rows: each device's, and the user's over his own columns and over theirs,
/// so that neither a missing device nor one put back from an older copy goes unseen.
pub struct Macs {
    pub user: [u8; MAC],
    pub devices: Vec<[u8; MAC]>,
}

fn put_all(row: &mut Canonical, columns: &[&str], values: &[Value]) {
    for (column, value) in columns.iter().zip(values) {
        put(row, column, value);
    }
}

/// Absent values are left out, so that a column added later changes no MAC that exists.
fn put(row: &mut Canonical, column: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Int(n) => row.field(column, n.to_be_bytes()),
        Value::Text(s) => row.field(column, s),
        Value::Bytes(b) => row.field(column, b),
    }
}

/// Names the place of a value that makes no sense.
pub fn nonsense(table: &str, column: &str) -> Refusal {
    Refusal::new(Code::Damaged, format!("the store is damaged: table {table}, column {column}"))
        .hint("restore a backup")
}

/// Reads the columns of one table, one after the other.
struct Reader<'a> {
    row: &'a dyn Row,
    table: &'static str,
    columns: &'static [&'static str],
    first: usize,
    next: usize,
}

impl<'a> Reader<'a> {
    fn new(
        row: &'a dyn Row,
        table: &'static str,
        columns: &'static [&'static str],
        first: usize,
    ) -> Self {
        Self { row, table, columns, first, next: 0 }
    }

    fn at(&mut self) -> usize {
        self.next += 1;
        self.first + self.next - 1
    }

    fn damage(&self) -> Refusal {
        nonsense(self.table, self.columns[self.next - 1])
    }

    fn wrong(&self) -> anyhow::Error {
        self.damage().into()
    }

    fn maybe_int(&mut self) -> Result<Option<i64>> {
        let at = self.at();
        self.row.int(at).map_err(|e| e.context(self.damage()))
    }

    fn int(&mut self) -> Result<i64> {
        self.maybe_int()?.ok_or_else(|| self.wrong())
    }

    fn maybe_number<N: TryFrom<i64>>(&mut self) -> Result<Option<N>> {
        self.maybe_int()?.map(|n| N::try_from(n).map_err(|_| self.wrong())).transpose()
    }

    fn number<N: TryFrom<i64>>(&mut self) -> Result<N> {
        self.maybe_number()?.ok_or_else(|| self.wrong())
    }

    fn flag(&mut self) -> Result<bool> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong()),
        }
    }

    fn maybe_time(&mut self) -> Result<Option<Timestamp>> {
        self.maybe_int()?.map(|n| Timestamp::from_unix(n).map_err(|_| self.wrong())).transpose()
    }

    fn time(&mut self) -> Result<Timestamp> {
        self.maybe_time()?.ok_or_else(|| self.wrong())
    }

    fn maybe_text(&mut self) -> Result<Option<String>> {
        let at = self.at();
        self.row.text(at).map_err(|e| e.context(self.damage()))
    }

    fn text(&mut self) -> Result<String> {
        self.maybe_text()?.ok_or_else(|| self.wrong())
    }

    fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        let at = self.at();
        self.row.bytes(at).map_err(|e| e.context(self.damage()))
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        self.maybe_bytes()?.ok_or_else(|| self.wrong())
    }

    fn id(&mut self) -> Result<Id> {
        let bytes = self.bytes()?;
        Ok(Id::new(bytes.try_into().map_err(|_| self.wrong())?))
    }
}

fn number(n: u64) -> Value {
    Value::Int(n.cast_signed())
}

fn maybe_number(n: Option<u64>) -> Value {
    n.map_or(Value::Null, number)
}

fn time(t: Timestamp) -> Value {
    Value::Int(t.as_i64())
}

fn maybe_time(t: Option<Timestamp>) -> Value {
    t.map_or(Value::Null, time)
}

fn maybe_text(s: Option<&str>) -> Value {
    s.map_or(Value::Null, |s| Value::Text(s.to_owned()))
}

fn bytes(b: &[u8]) -> Value {
    Value::Bytes(b.to_vec())
}

fn maybe_bytes(b: Option<&[u8]>) -> Value {
    b.map_or(Value::Null, bytes)
}
