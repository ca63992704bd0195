//! Looking at the embedded store.

use anyhow::Result;

use super::trouble;
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::row::{self, Row as _, USER_COLUMNS};
use crate::store::{Snapshot, Told, sql};

/// One read transaction.
pub struct SqliteSnapshot<'a> {
    tx: rusqlite::Transaction<'a>,
}

impl<'a> SqliteSnapshot<'a> {
    pub const fn new(tx: rusqlite::Transaction<'a>) -> Self {
        Self { tx }
    }
}

impl Snapshot for SqliteSnapshot<'_> {
    fn user(&mut self, name: &UserName) -> Result<Option<User>> {
        let mut statement = self.tx.prepare(&sql::USER).map_err(trouble)?;
        let mut rows = statement.query([name.as_str()]).map_err(trouble)?;
        let Some(row) = rows.next().map_err(trouble)? else { return Ok(None) };
        let mut user = row::user(row, 0)?;
        let mut statement = self.tx.prepare(&sql::DEVICES).map_err(trouble)?;
        let mut rows = statement.query([user.id.bytes().as_slice()]).map_err(trouble)?;
        while let Some(row) = rows.next().map_err(trouble)? {
            user.devices.push(row::device(row, 0)?);
        }
        Ok(Some(user))
    }

    fn users(&mut self, visit: &mut dyn FnMut(User) -> Result<()>) -> Result<()> {
        let mut statement = self.tx.prepare(&sql::EVERYONE).map_err(trouble)?;
        let mut rows = statement.query(()).map_err(trouble)?;
        let mut current: Option<User> = None;
        while let Some(row) = rows.next().map_err(trouble)? {
            let id = row.get_ref(0).map_err(trouble)?;
            let same = current.as_ref().is_some_and(|u| id.as_blob().ok() == Some(u.id.bytes()));
            if !same && let Some(done) = current.replace(row::user(row, 0)?) {
                visit(done)?;
            }
            if let (Some(user), Some(_)) = (&mut current, row.bytes(USER_COLUMNS.len())?) {
                user.devices.push(row::device(row, USER_COLUMNS.len())?);
            }
        }
        current.map_or(Ok(()), visit)
    }

    fn names(&mut self, prefix: &str, visit: &mut dyn FnMut(&str) -> bool) -> Result<()> {
        let mut statement = self.tx.prepare(sql::NAMES).map_err(trouble)?;
        let mut rows = statement.query([prefix]).map_err(trouble)?;
        while let Some(row) = rows.next().map_err(trouble)? {
            let name = row.get_ref(0).map_err(trouble)?;
            let Ok(name) = name.as_str() else { continue };
            if !name.starts_with(prefix) || !visit(name) {
                break;
            }
        }
        Ok(())
    }

    fn events(&mut self, user: Id, most: u32) -> Result<Vec<Told>> {
        let mut statement = self.tx.prepare(sql::EVENTS_OF_USER).map_err(trouble)?;
        let mut rows = statement.query((user.bytes().as_slice(), most)).map_err(trouble)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(trouble)? {
            let at: i64 = row.get(1).map_err(trouble)?;
            events.push(Told {
                seq: row.get::<_, i64>(0).map_err(trouble)?.cast_unsigned(),
                at: Timestamp::from_unix(at)?,
                verb: row.get(2).map_err(trouble)?,
                outcome: row.get(3).map_err(trouble)?,
                operator_uid: row.get(4).map_err(trouble)?,
                operator_claim: row.get(5).map_err(trouble)?,
                ticket: row.get(6).map_err(trouble)?,
                proof: row.get(7).map_err(trouble)?,
                reason: row.get(8).map_err(trouble)?,
                device: row.get(9).map_err(trouble)?,
            });
        }
        Ok(events)
    }
}
