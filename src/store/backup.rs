//! A whole store in one file: lines of JSON, the same for every database, with a MAC over all of
//! them.
//!
//! A header tells what is inside. Each table is a line that names its columns, then a line a row. The
//! last line has the number of rows, and the MAC over every byte above it. A column that a backup
//! does not have yet is empty in the store that it is put into.

use std::io::{BufRead, BufReader, Read, Write};

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::row::Value;
use super::table::Table;
use super::transfer::Counts;
use super::{Identity, RowSource, Snapshot};
use crate::domain::event::{Canonical, Head};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::vault::{KeyId, Vault};

/// The version that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// Bytes of the longest line; the longest of ours is a user in 64 groups.
const MAX_LINE: u64 = 1 << 20;

/// What a backup says of itself; believed once [`Backup::finish`] has seen the MAC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    mfactl_backup: u32,
    pub version: String,
    pub taken_at: Timestamp,
    store: String,
    key: String,
    created_at: Timestamp,
    pub users: u64,
    pub devices: u64,
    pub events: u64,
    head_seq: u64,
    head_hash: String,
}

impl Header {
    /// # Errors
    /// As the database has them.
    pub fn new(identity: Identity, source: &mut dyn Snapshot, taken_at: Timestamp) -> Result<Self> {
        let counts = source.counts()?;
        let head = source.head()?;
        Ok(Self {
            mfactl_backup: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at,
            store: identity.store.to_string(),
            key: identity.key.to_string(),
            created_at: source.created_at()?,
            users: counts.users,
            devices: counts.devices,
            events: counts.events,
            head_seq: head.seq,
            head_hash: HEXLOWER.encode(&head.hash),
        })
    }

    /// Which store it is a backup of, and which key opens it.
    ///
    /// # Errors
    /// `bad_input` for what is no identity.
    pub fn identity(&self) -> Result<Identity, Refusal> {
        let store = hex(&self.store).map(Id::new);
        let key = hex(&self.key).map(KeyId);
        let identity = store.zip(key).map(|(store, key)| Identity { store, key });
        identity.ok_or_else(|| bad_line(1, "does not say which store it is of"))
    }

    /// Where its log ends.
    ///
    /// # Errors
    /// `bad_input` for what is no hash.
    pub fn head(&self) -> Result<Head, Refusal> {
        let hash =
            hex(&self.head_hash).ok_or_else(|| bad_line(1, "does not say where its log ends"))?;
        Ok(Head { seq: self.head_seq, hash })
    }

    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts { users: self.users, devices: self.devices, events: self.events }
    }
}

#[derive(Serialize, Deserialize)]
struct TableHeader {
    table: String,
    columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    rows: u64,
    mac: String,
}

/// Writes a backup; `step` hears of each row.
///
/// # Errors
/// As the file and the database have them.
pub fn write(
    file: &mut dyn Write,
    header: &Header,
    vault: &Vault,
    source: &mut dyn Snapshot,
    step: &mut dyn FnMut(),
) -> Result<()> {
    let mut out = BackupWriter { file, digest: Sha256::new(), line: Vec::new() };
    out.write(header)?;
    let mut written = 0;
    for table in Table::all() {
        let columns = table.columns().map(ToOwned::to_owned).collect();
        out.write(&TableHeader { table: table.name.to_owned(), columns })?;
        source.rows(&table, &mut |values| {
            written += 1;
            step();
            out.write(&Table::to_json(values))
        })?;
    }
    let mac = HEXLOWER.encode(&file_mac(vault, &out.digest));
    out.write(&Trailer { rows: written, mac })
}

struct BackupWriter<'a> {
    file: &'a mut dyn Write,
    digest: Sha256,
    line: Vec<u8>,
}

impl BackupWriter<'_> {
    fn write(&mut self, value: &impl Serialize) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.digest.update(&self.line);
        self.file.write_all(&self.line).context("the backup can't be written")
    }
}

/// A backup that is being read, in one pass.
pub struct Backup<R> {
    input: BufReader<R>,
    digest: Sha256,
    pub header: Header,
    line: Vec<u8>,
    number: u64,
    rows: u64,
}

impl<R: Read> Backup<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// `bad_input` for what is no backup, or one of a later version.
    pub fn open(input: R) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            mfactl_backup: u32,
        }
        let mut input = BufReader::with_capacity(1 << 16, input);
        let mut line = Vec::new();
        read_line(&mut input, &mut line, 1)?;
        let not_a_backup = || bad_line(1, "is no backup of mfactl");
        let version: Version = serde_json::from_slice(&line).map_err(|_| not_a_backup())?;
        if version.mfactl_backup > FORMAT {
            return Err(bad_line(1, "is of a later mfactl")
                .hint("use the mfactl that wrote it, or a later one")
                .into());
        }
        let header: Header = serde_json::from_slice(&line).map_err(|_| not_a_backup())?;
        let digest = Sha256::new_with_prefix(&line);
        let mut backup = Self { input, digest, header, line, number: 1, rows: 0 };
        backup.next()?;
        Ok(backup)
    }

    /// Goes to the end without keeping anything, and tells the hash of one event on the way.
    ///
    /// # Errors
    /// As [`RowSource::rows`] and [`Backup::finish`].
    pub fn prove(
        mut self,
        vault: &Vault,
        seq: u64,
        step: &mut dyn FnMut(),
    ) -> Result<Option<Vec<u8>>> {
        let mut hash = None;
        for table in Table::all() {
            self.rows(&table, &mut |values| {
                step();
                if let Some(found) = table.event_hash(&values, seq) {
                    hash = Some(found.to_vec());
                }
                Ok(())
            })?;
        }
        self.finish(vault).map(|()| hash)
    }

    /// The end of the file, and the proof of all that was read.
    ///
    /// # Errors
    /// `bad_input` for a file that goes on or was cut, `tampered` for one that was altered.
    pub fn finish(&mut self, vault: &Vault) -> Result<()> {
        let end: Trailer = serde_json::from_slice(&self.line)
            .map_err(|_| bad_line(self.number, "is neither a row nor the end of a backup"))?;
        let mac = file_mac(vault, &self.digest);
        let claimed: Option<[u8; 32]> = hex(&end.mac);
        let fits = claimed.is_some_and(|claimed| bool::from(claimed.ct_eq(&mac)));
        if !fits || end.rows != self.rows {
            return Err(Refusal::new(Code::Tampered, "the backup was altered after it was made")
                .hint("take another backup")
                .into());
        }
        let mut more = [0];
        if self.input.read(&mut more)? > 0 {
            return Err(bad_line(self.number + 1, "comes after the end of the backup").into());
        }
        Ok(())
    }

    /// The line that was read ahead counts as read, and the next one is.
    fn next(&mut self) -> Result<()> {
        self.number += 1;
        read_line(&mut self.input, &mut self.line, self.number)
    }
}

impl<R: Read> RowSource for Backup<R> {
    fn created_at(&mut self) -> Result<Timestamp> {
        Ok(self.header.created_at)
    }

    fn rows(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let section: TableHeader = serde_json::from_slice(&self.line).map_err(|_| {
            bad_line(self.number, format!("does not begin the table {}", table.name))
        })?;
        // A table of a later schema stands where the backup has not_a_backup.
        if section.table != table.name {
            return Ok(());
        }
        let positions = table.positions(&section.columns).ok_or_else(|| {
            bad_line(self.number, "names a column that this mfactl does not know")
                .hint("use the mfactl that wrote it, or a later one")
        })?;
        self.digest.update(&self.line);
        self.next()?;
        while self.line.starts_with(b"[") {
            let values: Vec<serde_json::Value> = serde_json::from_slice(&self.line)
                .map_err(|_| bad_line(self.number, "is no row"))?;
            let values = table
                .values_from_json(&positions, values)
                .ok_or_else(|| bad_line(self.number, "does not fit its columns"))?;
            self.digest.update(&self.line);
            self.rows += 1;
            visit(values)?;
            self.next()?;
        }
        Ok(())
    }
}

fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, number: u64) -> Result<()> {
    line.clear();
    input.take(MAX_LINE).read_until(b'\n', line).context("the backup can't be read")?;
    if line.is_empty() {
        return Err(bad_line(number, "is missing: the backup ends before its end")
            .hint("take another backup")
            .into());
    }
    if line.last() != Some(&b'\n') {
        return Err(bad_line(number, "is cut, or is longer than any line of a backup")
            .hint("take another backup")
            .into());
    }
    Ok(())
}

fn file_mac(vault: &Vault, digest: &Sha256) -> [u8; 32] {
    let mut whole = Canonical::default();
    whole.field("sha256", digest.clone().finalize());
    vault.state_mac("backup", &whole)
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn bad_line(number: u64, problem: impl std::fmt::Display) -> Refusal {
    Refusal::bad_input("FILE", format!("line {number} {problem}"))
}
