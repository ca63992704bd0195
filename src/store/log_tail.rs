//! The guarded end of the log, and the events that a transaction appends to it.

use anyhow::Result;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, SubjectAfter};
use crate::domain::audit::history::EarlierValues;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::keyring::Vault;
use crate::store::change::{NewEvent, SavedUser};
use crate::store::checks::{altered_log_end, one_row};
use crate::store::driver::{Driver, first};
use crate::store::row::{self, StoredMac, Value, bytes};
use crate::store::saved_token::SavedToken;
use crate::store::sql;

/// The end of the log during a transaction. The stored one follows with the commit.
#[derive(Default)]
pub struct LogTail {
    /// The end, once read.
    end: Option<Head>,
    appended: u64,
}

/// What is saved that an event is about.
pub enum SavedSubject<'s> {
    User(&'s mut SavedUser),
    Token(&'s mut SavedToken),
    None,
}

impl SavedSubject<'_> {
    fn earlier_values(&self) -> EarlierValues {
        match self {
            Self::User(user) => user.earlier_values(),
            Self::Token(token) => token.earlier_values(),
            Self::None => EarlierValues::default(),
        }
    }

    const fn after(&self) -> SubjectAfter<'_> {
        match self {
            Self::User(saved) => SubjectAfter::User(&saved.user),
            Self::Token(saved) => SubjectAfter::Token(&saved.token),
            Self::None => SubjectAfter::None,
        }
    }
}

impl LogTail {
    /// The end of the log, after checking its MAC.
    pub fn end(&mut self, driver: &mut dyn Driver, vault: &Vault) -> Result<Head> {
        let end = match self.end {
            Some(end) => end,
            None => guarded_end(driver, vault)?,
        };
        self.end = Some(end);
        Ok(end)
    }

    /// How many events were appended.
    pub const fn appended(&self) -> u64 {
        self.appended
    }

    /// Appends an event to the hash chain. The first event about a user or a token records the change, and stamps their
    /// rows. Returns the new end.
    pub fn append(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        event: &NewEvent,
        subject: SavedSubject<'_>,
    ) -> Result<Head> {
        let NewEvent { event, salt } = event;
        let previous = self.end(driver, vault)?;
        let past = subject.earlier_values();
        let entry = EventFields::of(event, vault.generation(), subject.after(), &past);
        let personal = entry.personal.hash(salt);
        let end = Head { seq: previous.seq + 1, hash: entry.chain_hash(&previous, &personal) };
        let mac = StoredMac::value(vault, &vault.event_mac(&end, entry.subject()));
        let values = row::event_values(&entry, salt, &personal, &end, mac);
        let appended = driver.execute(&sql::APPEND, &values);
        one_row(appended.map_err(|error| occupied(error, end.seq))?)?;
        self.end = Some(end);
        self.appended += 1;
        match subject {
            SavedSubject::User(saved) => saved.recorded(&end.hash),
            SavedSubject::Token(saved) => saved.recorded(&end.hash),
            SavedSubject::None => {}
        }
        Ok(end)
    }

    /// Writes the end with its MAC, if events were appended.
    pub fn guard(&self, driver: &mut dyn Driver, vault: &Vault) -> Result<()> {
        match self.end {
            Some(end) if self.appended > 0 => write_end(driver, vault, &end),
            _ => Ok(()),
        }
    }

    /// Writes the end as it is, which costs as much as after an event.
    pub fn rewrite(&mut self, driver: &mut dyn Driver, vault: &Vault) -> Result<()> {
        let end = self.end(driver, vault)?;
        // SQLite writes nothing when a row is overwritten with the same values.
        let no_mac = [0; crate::keyring::MAC];
        let values = [Value::Int(end.seq.cast_signed()), bytes(&end.hash), bytes(&no_mac)];
        one_row(driver.execute(sql::SET_HEAD, &values)?)?;
        write_end(driver, vault, &end)
    }
}

fn write_end(driver: &mut dyn Driver, vault: &Vault, end: &Head) -> Result<()> {
    let mac = StoredMac::value(vault, &vault.head_mac(end));
    let values = [Value::Int(end.seq.cast_signed()), bytes(&end.hash), mac];
    one_row(driver.execute(sql::SET_HEAD, &values)?)
}

fn guarded_end(driver: &mut dyn Driver, vault: &Vault) -> Result<Head> {
    let found = first(driver, sql::HEAD, &[], |row| {
        let seq = row.int(0)?.map(i64::cast_unsigned);
        let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
        let end = seq.zip(hash).map(|(seq, hash)| Head { seq, hash });
        Ok(end.map(|end| (end, StoredMac::read(row, 2), row.bytes(3))))
    })?;
    let Some((end, mac, last)) = found.flatten() else { return Err(altered_log_end().into()) };
    let last = last?;
    let is_there = last.as_deref() == Some(&end.hash[..]) || (end.seq == 0 && last.is_none());
    if !is_there || !mac?.is(vault, &vault.head_mac(&end))? {
        return Err(altered_log_end().into());
    }
    Ok(end)
}

/// Nothing but an event with the same number can keep an event out.
fn occupied(error: anyhow::Error, seq: u64) -> anyhow::Error {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == ErrorCode::Damaged => {
            let end = seq - 1;
            let words = ChainError::Beyond { end }.words(seq);
            let message = format!("the audit log was altered outside of mfactl: {words}");
            error.context(Refusal::new(ErrorCode::Tampered, message).hint(format!(
                "find out who can write to the store, then remove what they added with this SQL: \
                 DELETE FROM events WHERE seq > {end}"
            )))
        }
        _ => error,
    }
}
