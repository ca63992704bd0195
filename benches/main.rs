//! What `mfactl` costs. Each command prints ratios that were measured side by side in one run; nothing
//! passes or fails. `README.md` has the figures.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a program of its own, without the Env that the bans protect"
)]

mod batch;
mod client;
#[expect(dead_code, reason = "tests use more of it")]
#[path = "../tests/process/fleet/cluster.rs"]
mod cluster;
mod fill;
mod find;
mod fleet;
mod handout;
mod hosts;
mod list;
mod log;
mod pam;
mod seed;
mod serve;
mod sign_in;
mod tokens;
mod verify;

mod shared {
    pub mod codes;
    pub mod measure;
    pub mod pam;
    pub mod people;
    pub mod programs;
    pub mod verifier;
}

/// What the cluster asks of its surroundings.
mod support {
    pub fn leave_out(why: &str, what: &str) {
        println!("*** LEFT OUT: {what}: {why}");
    }
}

use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

/// A command: its name, its arguments, what it measures.
type Entry = (&'static str, &'static str, &'static str, fn(&[String]) -> Result<()>);

const COMMANDS: &[Entry] = &[
    (
        "verify",
        "[USERS]",
        "one verification beside the floor, in stores of up to USERS",
        verify::run,
    ),
    ("list", "[USERS]", "list-status beside the same query in sqlite3", list::run),
    ("find", "[USERS]", "a search beside the same LIKE in sqlite3", find::run),
    ("fill", "[USERS]", "filling a store beside the floor's bulk insert", fill::run),
    (
        "log",
        "[USERS [EVENTS]]",
        "every filter of list-status, and a long log; SQLite and PostgreSQL",
        log::run,
    ),
    (
        "handout",
        "[USERS]",
        "a page beside show-qr, and pages for a list beside enrolling it without",
        handout::run,
    ),
    ("sign_in", "", "sign-in beside one Argon2id and one verify", sign_in::run),
    (
        "tokens",
        "[TOKENS]",
        "the inventory beside sqlite3, and one verification of each kind",
        tokens::run,
    ),
    (
        "fleet",
        "[USERS]",
        "SQLite and PostgreSQL: verify alone and eight at once, copy-store",
        fleet::run,
    ),
    (
        "hosts",
        "[USERS]",
        "codes a second of 1, 2, 4 and 8 hosts, a millisecond away from PostgreSQL",
        hosts::run,
    ),
    (
        "serve",
        "[USERS]",
        "a verifier with 8 and 64 clients beside verify --batch, and one that nobody asks",
        serve::run,
    ),
    (
        "batch",
        "[CODES]",
        "verify --batch beside the floor, SQLite alone and one process per code",
        batch::run,
    ),
    (
        "client",
        "[USERS]",
        "a login through the socket beside pam_google_authenticator; needs root",
        client::run,
    ),
    ("pam", "", "one login through pamtester beside other modules; needs root", pam::run),
    (
        "seed",
        "FOLDER USERS [EVENTS]",
        "measures nothing: makes the stores of the other commands",
        seed::run,
    ),
];

fn main() -> Result<()> {
    // Cargo adds an option that tells a benchmark from a test.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some((name, args)) = words.split_first().filter(|(name, _)| !is_help(name)) else {
        list_commands();
        return Ok(());
    };
    let Some((.., run)) = COMMANDS.iter().find(|(command, ..)| command == name) else {
        list_commands();
        bail!("there is no benchmark called {name}");
    };
    run(args)
}

fn is_help(word: &str) -> bool {
    matches!(word, "--help" | "-h" | "help")
}

fn list_commands() {
    println!("Usage: cargo bench -- COMMAND [ARGUMENTS]\n");
    for (name, args, what, _) in COMMANDS {
        println!("  {:30} {what}", format!("{name} {args}"));
    }
}

/// An argument that is a number, or the number where it is left out.
fn number<N: FromStr>(args: &[String], at: usize, default: N) -> Result<N>
where
    N::Err: std::error::Error + Send + Sync + 'static,
{
    let Some(word) = args.get(at) else { return Ok(default) };
    word.parse().with_context(|| format!("{word:?} is no number"))
}
