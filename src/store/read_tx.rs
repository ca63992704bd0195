//! The read transaction.

use anyhow::Result;

use crate::domain::audit::chain::Chain;
use crate::domain::audit::history::Rewind;
use crate::domain::factor::totp::Window;
use crate::domain::name::UserName;
use crate::domain::search::PersonText;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::check_all::check_all;
use crate::store::driver::{Driver, first};
use crate::store::index_check::check_indexes;
use crate::store::integrity::created_at;
use crate::store::log::LogReader;
use crate::store::row;
use crate::store::row::{DEVICE_COLUMNS, USER_COLUMNS, USER_ROW_ID_COLUMN, Value};
use crate::store::row_source::{RowCounts, RowSource};
use crate::store::sql;
use crate::store::stored_requests::requests;
use crate::store::stored_user::{CheckedUsers, check_users, read_device, read_user, unreadable};
use crate::store::table::Table;
use crate::store::token_query::{ListedToken, check_tokens, tokens};
use crate::store::user_query::{Moment, Order, Prefilter, UserCounts};

/// A consistent view of the store: no lock, no writes. It needs no key and so checks no MAC, except in
/// `check_all` and `check_records`.
pub struct ReadTx<'t> {
    pub(super) driver: Box<dyn Driver + 't>,
}

impl ReadTx<'_> {
    /// The user with this name, or with another of its spellings.
    pub fn user(&mut self, name: &UserName) -> Result<Option<User>> {
        for spelling in name.spellings() {
            let spelling = Value::Text(spelling.to_owned());
            let user = self.user_with_devices(&sql::USER, spelling)?;
            if user.is_some() {
                return Ok(user);
            }
        }
        Ok(None)
    }

    /// The audit log.
    pub fn log(&mut self) -> LogReader<'_> {
        LogReader::of(&mut *self.driver)
    }

    /// The number of rows of each kind.
    pub fn counts(&mut self) -> Result<RowCounts> {
        RowCounts::of(&mut *self.driver)
    }

    /// The user with this id.
    pub fn user_by_id(&mut self, id: Id) -> Result<Option<User>> {
        let id = Value::Bytes(id.bytes().to_vec());
        self.user_with_devices(&sql::USER_BY_ID, id)
    }

    /// Passes every user to `visit`, in constant memory.
    pub fn users(&mut self, order: Order, visit: &mut dyn FnMut(User) -> Result<()>) -> Result<()> {
        self.users_matching(order, &Prefilter::default(), visit)
    }

    /// Passes at least the users who match the prefilter to `visit`; there may be others among them.
    pub fn users_matching(
        &mut self,
        order: Order,
        prefilter: &Prefilter,
        visit: &mut dyn FnMut(User) -> Result<()>,
    ) -> Result<()> {
        let mut current: Option<User> = None;
        let (text, values) = sql::users(order, prefilter);
        self.driver.query(&text, &values, &mut |row| {
            let same = current.as_ref().is_some_and(|u| row.is_bytes(0, u.id.bytes()));
            if !same && let Some(done) = current.replace(read_user(row)?) {
                visit(done)?;
            }
            if let Some(user) = &mut current
                && !row.is_null(USER_COLUMNS.len())?
            {
                user.devices.push(read_device(row, USER_COLUMNS.len())?);
            }
            Ok(true)
        })?;
        current.map_or(Ok(()), visit)
    }

    /// Passes every user, by name, to `visit`, with the changes since event `after` that have to be
    /// reverted to see the user as they were then.
    pub fn users_as_of(
        &mut self,
        after: u64,
        visit: &mut dyn FnMut(User, Rewind) -> Result<()>,
    ) -> Result<()> {
        let device = USER_COLUMNS.len();
        let was = device + DEVICE_COLUMNS.len();
        let mut current: Option<(User, Rewind)> = None;
        self.driver.query(&sql::USERS_AS_OF, &[Value::Int(after.cast_signed())], &mut |row| {
            let same = current.as_ref().is_some_and(|(u, _)| row.is_bytes(0, u.id.bytes()));
            let next = |row| Ok::<_, anyhow::Error>((read_user(row)?, Rewind::default()));
            if !same && let Some((user, back)) = current.replace(next(row)?) {
                visit(user, back)?;
            }
            let Some((user, back)) = &mut current else { return Ok(true) };
            // The join repeats every event for every device: count events for the first device, or for
            // none, only.
            if !row.is_null(device)?
                && user.devices.last().is_none_or(|d| !row.is_bytes(device, d.id.bytes()))
            {
                user.devices.push(read_device(row, device)?);
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

    /// Passes every token, by serial, to `visit` until it returns `false`. No MAC is checked and no secret is read.
    pub fn tokens(&mut self, visit: &mut dyn FnMut(ListedToken) -> Result<bool>) -> Result<()> {
        tokens(&mut *self.driver, visit)
    }

    /// Checks everything that has a MAC, and calls `progress` for each event and each user. `tampered` with what
    /// was found first.
    pub fn check_all(&mut self, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()> {
        check_all(&mut *self.driver, vault, progress)
    }

    /// Checks users, devices, tokens and requests: their MACs with a key, and that they and the log agree if `log` was verified
    /// to its end. Calls `progress` for each user. What is wrong with users is part of the answer;
    /// `tampered` for a token or a request.
    pub fn check_records(
        &mut self,
        vault: Option<&Vault>,
        mut log: Option<&mut Chain>,
        progress: &mut dyn FnMut(),
    ) -> Result<CheckedUsers> {
        let users = check_users(&mut *self.driver, vault, log.as_deref_mut(), progress)?;
        if users.damaged == 0 {
            check_tokens(&mut *self.driver, vault, log)?;
        }
        if let Some(vault) = vault.filter(|_| users.damaged == 0) {
            requests(&mut *self.driver, vault)?;
        }
        Ok(users)
    }

    /// What is wrong with the first index that does not agree with its table; `None` when all agree.
    pub fn check_indexes(&mut self) -> Result<Option<String>> {
        check_indexes(&mut *self.driver)
    }

    /// What the database's own check finds wrong with its file, which takes several times as long as reading it;
    /// `None` when nothing is, and for a database on a server, which has no such check.
    pub fn check_file(&mut self) -> Result<Option<String>> {
        self.driver.check_file()
    }

    /// The users one of whose dates lies after `after` and not after `until`.
    pub fn users_between(
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
        self.driver.query(sql, &values, &mut |row| {
            let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
            users.extend(id.map(Id::new));
            Ok(true)
        })?;
        Ok(users)
    }

    /// How many users there are. Believes the rows, as a list does.
    pub fn user_counts(&mut self, now: Timestamp) -> Result<UserCounts> {
        let mut count = |sql, values: &[Value]| -> Result<u64> {
            let count = first(&mut *self.driver, sql, values, |row| row.int(0))?;
            Ok(count.flatten().unwrap_or_default().cast_unsigned())
        };
        Ok(UserCounts {
            users: count(sql::COUNT_USERS, &[])?,
            with_active_device: count(sql::COUNT_USERS_WITH_ACTIVE_DEVICE, &[])?,
            waiting: count(sql::COUNT_USERS_WAITING, &[Value::Int(now.as_i64())])?,
        })
    }

    /// How many devices in use have a last code of a time ahead of the window around `now`.
    pub fn devices_ahead(&mut self, now: Timestamp, window: Window) -> Result<u64> {
        let values = [Value::Int(window.steps().cast_signed()), Value::Int(now.as_i64())];
        let count = first(&mut *self.driver, sql::DEVICES_AHEAD, &values, |row| row.int(0))?;
        Ok(count.flatten().unwrap_or_default().cast_unsigned())
    }

    /// Passes the names that start with `prefix`, in order, to `visit` until it returns `false`.
    pub fn names(&mut self, prefix: &str, visit: &mut dyn FnMut(&str) -> bool) -> Result<()> {
        self.driver.query(sql::NAMES, &[Value::Text(prefix.to_owned())], &mut |row| {
            // A value that is not text belongs to a damaged row, not to a user.
            let Ok(Some(name)) = row.text(0) else { return Ok(true) };
            Ok(name.starts_with(prefix) && visit(&name))
        })
    }

    /// Passes what is known of each person without their devices, in any order, to `visit` until it returns `false`.
    /// Reads no other column, so that a search costs little more than the database's own.
    pub fn people(&mut self, visit: &mut dyn FnMut(PersonText<'_>) -> bool) -> Result<()> {
        self.driver.query(sql::PEOPLE, &[], &mut |row| {
            // A value that is not text belongs to a damaged row, not to a user.
            let text = |column| row.text_ref(column).ok().map(Option::unwrap_or_default);
            let [Some(name), Some(display_name), Some(email), Some(groups)] =
                [0, 1, 2, 3].map(text)
            else {
                return Ok(true);
            };
            Ok(visit(PersonText { name, display_name, email, groups }))
        })
    }

    /// Passes the groups of each user, separated by blanks, to `visit` until it returns `false`.
    pub fn groups(&mut self, visit: &mut dyn FnMut(&str) -> bool) -> Result<()> {
        self.driver.query(sql::GROUPS, &[], &mut |row| Ok(row.text_ref(0)?.is_none_or(&mut *visit)))
    }

    /// The user whom the statement finds by `value`, with all devices.
    fn user_with_devices(&mut self, sql: &str, value: Value) -> Result<Option<User>> {
        let found = first(&mut *self.driver, sql, &[value], |row| {
            Ok((read_user(row)?, row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default()))
        })?;
        let Some((mut user, number)) = found else { return Ok(None) };
        let devices = self.driver.query(&sql::DEVICES, &[Value::Int(number)], &mut |row| {
            user.devices.push(row::device(row, 0)?);
            Ok(true)
        });
        devices.map_err(|error| unreadable(error, user.name.as_str()))?;
        Ok(Some(user))
    }
}

impl RowSource for ReadTx<'_> {
    fn created_at(&mut self) -> Result<Timestamp> {
        created_at(&mut *self.driver)
    }

    fn rows(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(&table.select(), &[], &mut |row| {
            visit(table.values(row)?)?;
            Ok(true)
        })
    }
}
