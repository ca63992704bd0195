//! What `mfactl find` costs, beside the same `LIKE` in the sqlite3 program.
//!
//! `cargo bench -- find [USERS]`, 1 000 000 where nothing is said. Needs the sqlite3 shell.

use anyhow::Result;

use crate::shared::measure::{Task, Walls, highest};
use crate::shared::programs::{self, MFACTL};

const ROUNDS: u32 = 7;

pub fn run(args: &[String]) -> Result<()> {
    let users: u32 = crate::number(args, 0, 1_000_000)?;
    let folder = tempfile::tempdir()?;
    programs::seed(folder.path(), users, None)?.wall()?;
    let store = folder.path().join("store.db");
    println!("\n## Search of {users} users, {ROUNDS} rounds\n");
    println!("| text | sqlite3 LIKE, ms | find, ms | x sqlite3, least / median | peak MiB |");
    println!("| --- | --- | --- | --- | --- |");
    for (text, exit) in [("nobody", 1), (&*(users / 2).to_string(), 0), ("user", 0)] {
        let like = |column: &str| format!("{column} LIKE '%{text}%'");
        let condition = ["name", "display_name", "email", "groups"].map(like).join(" OR ");
        let sql = format!("SELECT name, display_name, email, groups FROM users WHERE {condition}");
        // It lists everybody it finds, the program the best 100.
        let like = Task::new("sqlite3", [store.as_os_str(), sql.as_ref()]);
        let mut find = Task::new(MFACTL, ["--store".into(), store.clone().into_os_string()]);
        find.args.extend(["find", text].map(Into::into));
        find.exit = exit;
        let (mut theirs, mut ours) = (Walls::default(), Walls::default());
        for _ in 0..ROUNDS {
            theirs.push(like.wall()?);
            ours.push(find.wall()?);
        }
        let ratios = (ours.least() / theirs.least(), ours.median() / theirs.median());
        print!("| {text} | {:.0} | {:.0} | ", theirs.median(), ours.median());
        println!("{:.2} / {:.2} | {} |", ratios.0, ratios.1, highest(&[find.peak()?]));
    }
    Ok(())
}
