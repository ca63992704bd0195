//! What one `mfactl sign-in` costs as a whole process, beside one Argon2id and one `mfactl verify` in
//! the same run.
//!
//! `cargo bench -- sign_in`

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use mfactl::bench::{HashCost, Password, hash};

use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls, highest};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

const PASSWORD: &str = "correct horse battery staple";
/// No user signs in twice, so that every code is fresh.
const USERS: u32 = 100;

pub fn run(_: &[String]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    programs::seed(folder.path(), USERS, None)?.wall()?;
    let password = Password::read("password", PASSWORD)?;
    let rounds = USERS / 2;
    for n in 0..rounds {
        let set = Task { input: PASSWORD.into(), ..call(folder.path(), "set-password", n) };
        set.wall()?;
    }
    let (mut slow, mut fast, mut whole) = (Walls::default(), Walls::default(), Walls::default());
    for n in 0..rounds {
        let start = Instant::now();
        let salt = people::bytes::<16>("salt", n);
        std::hint::black_box(hash(&password, HashCost::DEFAULT, &salt)?);
        slow.push(start.elapsed());
        let other = rounds + n;
        let verify = Task { input: code(other, 0)?, ..call(folder.path(), "verify", other) };
        fast.push(verify.wall()?);
        let code = code(n, 0)?;
        let line = format!("{{\"password\":\"{PASSWORD}\",\"code\":\"{}\"}}\n", code.trim());
        whole.push(Task { input: line, ..call(folder.path(), "sign-in", n) }.wall()?);
    }
    println!("\n## Sign-in, {rounds} rounds\n\n| | wall ms, least / median |\n| --- | --- |");
    for (name, walls) in [("Argon2id", &slow), ("verify", &fast), ("sign-in", &whole)] {
        println!("| {name} | {:.1} / {:.1} |", walls.least(), walls.median());
    }
    let ratio = whole.median() / (slow.median() + fast.median());
    let last = Task {
        input: "{\"password\":\"wrong\"}\n".into(),
        exit: 1,
        ..call(folder.path(), "sign-in", 0)
    };
    println!("\nPeak memory: {} MiB.", highest(&[last.peak()?]));
    println!("\nSign-in beside one Argon2id and one verify: {ratio:.2}.");
    Ok(())
}

fn call(folder: &Path, verb: &str, n: u32) -> Task {
    let text = |file| folder.join(file).to_string_lossy().into_owned();
    let name = people::name(n);
    let line = ["--store", &text("store.db"), "--key-file", &text("key"), verb, &name];
    Task::new(MFACTL, line.map(str::to_owned))
}
