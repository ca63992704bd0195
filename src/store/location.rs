//! The location of a store, as `--store` names it.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FileKind, FilePolicy};
use crate::keyring::Vault;
use crate::store::access::Access;
use crate::store::engine::{InitialContent, Store};
use crate::store::postgres::address::Address;
use crate::store::{postgres, sqlite};

/// The limit on any number of processors.
const MOST_SLOTS: usize = 8;

/// The location of a store.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreLocation {
    Sqlite(PathBuf),
    Postgres(Box<Address>),
}

impl StoreLocation {
    /// Parses a path or the address of a database. An invalid address is never repeated in the error,
    /// since it may contain a password.
    pub fn parse(text: &Path) -> Result<Self, Refusal> {
        let shown = text.to_string_lossy();
        if Address::looks_like(&shown) {
            return Address::parse(&shown).map(|address| Self::Postgres(Box::new(address)));
        }
        if is_mistyped_address(&shown) {
            return Err(Refusal::new(
                ErrorCode::Usage,
                "is neither a path nor an address that begins with postgres://",
            )
            .field("--store")
            .hint(
                "give a path (write ./ before one that contains ://) or postgres://user@host/database",
            ));
        }
        if shown.is_empty() {
            return Err(Refusal::new(ErrorCode::Usage, "is empty")
                .field("--store")
                .hint("give the path of a file"));
        }
        Ok(Self::Sqlite(text.to_owned()))
    }

    /// Sets the file with the database's password, unless the address names one.
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

impl StoreLocation {
    /// Opens an existing store.
    pub fn open(&self, access: Access, policy: &FilePolicy) -> Result<Box<dyn Store>> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(sqlite::open(path, access, policy)?),
            Self::Postgres(address) => Box::new(postgres::open(address, access, policy)?),
        })
    }

    /// How many codes one transaction takes at most. More would cost less each, but in a file everybody else waits
    /// until it is over; on a server only those who wait for the same users do.
    #[must_use]
    pub const fn largest_batch(&self) -> usize {
        match self {
            Self::Sqlite(_) => 500,
            Self::Postgres(_) => 2000,
        }
    }

    /// The files of the store, whether they exist or not.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Sqlite(path) => sqlite::files(path),
            Self::Postgres(address) => address.password_file.iter().cloned().collect(),
        }
    }

    /// The lock files that limit how many password hashes are computed at once on this machine: beside
    /// the store, or beside the key file when the store is on a server.
    #[must_use]
    pub fn hash_slots(&self, key_file: &Path) -> (Vec<PathBuf>, FileKind) {
        let (beside, kind) = match self {
            Self::Sqlite(path) => (path.as_path(), FileKind::Sidecar),
            Self::Postgres(_) => (key_file, FileKind::Key),
        };
        let name = |n| {
            let mut name = beside.as_os_str().to_owned();
            name.push(format!("-slot{n}"));
            PathBuf::from(name)
        };
        ((0..MOST_SLOTS).map(name).collect(), kind)
    }

    /// Whether there is a store.
    pub fn exists(&self, policy: &FilePolicy) -> Result<bool> {
        match self {
            Self::Sqlite(path) => policy.check(path, FileKind::Store),
            Self::Postgres(address) => postgres::exists(address, policy),
        }
    }

    /// Whether a store can be created here: there is nothing, or an empty file.
    pub fn is_free(&self, policy: &FilePolicy) -> Result<bool> {
        match self {
            Self::Sqlite(path) => sqlite::is_free(path, policy),
            Self::Postgres(address) => Ok(!postgres::exists(address, policy)?),
        }
    }

    /// Creates a store; `false` when one exists already, which is left unchanged.
    pub fn create(
        &self,
        policy: &FilePolicy,
        vault: &Vault,
        content: InitialContent<'_>,
    ) -> Result<bool> {
        match self {
            Self::Sqlite(path) => {
                policy.make_folder(path, FileKind::Store)?;
                sqlite::create(path, policy, vault, content)
            }
            Self::Postgres(address) => postgres::create(address, policy, vault, content),
        }
    }

    /// Migrates an older schema in one transaction; `false` when it was up to date.
    pub fn migrate(&self, policy: &FilePolicy) -> Result<bool> {
        match self {
            Self::Sqlite(path) => sqlite::migrate(path, policy),
            Self::Postgres(address) => postgres::migrate(address, policy),
        }
    }
}

/// Whether this looks like a mistyped address. Taken as a path it would be displayed with its password.
fn is_mistyped_address(text: &str) -> bool {
    let (first, rest) = text.split_once(':').unwrap_or((text, ""));
    let scheme = first.trim().to_ascii_lowercase();
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_postgres = scheme.starts_with("postgres") && scheme.chars().all(is_scheme);
    !first.contains('/') && (rest.starts_with("//") || (is_postgres && first.len() < text.len()))
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(address) => address.fmt(f),
            Self::Sqlite(path) => f.write_str(&crate::domain::text::shown(&path.to_string_lossy())),
        }
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreLocation({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_address_is_refused_and_not_repeated() {
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
            let refusal = StoreLocation::parse(Path::new(text)).expect_err(text);
            assert_eq!(refusal.code, ErrorCode::Usage);
            let shown = format!("{refusal:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        for path in
            ["m.db", "./a://b", "/srv/postgres:5432/m.db", "postgres", "a:b", "postgres.d/m:1"]
        {
            assert!(
                StoreLocation::parse(Path::new(path))
                    .is_ok_and(|l| matches!(l, StoreLocation::Sqlite(_))),
                "{path}"
            );
        }
    }
}
