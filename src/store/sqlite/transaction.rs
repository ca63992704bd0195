//! Changes to the embedded store.

use anyhow::Result;
use rusqlite::{OptionalExtension as _, ToSql, params_from_iter};
use subtle::ConstantTimeEq as _;

use super::prepared::Prepared;
use super::queue::Turn;
use super::trouble;
use crate::domain::device::Device;
use crate::domain::event::{Event, Head};
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::domain::user::User;
use crate::store::row::{self, DEVICE_COLUMNS, Macs, Row as _, USER_COLUMNS, Value};
use crate::store::{SALT, Transaction, sql};
use crate::vault::{MAC, Vault};

/// KiB of pages that a change of many users keeps in memory: identities are random, so that their
/// indexes are written all over.
const BULK_CACHE: i32 = 64 * 1024;

/// A transaction that holds the write lock.
pub struct SqliteTransaction<'a> {
    tx: rusqlite::Transaction<'a>,
    vault: &'a Vault,
    erased: bool,
    /// Where the log ends, once it has been read; what was appended is written with the commit.
    head: Option<Head>,
    appended: bool,
    /// What is done here has been done before, and will be again: statements are kept.
    is_repeated: bool,
    /// Dropped after the transaction.
    _turn: Option<Turn>,
}

impl<'a> SqliteTransaction<'a> {
    pub const fn new(
        tx: rusqlite::Transaction<'a>,
        vault: &'a Vault,
        is_repeated: bool,
        turn: Option<Turn>,
    ) -> Self {
        Self { tx, vault, erased: false, head: None, appended: false, is_repeated, _turn: turn }
    }

    fn prepare(&self, sql: &str) -> Result<Prepared<'_>> {
        Prepared::new(&self.tx, sql, self.is_repeated)
    }

    fn run(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<usize> {
        let mut statement = self.prepare(sql)?;
        statement.execute(params_from_iter(values)).map_err(trouble)
    }

    fn insert_device(&self, owner: Id, device: &Device, mac: [u8; MAC]) -> Result<()> {
        let values = row::device_values(device)
            .into_iter()
            .chain([Value::Bytes(mac.to_vec()), Value::Bytes(owner.bytes().to_vec())]);
        one_row(self.run(&sql::INSERT_DEVICE, values)?)
    }

    /// The revision that the log knows of: rows put back from an older copy fall behind it.
    fn newest_rev(&self, user: Id) -> Result<Option<u64>> {
        let mut statement = self.prepare(sql::NEWEST_REV)?;
        let rev =
            statement.query_row([user.bytes().as_slice()], |row| row.get::<_, Option<i64>>(0));
        Ok(rev.optional().map_err(trouble)?.flatten().map(i64::cast_unsigned))
    }

    fn head(&mut self) -> Result<Head> {
        let head = match self.head {
            Some(head) => head,
            None => self.stored_head()?,
        };
        self.head = Some(head);
        Ok(head)
    }

    fn stored_head(&self) -> Result<Head> {
        let mut statement = self.prepare(sql::HEAD)?;
        let found = statement
            .query_row((), |row| {
                let head = Head { seq: row.get::<_, i64>(0)?.cast_unsigned(), hash: row.get(1)? };
                Ok((head, row.get(2)?, row.get(3)?))
            })
            .optional()
            .map_err(trouble)?;
        let (head, mac, last): (Head, [u8; MAC], Option<[u8; 32]>) = found.ok_or_else(cut_chain)?;
        let is_there = last == Some(head.hash) || (head.seq == 0 && last.is_none());
        if !is_there || !bool::from(self.vault.head_mac(&head).ct_eq(&mac)) {
            return Err(cut_chain().into());
        }
        Ok(head)
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn user(&mut self, name: &UserName) -> Result<Option<User>> {
        let mut statement = self.prepare(&sql::USER)?;
        let mut rows = statement.query([name.as_str()]).map_err(trouble)?;
        let Some(row) = rows.next().map_err(trouble)? else { return Ok(None) };
        let mut user = row::user(row, 0)?;
        let user_mac = row.bytes(USER_COLUMNS.len())?;
        let mut statement = self.prepare(&sql::DEVICES)?;
        let mut rows = statement.query([user.id.bytes().as_slice()]).map_err(trouble)?;
        let mut device_macs = Vec::new();
        while let Some(row) = rows.next().map_err(trouble)? {
            user.devices.push(row::device(row, 0)?);
            device_macs.push(row.bytes(DEVICE_COLUMNS.len())?);
        }
        let macs = Macs::of(self.vault, &user);
        let mut sound = fits(user_mac.as_deref(), &macs.user);
        for (stored, mac) in device_macs.iter().zip(&macs.devices) {
            sound &= fits(stored.as_deref(), mac);
        }
        if !sound || self.newest_rev(user.id)?.is_some_and(|newest| user.rev < newest) {
            return Err(Refusal::new(
                Code::Tampered,
                format!("the record of {name} was altered outside of mfactl"),
            )
            .hint("restore a backup, and find out who can write to the store")
            .into());
        }
        Ok(Some(user))
    }

    fn insert(&mut self, user: &User) -> Result<()> {
        let macs = Macs::of(self.vault, user);
        let values = row::user_values(user).into_iter().chain([Value::Bytes(macs.user.to_vec())]);
        one_row(self.run(&sql::INSERT_USER, values)?)?;
        for (device, mac) in user.devices.iter().zip(macs.devices) {
            self.insert_device(user.id, device, mac)?;
        }
        Ok(())
    }

    fn save(&mut self, before: &User, after: &User) -> Result<u64> {
        let after = User { rev: before.rev + 1, ..after.clone() };
        let macs = Macs::of(self.vault, &after);
        let (columns, values) =
            row::changed(USER_COLUMNS, row::user_values(before), row::user_values(&after));
        let values = values.into_iter().chain([
            Value::Bytes(macs.user.to_vec()),
            Value::Bytes(before.id.bytes().to_vec()),
            Value::Int(before.rev.cast_signed()),
        ]);
        one_row(self.run(&sql::update_user(&columns), values)?)?;
        for gone in before.devices.iter().filter(|b| after.devices.iter().all(|a| a.id != b.id)) {
            one_row(self.run(sql::REMOVE_DEVICE, [Value::Bytes(gone.id.bytes().to_vec())])?)?;
        }
        for (device, mac) in after.devices.iter().zip(macs.devices) {
            match before.devices.iter().find(|b| b.id == device.id) {
                Some(same) if same == device => {}
                Some(old) => {
                    let (columns, values) = row::changed(
                        DEVICE_COLUMNS,
                        row::device_values(old),
                        row::device_values(device),
                    );
                    let values = values.into_iter().chain([
                        Value::Bytes(mac.to_vec()),
                        Value::Bytes(device.id.bytes().to_vec()),
                    ]);
                    one_row(self.run(&sql::update_device(&columns), values)?)?;
                }
                None => self.insert_device(after.id, device, mac)?,
            }
        }
        Ok(after.rev)
    }

    fn remove(&mut self, user: &User) -> Result<()> {
        for device in &user.devices {
            one_row(self.run(sql::REMOVE_DEVICE, [Value::Bytes(device.id.bytes().to_vec())])?)?;
        }
        let id = Value::Bytes(user.id.bytes().to_vec());
        one_row(self.run(sql::REMOVE_USER, [id, Value::Int(user.rev.cast_signed())])?)
    }

    fn append(&mut self, event: &Event, salt: [u8; SALT]) -> Result<u64> {
        let previous = self.head()?;
        let personal = event.personal_hash(&salt);
        let head = Head { seq: previous.seq + 1, hash: event.chain_hash(&previous, &personal) };
        let subject = event.subject.as_ref();
        let mac = self.vault.event_mac(&head);
        let seq = head.seq.cast_signed();
        let values: [&dyn ToSql; 20] = [
            &seq,
            &event.at.as_i64(),
            &event.verb,
            &event.outcome,
            &event.operator.uid,
            &event.operator.claim,
            &event.ticket.ticket,
            &event.ticket.proof,
            &subject.map(|s| s.id.bytes().as_slice()),
            &subject.map(|s| s.status),
            &subject.map(|s| s.rev.cast_signed()),
            &subject.and_then(|s| s.factor),
            &subject.map(|s| s.name.as_str()),
            &subject.and_then(|s| s.device.as_deref()),
            &event.ticket.reason,
            &event.detail,
            &salt.as_slice(),
            &personal.as_slice(),
            &head.hash.as_slice(),
            &mac.as_slice(),
        ];
        let mut statement = self.prepare(sql::APPEND)?;
        one_row(statement.execute(values).map_err(trouble)?)?;
        drop(statement);
        self.head = Some(head);
        if self.appended && !self.is_repeated {
            self.is_repeated = true;
            self.tx.pragma_update(None, "cache_size", -BULK_CACHE).map_err(trouble)?;
        }
        self.appended = true;
        Ok(head.seq)
    }

    fn erase(&mut self, user: Id) -> Result<()> {
        self.erased = true;
        self.run(sql::ERASE, [Value::Bytes(user.bytes().to_vec())]).map(|_| ())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        if self.erased {
            // The write-ahead log still has the old pages. It is emptied when the connection is
            // closed next without this setting; a reader in the way only puts that off.
            let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            self.tx.set_db_config(keep, false).map_err(trouble)?;
        }
        if let Some(head) = self.head.filter(|_| self.appended) {
            let values = [
                Value::Int(head.seq.cast_signed()),
                Value::Bytes(head.hash.to_vec()),
                Value::Bytes(self.vault.head_mac(&head).to_vec()),
            ];
            one_row(self.run(sql::SET_HEAD, values)?)?;
        }
        self.tx.commit().map_err(unconfirmed)
    }
}

fn fits(stored: Option<&[u8]>, mac: &[u8; MAC]) -> bool {
    stored.is_some_and(|s| bool::from(s.ct_eq(mac)))
}

fn one_row(changed: usize) -> Result<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(Refusal::new(Code::Damaged, format!("a change touched {changed} rows instead of one"))
        .hint("nothing was changed; restore a backup")
        .into())
}

/// A disk that fails while it confirms leaves it open what it has kept.
fn unconfirmed(error: rusqlite::Error) -> anyhow::Error {
    let error = trouble(error);
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == Code::Io => error.context(
            Refusal::new(Code::Io, "the disk did not confirm the change; it may be stored or not")
                .hint("look with show-user before you try again"),
        ),
        _ => error,
    }
}

fn cut_chain() -> Refusal {
    Refusal::new(Code::Tampered, "the end of the audit log was altered outside of mfactl")
        .hint("restore a backup, and find out who can write to the store")
}
