//! The names of users in the audit log: who had which one, and from when on.

use anyhow::Result;

use crate::domain::secret::Id;
use crate::store::driver::{Driver, first};
use crate::store::integrity::seq;
use crate::store::row::Value;
use crate::store::sql;

/// The names in the log, in a read transaction.
pub struct Naming<'r> {
    pub(super) driver: &'r mut dyn Driver,
}

impl Naming<'_> {
    /// The users who were renamed or removed by events after this number.
    pub fn renamed_or_removed(&mut self, after: u64) -> Result<Vec<Id>> {
        let mut moved = Vec::new();
        self.driver.query(
            sql::RENAMED_OR_REMOVED,
            &[Value::Int(after.cast_signed())],
            &mut |row| {
                let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
                moved.extend(id.map(Id::new));
                Ok(true)
            },
        )?;
        Ok(moved)
    }

    /// The number of the event that gave a user their present name.
    pub fn seq_of_naming(&mut self, user: Id) -> Result<Option<u64>> {
        let id = [Value::Bytes(user.bytes().to_vec())];
        let mut number = |sql| {
            let found = first(self.driver, sql, &id, |row| row.int(0))?.flatten();
            Ok::<_, anyhow::Error>(found.map(i64::cast_unsigned))
        };
        Ok(match number(sql::RENAMED_BY)? {
            None => number(sql::FIRST_OF_USER)?,
            renamed => renamed,
        })
    }

    /// The user who had this name last, according to the log.
    pub fn last_user_named(&mut self, name: &str) -> Result<Option<Id>> {
        let name = [Value::Text(name.to_owned())];
        let id = first(self.driver, sql::LAST_USER_NAMED, &name, |row| {
            Ok(row.bytes_ref(0)?.and_then(|id| id.try_into().ok()))
        })?;
        Ok(id.flatten().map(Id::new))
    }

    /// Whether somebody else had this name once, according to the log.
    pub fn had_another_holder(&mut self, name: &str, but: Id) -> Result<bool> {
        let values = [Value::Text(name.to_owned()), Value::Bytes(but.bytes().to_vec())];
        Ok(first(self.driver, sql::ANOTHER_USER_NAMED, &values, |row| row.int(0))?.is_some())
    }

    /// Passes the number of each event about a user, the name in it, and the user, to `visit`.
    pub fn names(&mut self, visit: &mut dyn FnMut(u64, &str, Id)) -> Result<()> {
        self.driver.query(sql::NAMES_IN_LOG, &[], &mut |row| {
            let seq = seq(row, "events")?.unwrap_or_default();
            let id = row.bytes_ref(2)?.and_then(|id| id.try_into().ok());
            if let Some((name, id)) = row.text_ref(1)?.zip(id) {
                visit(seq, name, Id::new(id));
            }
            Ok(true)
        })
    }
}
