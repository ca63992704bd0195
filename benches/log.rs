//! What lists and the log cost in a large store: every filter beside the same question to the `sqlite3`
//! program, `verify-log` in events a second, `changes` beside the number of changes, and `verify` beside
//! the same in a store with a short log.
//!
//! `cargo bench --bench log [-- USERS EVENTS]`, 1 000 000 and 10 000 000 where nothing is said. Needs the
//! sqlite3 shell, and GNU time for peaks.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a program of its own, without the Env that the bans protect"
)]

mod shared {
    pub mod measure;
    pub mod programs;
}

use std::path::{Path, PathBuf};

use anyhow::Result;

use shared::measure::{Task, Walls, highest};
use shared::programs::built;

const ROUNDS: u32 = 5;

/// The columns of the list, as they are stored.
const COLUMNS: &str = "SELECT u.name, u.display_name, u.email, u.groups, d.state, u.required, \
    u.lock_start, u.lock_length, u.password_change, u.bypass, d.label, u.recovery, u.required_from, \
    strftime('%Y-%m-%dT%H:%M:%SZ', u.last_verified_at, 'unixepoch') \
    FROM users u LEFT JOIN devices d ON d.\"user\" = u.n";

const HAS: &str = "EXISTS (SELECT 1 FROM devices s WHERE s.\"user\" = u.n AND s.state = ";

/// Options, and what asks the same in SQL.
fn filters() -> Vec<(&'static str, String)> {
    vec![
        ("", String::new()),
        ("--without-mfa", format!("WHERE NOT {HAS}'active')")),
        ("--status enabled", format!("WHERE {HAS}'active')")),
        ("--status disabled", format!("WHERE {HAS}'disabled') AND NOT {HAS}'active')")),
        ("--group sales", "WHERE ' ' || u.groups || ' ' LIKE '% sales %'".to_owned()),
        (
            "--locked",
            "WHERE u.wrong_codes >= 100 OR u.lock_start + u.lock_length > unixepoch()".to_owned(),
        ),
        (
            "--pending-longer-than 7d",
            format!("WHERE {HAS}'pending' AND s.created_at < unixepoch() - 604800)"),
        ),
        (
            "--inactive-for 90d",
            "WHERE coalesce(u.last_verified_at, u.created_at) <= unixepoch() - 7776000".to_owned(),
        ),
        ("--never-used", "WHERE u.last_verified_at IS NULL".to_owned()),
        ("--overdue", format!("WHERE u.required_from <= unixepoch() AND NOT {HAS}'active')")),
        ("--due", format!("WHERE u.required_from > unixepoch() AND NOT {HAS}'active')")),
        ("--bypass", "WHERE u.bypass IS NOT NULL".to_owned()),
        (
            "--recovery-codes-below 3",
            "WHERE u.recovery IS NULL OR length(u.recovery) < 250".to_owned(),
        ),
    ]
}

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse::<u64>().ok());
    let users = numbers.next().unwrap_or(1_000_000);
    let events = numbers.next().unwrap_or(10_000_000);
    let kept = std::env::var_os("MFACTL_BENCH_STORE").map(PathBuf::from);
    let folder = tempfile::tempdir()?;
    let folder = kept.as_deref().unwrap_or(folder.path());
    if !folder.join("store.db").exists() {
        std::fs::create_dir_all(folder)?;
        let numbers = [users.to_string(), events.to_string()];
        Task::new(built("seed")?, [folder.as_os_str(), numbers[0].as_ref(), numbers[1].as_ref()])
            .wall()?;
    }
    let store = folder.join("store.db");
    println!("\n## Lists of {users} users as CSV, beside `sqlite3 -csv`, {ROUNDS} rounds\n");
    println!("| | ms, median | x sqlite3, least / median | peak MiB |\n| --- | --- | --- | --- |");
    for (options, condition) in filters() {
        let words =
            ["list-status", "--format", "csv"].into_iter().chain(options.split_whitespace());
        let sql = format!("{COLUMNS} {condition} ORDER BY u.name, d.n");
        let asked = Task::new("sqlite3", ["-csv".as_ref(), store.as_os_str(), sql.as_ref()]);
        beside(&format!("`{options}`"), &ours(folder, words), &asked)?;
    }
    println!("\n## The log of {events} events\n");
    println!("| | ms, median | | peak MiB |\n| --- | --- | --- | --- |");
    let per_second = |ms: f64| format!("{:.0} events a second", events as f64 * 1000.0 / ms);
    alone("`verify-log`, every MAC", &ours(folder, ["verify-log"]), per_second)?;
    alone("`log --format csv`, all of it", &ours(folder, ["log", "--format", "csv"]), per_second)?;
    let none = |_: f64| String::new();
    let user = "log --user user0000042 --last 10 --newest-first";
    alone("`log --last 20`", &ours(folder, ["log", "--last", "20"]), none)?;
    alone("one user's last ten", &ours(folder, user.split(' ')), none)?;
    let yesterday = "changes --since 24h";
    alone("`changes` over 10 000 codes", &ours(folder, yesterday.split(' ')), none)?;
    alone("`changes` over nothing", &ours(folder, "changes --since 1s".split(' ')), none)?;
    alone(
        "`list-status --at 24h`",
        &ours(folder, "list-status --at 24h --format csv".split(' ')),
        none,
    )?;
    alone("`metrics --without-log`", &ours(folder, ["metrics", "--without-log"]), none)?;
    alone("`check overdue`", &ours(folder, ["check", "overdue", "-c", "~:"]), none)
}

fn ours<'w>(folder: &Path, words: impl IntoIterator<Item = &'w str>) -> Task {
    let mut args = vec!["--store".into(), folder.join("store.db").into_os_string()];
    args.extend(["--key-file".into(), folder.join("key").into_os_string()]);
    args.extend(words.into_iter().map(Into::into));
    Task::new(env!("CARGO_BIN_EXE_mfactl"), args)
}

fn beside(name: &str, task: &Task, other: &Task) -> Result<()> {
    let (mut ours, mut theirs) = (Walls::default(), Walls::default());
    for _ in 0..ROUNDS {
        ours.push(task.wall()?);
        theirs.push(other.wall()?);
    }
    let (least, median) = (ours.least() / theirs.least(), ours.median() / theirs.median());
    let peak = highest(&[task.peak()?]);
    println!("| {name} | {:.0} | {least:.2} / {median:.2} | {peak} |", ours.median());
    Ok(())
}

fn alone(name: &str, task: &Task, told: impl Fn(f64) -> String) -> Result<()> {
    let mut walls = Walls::default();
    for _ in 0..ROUNDS {
        walls.push(task.wall()?);
    }
    let peak = highest(&[task.peak()?]);
    println!("| {name} | {:.0} | {} | {peak} |", walls.median(), told(walls.median()));
    Ok(())
}
