//! What `--store` means.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::custody::{Custody, Purpose};
use super::postgres::address::Address;
use super::{Access, InitialContent, Store, postgres, sqlite};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::vault::Vault;

/// However many processors there are.
const MOST_SLOTS: usize = 8;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    Sqlite(PathBuf),
    Postgres(Box<Address>),
}

impl Location {
    /// A path or the address of a database. An address that can't be understood is never repeated,
    /// since a password may be in it.
    ///
    /// # Errors
    /// `usage` for what is no path.
    pub fn parse(text: &Path) -> Result<Self, Refusal> {
        let shown = text.to_string_lossy();
        if Address::looks_like(&shown) {
            return Address::parse(&shown).map(|address| Self::Postgres(Box::new(address)));
        }
        if is_mistyped_address(&shown) {
            return Err(Refusal::new(
                Code::Usage,
                "--store: is neither a path nor an address that begins with postgres://",
            )
            .hint(
                "name the path of a file, one with :// in it after ./, or postgres://user@host/database",
            ));
        }
        if shown.is_empty() {
            return Err(
                Refusal::new(Code::Usage, "--store: is empty").hint("name the path of a file")
            );
        }
        Ok(Self::Sqlite(text.to_owned()))
    }

    /// Where a database's password is, if the address does not say so itself.
    #[must_use]
    pub fn with_password_file(self, file: Option<PathBuf>) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(path),
            Self::Postgres(mut address) => {
                address.password_file = address.password_file.or(file);
                Self::Postgres(address)
            }
        }
    }
}

impl Location {
    /// Opens an existing store.
    ///
    /// # Errors
    /// As [`sqlite::open`] and [`postgres::open`].
    pub fn open(&self, access: Access, policy: &Custody) -> Result<Box<dyn Store>> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(sqlite::open(path, access, policy)?),
            Self::Postgres(address) => Box::new(postgres::open(address, access, policy)?),
        })
    }

    /// The files that the store is or lives by, there or not.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Sqlite(path) => sqlite::files(path),
            Self::Postgres(address) => address.password_file.iter().cloned().collect(),
        }
    }

    /// The files by whose locks slow hashes are counted on this machine: beside the store, or beside
    /// the key where the store is a server's.
    #[must_use]
    pub fn slots(&self, key_file: &Path) -> (Vec<PathBuf>, Purpose) {
        let (beside, purpose) = match self {
            Self::Sqlite(path) => (path.as_path(), Purpose::Sidecar),
            Self::Postgres(_) => (key_file, Purpose::Key),
        };
        let name = |n| {
            let mut name = beside.as_os_str().to_owned();
            name.push(format!("-slot{n}"));
            PathBuf::from(name)
        };
        ((0..MOST_SLOTS).map(name).collect(), purpose)
    }

    /// Is there a store?
    ///
    /// # Errors
    /// As [`Location::open`].
    pub fn exists(&self, policy: &Custody) -> Result<bool> {
        match self {
            Self::Sqlite(path) => policy.check(path, Purpose::Store),
            Self::Postgres(address) => postgres::exists(address, policy),
        }
    }

    /// Is there room for a whole store: nothing, or something empty?
    ///
    /// # Errors
    /// As [`Location::open`].
    pub fn is_free(&self, policy: &Custody) -> Result<bool> {
        match self {
            Self::Sqlite(path) => sqlite::is_free(path, policy),
            Self::Postgres(address) => Ok(!postgres::exists(address, policy)?),
        }
    }

    /// Makes a store; `false` where one is there already, which is left alone.
    ///
    /// # Errors
    /// As [`sqlite::create`] and [`postgres::create`].
    pub fn create(
        &self,
        policy: &Custody,
        vault: &Vault,
        nonce: Id,
        content: InitialContent<'_>,
    ) -> Result<bool> {
        match self {
            Self::Sqlite(path) => {
                policy.make_folder(path, Purpose::Store)?;
                sqlite::create(path, policy, vault, nonce, content)
            }
            Self::Postgres(address) => postgres::create(address, policy, vault, content),
        }
    }

    /// Brings an older schema up to date, in one transaction; `false` where it was.
    ///
    /// # Errors
    /// As [`Location::open`].
    pub fn migrate(&self, policy: &Custody) -> Result<bool> {
        match self {
            Self::Sqlite(path) => sqlite::migrate(path, policy),
            Self::Postgres(address) => postgres::migrate(address, policy),
        }
    }
}

/// Was an address meant? One that was mistyped would be a path, and be shown with its password.
fn is_mistyped_address(text: &str) -> bool {
    let (first, rest) = text.split_once(':').unwrap_or((text, ""));
    let scheme = first.trim().to_ascii_lowercase();
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_postgres = scheme.starts_with("postgres") && scheme.chars().all(is_scheme);
    !first.contains('/') && (rest.starts_with("//") || (is_postgres && first.len() < text.len()))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(address) => address.fmt(f),
            Self::Sqlite(path) => f.write_str(&crate::domain::text::shown(&path.to_string_lossy())),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_almost_an_address_is_no_path_and_is_not_repeated() {
        for text in [
            "postgresql+psycopg://u:hunter2@h/x",
            " postgres://u:hunter2@h/x",
            "\tpostgres://u:hunter2@h/x",
            "\u{feff}postgres://u:hunter2@h/x",
            "Postgres://u:hunter2@h/x",
            "postgres:/hunter2/x",
            "postgres:hunter2",
            "PostgreSQL:u:hunter2@h",
            "jdbc.postgresql-x://hunter2",
            "mysql://u:hunter2@h/x",
        ] {
            let refusal = Location::parse(Path::new(text)).expect_err(text);
            assert_eq!(refusal.code, Code::Usage);
            let told = format!("{refusal:?}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        for path in
            ["m.db", "./a://b", "/srv/postgres:5432/m.db", "postgres", "a:b", "postgres.d/m:1"]
        {
            assert!(
                Location::parse(Path::new(path)).is_ok_and(|l| matches!(l, Location::Sqlite(_))),
                "{path}"
            );
        }
    }
}
