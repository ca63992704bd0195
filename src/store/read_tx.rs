//! The read transaction.

use anyhow::Result;

use crate::domain::audit::event::Head;
use crate::domain::audit::history::Rewind;
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::copy::RowCounts;
use crate::store::driver::{Driver, first};
use crate::store::row;
use crate::store::row::{DEVICE_COLUMNS, USER_COLUMNS, USER_ROW_ID_COLUMN, Value};
use crate::store::table::Table;
use crate::store::write_tx::altered_log_end;
use crate::store::{
    ActivitySince, LogReader as _, Moment, Order, Prefilter, RowSource, Snapshot, sql,
};

/// One read transaction.
pub struct ReadTx<D>(pub D);

impl<D: Driver> Snapshot for ReadTx<D> {
    fn user(&mut self, name: &UserName) -> Result<Option<User>> {
        let name = Value::Text(name.as_str().to_owned());
        self.user_with_devices(&sql::USER, name)
    }

    fn counts(&mut self) -> Result<RowCounts> {
        RowCounts::of(&mut self.0)
    }

    fn head(&mut self) -> Result<Head> {
        end_of_log(&mut self.0)
    }

    fn event_hash(&mut self, seq: u64) -> Result<Option<Vec<u8>>> {
        let seq = Value::Int(seq.cast_signed());
        Ok(first(&mut self.0, sql::EVENT_HASH, &[seq], |row| row.bytes(0))?.flatten())
    }

    fn activity_since(&mut self, seq: u64, limit: u32) -> Result<ActivitySince> {
        let mut since = ActivitySince::default();
        let seq = Value::Int(seq.cast_signed());
        self.0.query(sql::VERBS_SINCE, std::slice::from_ref(&seq), &mut |row| {
            let count = row.int(1)?.unwrap_or_default().cast_unsigned();
            since.verbs.push((row.text(0)?.unwrap_or_default(), count));
            let at = row.int(2)?.map(Timestamp::from_unix).transpose()?;
            since.from = since.from.into_iter().chain(at).min();
            Ok(true)
        })?;
        self.0.query(sql::USERS_SINCE, &[seq, Value::Int(limit.into())], &mut |row| {
            since.users.extend(row.text(0)?);
            Ok(true)
        })?;
        Ok(since)
    }

    fn user_by_id(&mut self, id: Id) -> Result<Option<User>> {
        let id = Value::Bytes(id.bytes().to_vec());
        self.user_with_devices(&sql::USER_BY_ID, id)
    }

    fn users_matching(
        &mut self,
        order: Order,
        prefilter: &Prefilter,
        visit: &mut dyn FnMut(User) -> Result<()>,
    ) -> Result<()> {
        let mut current: Option<User> = None;
        let (text, values) = sql::users(order, prefilter);
        self.0.query(&text, &values, &mut |row| {
            let same = current.as_ref().is_some_and(|u| row.is_bytes(0, u.id.bytes()));
            if !same && let Some(done) = current.replace(row::user(row, 0)?) {
                visit(done)?;
            }
            if let Some(user) = &mut current
                && !row.is_null(USER_COLUMNS.len())?
            {
                user.devices.push(row::device(row, USER_COLUMNS.len())?);
            }
            Ok(true)
        })?;
        current.map_or(Ok(()), visit)
    }

    fn users_as_of(
        &mut self,
        after: u64,
        visit: &mut dyn FnMut(User, Rewind) -> Result<()>,
    ) -> Result<()> {
        let device = USER_COLUMNS.len();
        let was = device + DEVICE_COLUMNS.len();
        let mut current: Option<(User, Rewind)> = None;
        self.0.query(&sql::USERS_AS_OF, &[Value::Int(after.cast_signed())], &mut |row| {
            let same = current.as_ref().is_some_and(|(u, _)| row.is_bytes(0, u.id.bytes()));
            let next = |row| Ok::<_, anyhow::Error>((row::user(row, 0)?, Rewind::default()));
            if !same && let Some((user, back)) = current.replace(next(row)?) {
                visit(user, back)?;
            }
            let Some((user, back)) = &mut current else { return Ok(true) };
            // The join repeats every event for every device: count events for the first device, or for
            // none, only.
            if !row.is_null(device)?
                && user.devices.last().is_none_or(|d| !row.is_bytes(device, d.id.bytes()))
            {
                user.devices.push(row::device(row, device)?);
            }
            if user.devices.len() <= 1
                && let Some(was) = row.text_ref(was)?
            {
                back.rewind(was)?;
            }
            Ok(true)
        })?;
        current.map_or(Ok(()), |(user, back)| visit(user, back))
    }

    fn check_user_macs(&mut self, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()> {
        crate::store::copy::check_user_macs(&mut self.0, vault, progress)
    }

    fn check_log_macs(&mut self, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()> {
        let last = crate::store::integrity::check_chain(&mut self.0, vault, progress)?;
        let signed_head = self.signed_head()?.filter(|signed_head| signed_head.head == last);
        match signed_head {
            Some(signed_head) if signed_head.is_authentic(vault)? => Ok(()),
            _ => Err(altered_log_end().into()),
        }
    }

    fn users_between(
        &mut self,
        what: Moment,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Id>> {
        let sql = match what {
            Moment::CreatedAt => sql::CREATED_BETWEEN,
            Moment::RequiredFrom => sql::REQUIRED_BETWEEN,
        };
        let values = [Value::Int(after.as_i64()), Value::Int(until.as_i64())];
        let mut users = Vec::new();
        self.0.query(sql, &values, &mut |row| {
            let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
            users.extend(id.map(Id::new));
            Ok(true)
        })?;
        Ok(users)
    }

    fn names(&mut self, prefix: &str, visit: &mut dyn FnMut(&str) -> bool) -> Result<()> {
        self.0.query(sql::NAMES, &[Value::Text(prefix.to_owned())], &mut |row| {
            // A value that is not text belongs to a damaged row, not to a user.
            let Ok(Some(name)) = row.text(0) else { return Ok(true) };
            Ok(name.starts_with(prefix) && visit(&name))
        })
    }
}

impl<D: Driver> RowSource for ReadTx<D> {
    fn created_at(&mut self) -> Result<Timestamp> {
        let at = first(&mut self.0, sql::CREATED_AT, &[], |row| row.int(0))?.flatten();
        let at = Timestamp::from_unix(at.unwrap_or_default());
        Ok(at.map_err(|_| row::damaged_column("store", "created_at"))?)
    }

    fn rows(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        self.0.query(&table.select(), &[], &mut |row| {
            visit(table.values(row)?)?;
            Ok(true)
        })
    }
}

impl<D: Driver> ReadTx<D> {
    /// The user whom the statement finds by `value`, with all devices.
    fn user_with_devices(&mut self, sql: &str, value: Value) -> Result<Option<User>> {
        let found = first(&mut self.0, sql, &[value], |row| {
            Ok((row::user(row, 0)?, row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default()))
        })?;
        let Some((mut user, number)) = found else { return Ok(None) };
        self.0.query(&sql::DEVICES, &[Value::Int(number)], &mut |row| {
            user.devices.push(row::device(row, 0)?);
            Ok(true)
        })?;
        Ok(Some(user))
    }
}

/// The last event of the log.
pub fn end_of_log(driver: &mut impl Driver) -> Result<Head> {
    let last = first(driver, sql::LAST_EVENT, &[], |row| {
        let seq = row.int(0)?.map(i64::cast_unsigned);
        let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
        Ok(seq.zip(hash).map(|(seq, hash)| Head { seq, hash }))
    })?;
    Ok(last.flatten().unwrap_or(Head::START))
}
