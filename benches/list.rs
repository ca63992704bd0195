//! What `mfactl list-status --format csv` costs, beside the same query in `sqlite3 -csv`.
//!
//! `cargo bench -- list [USERS]`, 1 000 000 where nothing is said. Needs the sqlite3 shell.

use anyhow::Result;

use crate::shared::measure::{Task, Walls, highest};
use crate::shared::programs::{self, MFACTL};

const ROUNDS: u32 = 7;

/// The columns of the list as they are stored; only the times are written out, as the list has
/// them.
const COLUMNS: &str = "
    SELECT u.name, u.display_name, u.email, u.groups, d.state, u.required, u.lock_start,
        u.lock_length, u.password_change, d.label,
        strftime('%Y-%m-%dT%H:%M:%SZ', u.last_verified_at, 'unixepoch')
    FROM users u LEFT JOIN devices d ON d.\"user\" = u.n ORDER BY u.name, d.n";

/// The statement that the program itself runs, but for the secret and for `id`, which a terminal
/// can't show.
const WHOLE: &str = "
    SELECT hex(u.id), u.name, u.display_name, u.email, u.language, u.groups, u.protected, u.required,
        u.password_change, u.failures, u.wrong_codes, u.hour_codes, u.hour_start, u.lock_start,
        u.lock_length, u.turned_away, u.told_at, u.created_at, u.last_verified_at, u.rev,
        hex(d.id), d.label, d.kind, d.algorithm, d.digits, d.period, d.state, d.confirmed_at,
        d.expires_at, d.first_proof, d.replaces, d.revoked_at, d.was_disabled, d.last_step,
        d.created_at, d.last_used_at
    FROM users u LEFT JOIN devices d ON d.\"user\" = u.n ORDER BY u.name, d.n";

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 1_000_000)?;
    let folder = tempfile::tempdir()?;
    programs::seed(folder.path(), users, None)?.wall()?;
    let store = folder.path().join("store.db");
    let list = |format: &str| {
        let mut args = vec!["--store".into(), store.clone().into_os_string()];
        args.extend(["list-status", "--format", format].map(Into::into));
        Task::new(MFACTL, args)
    };
    let query = |format: &str, sql: &str| {
        Task::new("sqlite3", [format.as_ref(), store.as_os_str(), sql.as_ref()])
    };
    println!("\n## List of {users} users, {ROUNDS} rounds\n");
    println!("| | wall ms, least / median | x sqlite3, least / median | peak MiB |");
    println!("| --- | --- | --- | --- |");
    side_by_side(&[
        ("`sqlite3 -csv`, the columns of the list", query("-csv", COLUMNS)),
        ("`list-status --format csv`", list("csv")),
        ("`sqlite3 -csv`, every column that is read", query("-csv", WHOLE)),
    ])?;
    side_by_side(&[
        ("`sqlite3 -json`, the columns of the list", query("-json", COLUMNS)),
        ("`list-status --format json`", list("json")),
        ("`list-status --format jsonl`", list("jsonl")),
        ("`list-status` (a table)", list("table")),
    ])
}

fn side_by_side(tasks: &[(&str, Task)]) -> Result<()> {
    let mut walls: Vec<Walls> = tasks.iter().map(|_| Walls::default()).collect();
    for _ in 0..ROUNDS {
        for (walls, (_, task)) in walls.iter_mut().zip(tasks) {
            walls.push(task.wall()?);
        }
    }
    for (wall, (name, task)) in walls.iter().zip(tasks) {
        let (least, median) = (wall.least(), wall.median());
        let ratios = (least / walls[0].least(), median / walls[0].median());
        print!("| {name} | {least:.0} / {median:.0} | {:.2} / {:.2} |", ratios.0, ratios.1);
        println!(" {} |", highest(&[task.peak()?]));
    }
    Ok(())
}
