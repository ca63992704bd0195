//! The mapping between domain types and columns, the same for every database.

mod backup_codes;
mod device;
mod event;
#[cfg(any(fuzzing, test))]
mod fuzzing;
mod remembered;
mod request;
mod token;
mod undo_stack;
mod user;

use anyhow::Result;
use subtle::ConstantTimeEq as _;

use device::device_values;
pub use device::{DEVICE_COLUMNS, device};
pub use event::{
    EVENT_COLUMNS, EVENT_VIEW_COLUMNS, LOGGED_CHANGE_COLUMNS, PROVED_COLUMNS, entry_and_proof,
    event_values, event_view, logged_change, proved_event,
};
#[cfg(any(fuzzing, test))]
pub use fuzzing::read_any_row;
pub use request::{REQUEST_COLUMNS, request, request_mac, request_values};
pub use token::{TOKEN_COLUMNS, token, token_mac, token_values};
use user::user_values;
pub use user::{USER_COLUMNS, user};

use crate::domain::audit::event::Canonical;
use crate::domain::refusal::Refusal;
use crate::domain::secret::{Id, KeyGeneration};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::{MAC, Vault};

/// The index of a user's row id, after the columns and the MAC.
pub const USER_ROW_ID_COLUMN: usize = USER_COLUMNS.len() + 1;

/// The value of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row of a result, read by column index. A column of another type is `damaged`.
pub trait Row {
    /// Replaces the content of `sortable` with the value as bytes, which sort as the values of the column do; with
    /// none for null.
    fn put_sortable(&self, column: usize, sortable: &mut Vec<u8>) -> Result<()>;
    fn is_null(&self, column: usize) -> Result<bool>;
    /// Whether the column holds exactly these bytes.
    fn is_bytes(&self, column: usize, bytes: &[u8]) -> bool;
    fn int(&self, column: usize) -> Result<Option<i64>>;
    fn text_ref(&self, column: usize) -> Result<Option<&str>>;
    fn bytes_ref(&self, column: usize) -> Result<Option<&[u8]>>;
    fn text(&self, column: usize) -> Result<Option<String>> {
        Ok(self.text_ref(column)?.map(str::to_owned))
    }
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>> {
        Ok(self.bytes_ref(column)?.map(<[u8]>::to_vec))
    }
}

/// The bytes of a number, which sort as the numbers do.
pub fn sortable(n: i64) -> [u8; 8] {
    (n.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The columns in which two versions of a row differ, with the newer values. An `UPDATE` writes to every
/// index on a column that it names, whether the value changed or not.
pub fn changed(
    columns: &[&'static str],
    before: &[Value],
    after: Vec<Value>,
) -> (Vec<&'static str>, Vec<Value>) {
    let pairs = before.iter().zip(after);
    let changed = columns.iter().zip(pairs).filter(|(_, (before, after))| *before != after);
    changed.map(|(column, (_, after))| (*column, after)).unzip()
}

/// A user and their devices as column values.
pub struct UserRows {
    pub user: Vec<Value>,
    pub devices: Vec<Vec<Value>>,
}

impl UserRows {
    pub fn of(user: &User) -> Self {
        let devices = user.devices.iter().map(device_values).collect();
        Self { user: user_values(user), devices }
    }

    /// The MACs of these rows.
    pub fn macs(&self, vault: &Vault, user: Id) -> UserMacs {
        let device = |values: &Vec<Value>| {
            let mut row = Canonical::default();
            row.field("user", user.bytes());
            put_columns(&mut row, DEVICE_COLUMNS, values);
            vault.state_mac("device", &row)
        };
        let devices: Vec<_> = self.devices.iter().map(device).collect();
        let mut row = Canonical::default();
        put_columns(&mut row, USER_COLUMNS, &self.user);
        for mac in &devices {
            row.field("device", mac);
        }
        UserMacs { user: vault.state_mac("user", &row), devices }
    }
}

/// The MACs of a user's rows: one for each device, and one for the user that covers the user's columns
/// and the devices' MACs, so that a removed device, or one restored from an older copy, is detected.
pub struct UserMacs {
    pub user: [u8; MAC],
    pub devices: Vec<[u8; MAC]>,
}

/// A MAC as stored, not checked yet: its 32 bytes, and after an exchange of the key four more, the generation
/// of the root key that made it (big-endian). In one column with the MAC it costs a `verify` nothing, and
/// neither can be read, granted or restored without the other.
#[derive(Clone, Debug)]
pub struct StoredMac(Vec<u8>);

impl StoredMac {
    pub fn read(row: &dyn Row, column: usize) -> Result<Self> {
        Ok(Self(row.bytes(column)?.unwrap_or_default()))
    }

    /// The value of the column for a MAC that is made now.
    pub fn value(vault: &Vault, mac: &[u8; MAC]) -> Value {
        let generation = vault.generation().explicit().map(u32::to_be_bytes);
        Value::Bytes(mac.iter().chain(generation.iter().flatten()).copied().collect())
    }

    /// Whether it is this MAC; `key` when another generation of the root key made it.
    pub fn is(&self, vault: &Vault, mac: &[u8; MAC]) -> Result<bool, Refusal> {
        let (stored, generation) = split_mac(&self.0);
        vault.require(generation)?;
        Ok(bool::from(stored.ct_eq(mac)))
    }
}

/// The MAC and its generation. Bytes that we never write are returned as they are, and match no MAC.
fn split_mac(stored: &[u8]) -> (&[u8], KeyGeneration) {
    let later = stored.split_last_chunk().and_then(|(mac, number)| {
        let generation = KeyGeneration::new(u32::from_be_bytes(*number))?;
        (mac.len() == MAC && generation.explicit().is_some()).then_some((mac, generation))
    });
    later.unwrap_or((stored, KeyGeneration::FIRST))
}

fn put_columns(row: &mut Canonical, columns: &[&str], values: &[Value]) {
    for (column, value) in columns.iter().zip(values) {
        put(row, column, value);
    }
}

/// Nulls are left out, so that a column added later changes no existing MAC.
fn put(row: &mut Canonical, column: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Int(n) => row.field(column, n.to_be_bytes()),
        Value::Text(s) => row.field(column, s),
        Value::Bytes(b) => row.field(column, b),
    }
}

/// The refusal for an invalid value, naming table and column.
pub fn damaged_column(table: &str, column: &str) -> Refusal {
    Refusal::damaged(format!("table {table}, column {column}")).hint("restore a backup")
}

/// A column, for the refusal of what it holds.
#[derive(Clone, Copy)]
struct ReadColumn {
    table: &'static str,
    name: &'static str,
}

impl ReadColumn {
    fn refusal(self) -> Refusal {
        damaged_column(self.table, self.name)
    }

    fn damaged(self) -> anyhow::Error {
        self.refusal().into()
    }
}

/// Reads the columns of one table in order.
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

    fn next_index(&mut self) -> usize {
        self.next += 1;
        self.first + self.next - 1
    }

    /// The column that was read last.
    fn column(&self) -> ReadColumn {
        ReadColumn { table: self.table, name: self.columns[self.next - 1] }
    }

    fn refusal(&self) -> Refusal {
        self.column().refusal()
    }

    fn damaged(&self) -> anyhow::Error {
        self.refusal().into()
    }

    fn maybe_int(&mut self) -> Result<Option<i64>> {
        let index = self.next_index();
        self.row.int(index).map_err(|e| e.context(self.refusal()))
    }

    fn int(&mut self) -> Result<i64> {
        self.maybe_int()?.ok_or_else(|| self.damaged())
    }

    fn maybe_number<N: TryFrom<i64>>(&mut self) -> Result<Option<N>> {
        self.maybe_int()?.map(|n| N::try_from(n).map_err(|_| self.damaged())).transpose()
    }

    fn number<N: TryFrom<i64>>(&mut self) -> Result<N> {
        self.maybe_number()?.ok_or_else(|| self.damaged())
    }

    fn flag(&mut self) -> Result<bool> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged()),
        }
    }

    fn maybe_time(&mut self) -> Result<Option<Timestamp>> {
        self.maybe_int()?.map(|n| Timestamp::from_unix(n).map_err(|_| self.damaged())).transpose()
    }

    fn time(&mut self) -> Result<Timestamp> {
        self.maybe_time()?.ok_or_else(|| self.damaged())
    }

    fn maybe_text(&mut self) -> Result<Option<String>> {
        let index = self.next_index();
        self.row.text(index).map_err(|e| e.context(self.refusal()))
    }

    fn text(&mut self) -> Result<String> {
        self.maybe_text()?.ok_or_else(|| self.damaged())
    }

    fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        let index = self.next_index();
        self.row.bytes(index).map_err(|e| e.context(self.refusal()))
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        self.maybe_bytes()?.ok_or_else(|| self.damaged())
    }

    fn id(&mut self) -> Result<Id> {
        let bytes = self.bytes()?;
        Ok(Id::new(bytes.try_into().map_err(|_| self.damaged())?))
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

/// The value of a column for these bytes.
pub fn bytes(b: &[u8]) -> Value {
    Value::Bytes(b.to_vec())
}

fn maybe_bytes(b: Option<&[u8]>) -> Value {
    b.map_or(Value::Null, bytes)
}
