//! What SQLite alone takes for the rows that `mfactl` writes for a code: every statement of a batch, on a
//! store of its own making, with constants where it computes. No secret is opened, no code compared, no
//! MAC made: what comes out can't be verified by anybody.

use anyhow::{Context as _, Result, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

const USER: &str = "SELECT n, rev, id, name, display_name, email, language, groups, protected, \
    required, password_change, failures, wrong_codes, hour_codes, hour_start, lock_start, \
    lock_length, turned_away, told_at, created_at, last_verified_at, password, temporary_password, \
    temporary_until, required_from, enrolment_barred, lock_looks, recovery, bypass, undo, mac \
    FROM users WHERE name = ?1";
const DEVICES: &str = "SELECT n, id, label, kind, algorithm, digits, period, secret, state, \
    confirmed_at, expires_at, first_proof, replaces, revoked_at, was_disabled, last_step, \
    created_at, last_used_at, mac FROM devices WHERE \"user\" = ?1 ORDER BY n";
const NEWEST: &str = "SELECT rev FROM events WHERE user_id = ?1 ORDER BY seq DESC LIMIT 1";
const MARK_USER: &str =
    "UPDATE users SET last_verified_at = ?1, rev = ?2, mac = ?3 WHERE n = ?4 AND rev = ?5";
const MARK_DEVICE: &str =
    "UPDATE devices SET last_step = ?1, last_used_at = ?2, mac = ?3 WHERE n = ?4";
const EVENT: &str = "INSERT INTO events(seq, at, verb, outcome, operator_uid, user_id, status, rev, \
    factor, \"user\", device, salt, personal, hash, mac, was) VALUES (?1, ?2, 'verify', 'accepted', \
    0, ?3, 'enabled', ?4, 'totp', ?5, 'phone', ?6, ?7, ?7, ?7, ?8)";
const WAS: &str =
    r#"{"last_code":1790000000,"used":{"0123456789abcdef0123456789abcdef":1790000000}}"#;
const HASH: [u8; 32] = [7; 32];
const NOW: i64 = 1_790_000_000;

/// What `mfactl` sets besides for a change of many users.
pub fn prepare(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    Ok(())
}

/// The rows of so many users, in one transaction.
pub fn write<'n>(tx: &Transaction<'_>, names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut seq: i64 = tx.query_row("SELECT seq FROM audit_head", (), |row| row.get(0))?;
    for name in names {
        seq += 1;
        one(tx, name, seq)?;
    }
    ensure!(tx.execute("UPDATE audit_head SET seq = ?1, hash = ?2", (seq, HASH))? == 1, "no head");
    Ok(())
}

fn one(tx: &Transaction<'_>, name: &str, seq: i64) -> Result<()> {
    let mut user = tx.prepare_cached(USER)?;
    let columns = user.column_count();
    let user = user.query_row([name], |row| (0..columns).map(|n| row.get(n)).collect());
    let user: Vec<Value> = user?;
    let [Value::Integer(n), Value::Integer(rev), Value::Blob(id)] = &user[..3] else {
        anyhow::bail!("no row of a user")
    };
    let mut devices = tx.prepare_cached(DEVICES)?;
    let columns = devices.column_count();
    let device = devices.query_row([n], |row| (0..columns).map(|n| row.get(n)).collect());
    let device: Vec<Value> = device?;
    let newest: Option<i64> =
        tx.prepare_cached(NEWEST)?.query_row([id], |row| row.get(0)).optional()?;
    newest.context("no event")?;
    let mark = params![NOW, rev + 1, HASH, n, rev];
    ensure!(tx.prepare_cached(MARK_USER)?.execute(mark)? == 1, "no user");
    let mark = params![NOW / 30, NOW, HASH, device[0]];
    ensure!(tx.prepare_cached(MARK_DEVICE)?.execute(mark)? == 1, "no device");
    let event = params![seq, NOW, id, rev + 1, name, &HASH[..16], HASH, WAS];
    ensure!(tx.prepare_cached(EVENT)?.execute(event)? == 1, "no event");
    Ok(())
}
