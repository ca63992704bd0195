//! What lists and the log cost in a large store: every filter beside the same question to the `sqlite3`
//! program, `verify-log` in events a second, `changes` over a day and over nothing; and the same in
//! PostgreSQL.
//!
//! `cargo bench -- log [USERS [EVENTS]]`, 1 000 000 and 10 000 000 where nothing is said. Needs the
//! sqlite3 shell, GNU time for peaks, and Debian's PostgreSQL. `MFACTL_BENCH_STORE=FOLDER` keeps the
//! store there, or takes the one that is there.

#![expect(clippy::cast_precision_loss, reason = "events a second, to three digits")]

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::shared::measure::{Task, Walls, highest};
use crate::shared::programs::{self, MFACTL};

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

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 1_000_000)?;
    let events = crate::number(args, 1, 10_000_000)?;
    let kept = std::env::var_os("MFACTL_BENCH_STORE").map(PathBuf::from);
    let folder = tempfile::tempdir()?;
    let folder = kept.as_deref().unwrap_or(folder.path());
    if !folder.join("store.db").exists() {
        std::fs::create_dir_all(folder)?;
        programs::seed(folder, users, Some(events))?.wall()?;
    }
    let here = Site { store: text(&folder.join("store.db")), key: text(&folder.join("key")) };
    println!("\n## Lists of {users} users as CSV, beside `sqlite3 -csv`, {ROUNDS} rounds\n");
    println!("| | ms, median | x sqlite3, least / median | peak MiB |\n| --- | --- | --- | --- |");
    for (options, condition) in filters() {
        let sql = format!("{COLUMNS} {condition} ORDER BY u.name, d.n");
        let asked = Task::new("sqlite3", ["-csv", &here.store, &sql]);
        beside(&format!("`{options}`"), &here.list(options), &asked)?;
    }
    read_log(&here, events)?;

    let cluster =
        Cluster::start("the half in PostgreSQL").context("PostgreSQL is not installed")?;
    cluster.off();
    cluster.on_with("-c fsync=on -c shared_buffers=512MB -c max_wal_size=4GB");
    let there = Site { store: cluster.address(), key: here.key.clone() };
    let copied = here.task(&format!("copy-store --to {}", there.store)).wall()?;
    println!("\n`copy-store` to PostgreSQL: {:.0} s\n", copied.as_secs_f64());
    cluster.sql("mfactl", "VACUUM ANALYZE");
    println!("\n## Lists of {users} users as CSV, PostgreSQL, {ROUNDS} rounds\n");
    println!("| | ms, median | | peak MiB |\n| --- | --- | --- | --- |");
    for (options, _) in filters() {
        alone(&format!("`{options}`"), &there.list(options), |_| String::new())?;
    }
    read_log(&there, events)
}

fn read_log(site: &Site, events: u64) -> Result<()> {
    println!("\n## The log of {events} events\n");
    println!("| | ms, median | | peak MiB |\n| --- | --- | --- | --- |");
    let per_second = |ms: f64| format!("{:.0} events a second", events as f64 * 1000.0 / ms);
    alone("`verify-log`, every MAC", &site.task("verify-log"), per_second)?;
    alone("`log --format csv`, all of it", &site.task("log --format csv"), per_second)?;
    for (name, line) in [
        ("`log --last 20`", "log --last 20"),
        ("one user's last ten", "log --user user0000042 --last 10 --newest-first"),
        ("`changes` over 10 000 codes", "changes --since 24h"),
        ("`changes` over nothing", "changes --since 1s"),
        ("`list-status --at 24h`", "list-status --at 24h --format csv"),
        ("`metrics --without-log`", "metrics --without-log"),
        ("`check overdue`", "check overdue -c ~:"),
    ] {
        alone(name, &site.task(line), |_| String::new())?;
    }
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A store and its key.
struct Site {
    store: String,
    key: String,
}

impl Site {
    fn task(&self, line: &str) -> Task {
        let places = ["--store", &self.store, "--key-file", &self.key];
        Task::new(MFACTL, places.into_iter().chain(line.split_whitespace()))
    }

    fn list(&self, options: &str) -> Task {
        self.task(&format!("list-status --format csv {options}"))
    }
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
