//! What a login costs through the socket of a verifier: a client that does nothing else beside
//! `pam_google_authenticator`, and `verify --from pam` as a client beside the same that opens store and key itself.
//!
//! `cargo bench -- client [USERS]`, as root: USERS is the size of the largest store.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls};
use crate::shared::pam::{PamServices, google_authenticator, google_file, limit_descriptors};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};
use crate::shared::verifier::{Client, Verifier, question};

const ROUNDS: u32 = 81;
const NAMES: [&str; 6] = [
    "pamtester with pam_permit",
    "pamtester with pam_google_authenticator",
    "a client, from connecting to the verdict",
    "a client, from the code to the verdict",
    "`verify --from pam` by itself",
    "`verify --from pam` through the socket",
];

pub fn run(args: &[String]) -> Result<()> {
    let largest = crate::number(args, 0, 1_000_000)?;
    limit_descriptors()?;
    for users in [10_000, largest] {
        measure(users)?;
    }
    Ok(())
}

fn measure(users: u32) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    programs::seed(path, users, None)?.wall()?;
    let google = path.join("google");
    std::fs::create_dir(&google)?;
    let at = |file: &str| path.join(file).to_string_lossy().into_owned();
    let (store, key, socket) = (at("store.db"), at("key"), at("verify"));
    let verifier = Verifier::start(&store, &key, path.join("verify"))?;
    let services = PamServices::new(&["pam_permit.so".to_owned(), google_authenticator(&google)])?;
    let mut walls: [Walls; NAMES.len()] = Default::default();
    let mut next = 0_u32;
    // Each way asks about a user of its own: all share a store, and a code is accepted once.
    let mut someone = || {
        next = next.wrapping_add(7919);
        next % users
    };
    for _ in 0..ROUNDS {
        let n = someone();
        google_file(&google, n)?;
        walls[0].push(services.login(0, n)?.wall()?);
        walls[1].push(services.login(1, n)?.wall()?);
        let asked = question(someone())?;
        let start = Instant::now();
        let client = Client::connect(&verifier.socket)?;
        let connected = start.elapsed();
        client.ask(&asked)?;
        client.hear_yes()?;
        let whole = start.elapsed();
        walls[2].push(whole);
        walls[3].push(whole.saturating_sub(connected));
        let by_itself = ["--store", &store, "--key-file", &key, "verify", "--from", "pam"];
        walls[4].push(login(by_itself.iter().chain(&["--socket", "none"]), someone())?);
        let through = ["verify", "--from", "pam", "--socket", &socket];
        walls[5].push(login(through.iter(), someone())?);
    }
    println!("\n## A login through the socket, {users} users, {ROUNDS} rounds in turn\n");
    println!("| | ms, least | median |\n| --- | --- | --- |");
    for (wall, name) in walls.iter().zip(NAMES) {
        println!("| {name} | {:.2} | {:.2} |", wall.least(), wall.median());
    }
    let [permit, google, whole, typed, itself, through] = walls.each_ref().map(Walls::median);
    let google = google - permit;
    println!("\npam_google_authenticator over pam_permit: {google:.2} ms.");
    println!(
        "A client from the code: {:.2} x that; from connecting: {:.2}.",
        typed / google,
        whole / google
    );
    println!("`verify --from pam` through the socket: {:.2} x by itself.", through / itself);
    Ok(())
}

fn login<'w>(words: impl Iterator<Item = &'w &'w str>, n: u32) -> Result<Duration> {
    let variables = [("PAM_TYPE", "auth"), ("PAM_USER", &people::name(n)), ("PAM_SERVICE", "sshd")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let task = Task::new(MFACTL, words.copied());
    Task { input: code(n, 0)?, variables: variables.to_vec(), ..task }.wall()
}
