//! A backup of a whole store in one file: lines of JSON, the same for every database, with a MAC over all
//! of them.
//!
//! The first line is a header. Each table is a line that names its columns, then one line a row. The last
//! line has the number of rows and the MAC of every byte above it. Columns that an older backup lacks are
//! null in the restored store.

use std::io::{BufRead, BufReader, Read, Write};

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::audit::event::{Canonical, Head};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::keyring::{KeyId, Vault};
use crate::store::identity::Identity;
use crate::store::read_tx::ReadTx;
use crate::store::row::Value;
use crate::store::row_source::{RowCounts, RowSource};
use crate::store::table::Table;

/// The format version that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// Maximum length of a line in bytes; the longest that we write is a user in 64 groups.
const MAX_LINE: u64 = 1 << 20;

/// The header of a backup; not authenticated until [`BackupReader::finish`] has checked the MAC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupHeader {
    mfactl_backup: u32,
    pub version: String,
    pub taken_at: Timestamp,
    store: String,
    key: String,
    created_at: Timestamp,
    pub users: u64,
    pub devices: u64,
    /// Absent in backups of versions without hardware tokens.
    #[serde(default)]
    pub tokens: u64,
    pub events: u64,
    head_seq: u64,
    head_hash: String,
}

impl BackupHeader {
    pub fn new(identity: Identity, source: &mut ReadTx<'_>, taken_at: Timestamp) -> Result<Self> {
        let counts = source.counts()?;
        let head = source.log().head()?;
        Ok(Self {
            mfactl_backup: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at,
            store: identity.store.to_string(),
            key: identity.key.to_string(),
            created_at: source.created_at()?,
            users: counts.users,
            devices: counts.devices,
            tokens: counts.tokens,
            events: counts.events,
            head_seq: head.seq,
            head_hash: HEXLOWER.encode(&head.hash),
        })
    }

    /// The ids of the store and of its key.
    pub fn identity(&self) -> Result<Identity, Refusal> {
        let store = hex(&self.store).map(Id::new);
        let key = hex(&self.key).map(KeyId);
        let identity = store.zip(key).map(|(store, key)| Identity { store, key });
        identity.ok_or_else(|| bad_line(1, "does not name the store and its key"))
    }

    /// The last event of its log.
    pub fn head(&self) -> Result<Head, Refusal> {
        let hash = hex(&self.head_hash)
            .ok_or_else(|| bad_line(1, "does not name the last event of the log"))?;
        Ok(Head { seq: self.head_seq, hash })
    }

    #[must_use]
    pub const fn counts(&self) -> RowCounts {
        let Self { users, devices, tokens, events, .. } = *self;
        RowCounts { users, devices, tokens, events }
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

/// Writes a backup, and calls `progress` for each row.
pub fn write(
    file: &mut dyn Write,
    header: &BackupHeader,
    vault: &Vault,
    source: &mut ReadTx<'_>,
    progress: &mut dyn FnMut(),
) -> Result<()> {
    let mut out = BackupWriter { file, digest: Sha256::new(), line: Vec::new() };
    out.write(header)?;
    let mut written = 0;
    for table in Table::all() {
        let columns = table.columns().map(ToOwned::to_owned).collect();
        out.write(&TableHeader { table: table.name.to_owned(), columns })?;
        source.rows(&table, &mut |values| {
            written += 1;
            progress();
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

/// Reads a backup in one pass.
pub struct BackupReader<R> {
    input: BufReader<R>,
    digest: Sha256,
    pub header: BackupHeader,
    line: Vec<u8>,
    number: u64,
    rows: u64,
}

impl<R: Read> BackupReader<R> {
    /// Reads the header; `bad_input` for a file that is not a backup, or has a newer format.
    pub fn open(input: R) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            mfactl_backup: u32,
        }
        let mut input = BufReader::with_capacity(1 << 16, input);
        let mut line = Vec::new();
        read_line(&mut input, &mut line, 1)?;
        let not_a_backup = || bad_line(1, "is not the header of an mfactl backup");
        let version: Version = serde_json::from_slice(&line).map_err(|_| not_a_backup())?;
        if version.mfactl_backup > FORMAT {
            return Err(bad_line(1, "was written by a newer mfactl")
                .hint("use the mfactl that wrote it, or a newer one")
                .into());
        }
        let header: BackupHeader = serde_json::from_slice(&line).map_err(|_| not_a_backup())?;
        let digest = Sha256::new_with_prefix(&line);
        let mut backup = Self { input, digest, header, line, number: 1, rows: 0 };
        backup.next()?;
        Ok(backup)
    }

    /// Verifies the whole backup, keeping nothing but the hash of event `seq`.
    pub fn verify(
        mut self,
        vault: &Vault,
        seq: u64,
        progress: &mut dyn FnMut(),
    ) -> Result<Option<Vec<u8>>> {
        let mut hash = None;
        for table in Table::all() {
            self.rows(&table, &mut |values| {
                progress();
                if let Some(found) = table.event_hash(&values, seq) {
                    hash = Some(found.to_vec());
                }
                Ok(())
            })?;
        }
        self.finish(vault).map(|()| hash)
    }

    /// Checks the last line and the MAC of everything that was read. `bad_input` for a file that is cut
    /// off or continues, `tampered` for one that was altered.
    pub fn finish(&mut self, vault: &Vault) -> Result<()> {
        let end: Trailer = serde_json::from_slice(&self.line)
            .map_err(|_| bad_line(self.number, "is neither a row nor the last line of a backup"))?;
        let mac = file_mac(vault, &self.digest);
        let claimed: Option<[u8; 32]> = hex(&end.mac);
        let matches = claimed.is_some_and(|claimed| bool::from(claimed.ct_eq(&mac)));
        if !matches || end.rows != self.rows {
            return Err(Refusal::new(
                ErrorCode::Tampered,
                "the backup was altered after it was written",
            )
            .hint("take another backup")
            .into());
        }
        let mut more = [0];
        if self.input.read(&mut more)? > 0 {
            return Err(bad_line(self.number + 1, "follows the last line of the backup").into());
        }
        Ok(())
    }

    /// Reads the next line ahead.
    fn next(&mut self) -> Result<()> {
        self.number += 1;
        read_line(&mut self.input, &mut self.line, self.number)
    }
}

impl<R: Read> RowSource for BackupReader<R> {
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
        // The backup is older than this table.
        if section.table != table.name {
            return Ok(());
        }
        let positions = table.positions(&section.columns).ok_or_else(|| {
            bad_line(self.number, "names a column that this mfactl does not know")
                .hint("use the mfactl that wrote it, or a newer one")
        })?;
        self.digest.update(&self.line);
        self.next()?;
        while self.line.starts_with(b"[") {
            let values: Vec<serde_json::Value> = serde_json::from_slice(&self.line)
                .map_err(|_| bad_line(self.number, "is not a row"))?;
            let values = table
                .values_from_json(&positions, values)
                .ok_or_else(|| bad_line(self.number, "does not match its columns"))?;
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
        return Err(bad_line(number, "is missing: the backup is incomplete")
            .hint("take another backup")
            .into());
    }
    if line.last() != Some(&b'\n') {
        return Err(bad_line(number, "is cut off, or longer than any line of a backup")
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
