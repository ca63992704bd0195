//! Rows of any content, for `fuzz/`.

use anyhow::Result;

use super::user::user_values;
use super::{
    DEVICE_COLUMNS, EVENT_COLUMNS, REQUEST_COLUMNS, Row, StoredMac, USER_COLUMNS, Value, device,
    entry_and_proof, event_view, logged_change, proved_event, request, request_values, sortable,
    user,
};
use crate::domain::refusal::Refusal;
use crate::store::row::device::device_values;

/// Reads a row of any columns as each kind of row. A row that is read is written and read again as the same.
pub fn read_any_row(bytes: &[u8]) {
    let longest = [USER_COLUMNS, DEVICE_COLUMNS, EVENT_COLUMNS, REQUEST_COLUMNS];
    let longest = longest.iter().map(|columns| columns.len()).max().unwrap_or_default();
    let row = AnyRow::from(bytes, longest + 2);
    if let Ok(user) = user(&row, 0) {
        let written = user_values(&user);
        let again = super::user(&AnyRow(written.clone()), 0).map(|again| user_values(&again));
        assert!(again.is_ok_and(|again| again == written));
    }
    if let Ok(device) = device(&row, 0) {
        let written = device_values(&device);
        let again = super::device(&AnyRow(written.clone()), 0).map(|again| device_values(&again));
        assert!(again.is_ok_and(|again| again == written));
    }
    if let Ok(request) = request(&row) {
        let written = request_values(&request);
        let again = super::request(&AnyRow(written.clone())).map(|again| request_values(&again));
        assert!(again.is_ok_and(|again| again == written));
    }
    let _ = (event_view(&row), logged_change(&row), proved_event(&row), entry_and_proof(&row));
    let _ = StoredMac::read(&row, 0);
}

/// Columns in memory.
struct AnyRow(Vec<Value>);

impl AnyRow {
    /// Takes so many columns from the bytes, each from a letter for its type and what follows. Where the bytes end,
    /// the columns are null.
    fn from(mut bytes: &[u8], columns: usize) -> Self {
        let mut take = |length: usize| {
            let (taken, rest) = bytes.split_at(length.min(bytes.len()));
            bytes = rest;
            taken.to_vec()
        };
        let mut column = || match take(1).first() {
            Some(b'0') => Value::Int(0),
            Some(b'1') => Value::Int(1),
            // Of today, so that times are in order more often than by chance.
            Some(b't') => Value::Int(1_800_000_000 + i64::from(byte(&take(1)))),
            Some(b'i') => {
                let mut number = [0; 8];
                number.iter_mut().zip(take(8)).for_each(|(place, byte)| *place = byte);
                Value::Int(i64::from_be_bytes(number))
            }
            Some(b's') => {
                let length = byte(&take(1)).into();
                Value::Text(String::from_utf8_lossy(&take(length)).into_owned())
            }
            Some(b'b') => {
                let length = byte(&take(1)).into();
                Value::Bytes(take(length))
            }
            _ => Value::Null,
        };
        Self((0..columns).map(|_| column()).collect())
    }
}

fn byte(bytes: &[u8]) -> u8 {
    bytes.first().copied().unwrap_or_default()
}

fn other_type() -> anyhow::Error {
    Refusal::damaged("a column of another type").into()
}

impl Row for AnyRow {
    fn put_sortable(&self, column: usize, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.clear();
        match &self.0[column] {
            Value::Null => {}
            Value::Int(n) => bytes.extend(sortable(*n)),
            Value::Text(text) => bytes.extend(text.as_bytes()),
            Value::Bytes(content) => bytes.extend(content),
        }
        Ok(())
    }

    fn is_null(&self, column: usize) -> Result<bool> {
        Ok(self.0[column] == Value::Null)
    }

    fn is_bytes(&self, column: usize, bytes: &[u8]) -> bool {
        matches!(&self.0[column], Value::Bytes(content) if content == bytes)
    }

    fn int(&self, column: usize) -> Result<Option<i64>> {
        match &self.0[column] {
            Value::Null => Ok(None),
            Value::Int(n) => Ok(Some(*n)),
            _ => Err(other_type()),
        }
    }

    fn text_ref(&self, column: usize) -> Result<Option<&str>> {
        match &self.0[column] {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(other_type()),
        }
    }

    fn bytes_ref(&self, column: usize) -> Result<Option<&[u8]>> {
        match &self.0[column] {
            Value::Null => Ok(None),
            Value::Bytes(content) => Ok(Some(content)),
            _ => Err(other_type()),
        }
    }
}
