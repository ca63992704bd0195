//! The floor: the least that a program which verifies a code has to do, and no more.
//!
//! `verify`: open SQLite, read one row, open the sealed secret, compare the codes of three steps,
//! mark the step as used and write an audit row in one durable commit, exit. `batch`: the same for many
//! lines, five hundred to a commit. `rows`: that batch in a store of `mfactl`, the rows and nothing else.
//! `fill`: the same rows,
//! sealed, a million in one transaction. `start`: nothing at all. No key file, no configuration, no
//! MACs, no checks of the file or its schema, no command line to speak of.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program of its own, without the Env that the bans protect"
)]

mod shared {
    pub mod people;
    pub mod rows;
}

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use shared::{people, rows};

const KEY: [u8; 32] = *b"the key of a store with no worth";
const NONCE: usize = 24;
const PERIOD: u64 = 30;
/// Bytes of the write-ahead log (128 pages) after which it is copied into the file and emptied: each
/// start reads the whole log, so that a longer one would make all later ones slower.
const LONGEST_LOG: u64 = 128 * 4120;
const SCHEMA: &str = "
    CREATE TABLE users(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT,
        email TEXT, sealed BLOB NOT NULL, last_step INTEGER NOT NULL, created_at INTEGER NOT NULL);
    CREATE TABLE audit(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, user INTEGER NOT NULL,
        outcome TEXT NOT NULL);";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["start"] => Ok(()),
        ["verify", store, name] => verify(store, name),
        ["batch", store] => batch(
            store,
            |_| Ok(()),
            |tx, lines| {
                for (name, code) in fields(lines) {
                    decide(tx, name, code.context("no code")?)?;
                }
                Ok(())
            },
        ),
        ["rows", store] => batch(store, rows::prepare, |tx, lines| {
            rows::write(tx, fields(lines).map(|(name, _)| name))
        }),
        ["fill", store, users] => fill(store, users.parse()?),
        _ => {
            println!("the floor of the benchmarks verify and fill, which run it");
            Ok(())
        }
    }
}

fn open(store: &str) -> Result<Connection> {
    let connection = Connection::open(store)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// SQLite's own checkpoint copies the log but leaves it as it is, for the next writer of the same
/// process to start anew. Where every process writes once, it would grow for ever.
fn close(connection: Connection, store: &str) -> Result<()> {
    if std::fs::metadata(format!("{store}-wal"))?.len() > LONGEST_LOG {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    }
    connection.close().map_err(|(_, e)| e.into())
}

fn verify(store: &str, name: &str) -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let mut connection = open(store)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    decide(&tx, name, line.trim_end())?;
    tx.commit()?;
    close(connection, store)?;
    println!("accepted");
    Ok(())
}

/// The same for lines of names and codes, so many to a commit; the statements are kept.
fn batch(
    store: &str,
    prepare: impl FnOnce(&Connection) -> Result<()>,
    write: impl Fn(&Transaction<'_>, &[String]) -> Result<()>,
) -> Result<()> {
    const TO_A_COMMIT: usize = 500;
    let mut connection = open(store)?;
    prepare(&connection)?;
    let lines: Vec<String> = std::io::stdin().lines().collect::<std::io::Result<_>>()?;
    for some in lines.chunks(TO_A_COMMIT) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write(&tx, some)?;
        tx.commit()?;
        print!("{}", "accepted\n".repeat(some.len()));
    }
    close(connection, store)
}

/// The name of each line, and the code after it.
fn fields(lines: &[String]) -> impl Iterator<Item = (&str, Option<&str>)> {
    lines.iter().map(|line| {
        let mut fields = line.split('\t');
        (fields.next().unwrap_or_default(), fields.next())
    })
}

fn decide(tx: &Transaction<'_>, name: &str, code: &str) -> Result<()> {
    let mut user = tx.prepare_cached("SELECT n, sealed, last_step FROM users WHERE name = ?1")?;
    let (n, sealed, last): (i64, Vec<u8>, i64) =
        user.query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().context("no nonce")?;
    let secret = XChaCha20Poly1305::new(&KEY.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: name.as_bytes() })
        .map_err(|_| anyhow!("altered"))?;
    let codes = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(PERIOD)
        .with_skew(0)
        .with_secret(secret.as_slice())
        .build()
        .map_err(|e| anyhow!("{e:?}"))?;
    let present = now / PERIOD;
    let found = (present - 1..=present + 1).fold(None, |newest, step| {
        codes.check(code, step * PERIOD).map(|_| step.cast_signed()).or(newest)
    });
    let Some(step) = found.filter(|step| *step > last) else { bail!("rejected") };
    let mut mark = tx.prepare_cached("UPDATE users SET last_step = ?1 WHERE n = ?2")?;
    ensure!(mark.execute((step, n))? == 1, "no row changed");
    let mut audit =
        tx.prepare_cached("INSERT INTO audit(at, user, outcome) VALUES (?1, ?2, 'accepted')")?;
    audit.execute((now.cast_signed(), n))?;
    Ok(())
}

fn fill(store: &str, users: u32) -> Result<()> {
    let mut connection = open(store)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.execute_batch(SCHEMA)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut user = tx.prepare("INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)")?;
        let mut audit =
            tx.prepare("INSERT INTO audit(at, user, outcome) VALUES (?1, ?2, 'enrol')")?;
        let cipher = XChaCha20Poly1305::new(&KEY.into());
        let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().cast_signed();
        for n in 0..users {
            let name = people::name(n);
            let nonce: [u8; NONCE] = people::bytes("nonce", n);
            let secret: [u8; 20] = people::bytes("secret", n);
            let payload = Payload { msg: &secret, aad: name.as_bytes() };
            let sealed = cipher
                .encrypt(&XNonce::from(nonce), payload)
                .map_err(|_| anyhow!("not to be sealed"))?;
            let sealed = [nonce.as_slice(), &sealed].concat();
            let (display, email) = (format!("User {n}"), format!("{name}@example.org"));
            user.execute((n, name, display, email, sealed, at))?;
            audit.execute((at, n))?;
        }
    }
    tx.commit()?;
    close(connection, store)
}
