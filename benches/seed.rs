//! Fills a store with users through the library's store, as an import would: `seed FOLDER USERS`
//! makes `FOLDER/store.db` and `FOLDER/key`, and leaves the write-ahead log empty.
//!
//! Every user has one active authenticator and one event in the log, all in one transaction.

#![expect(clippy::disallowed_macros, reason = "a program of its own, without the Env to write to")]

mod shared {
    pub mod people;
}

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use mfactl::domain::device::{Active, Device, Kind, State};
use mfactl::domain::event::{Event, Operator, Subject, Ticket};
use mfactl::domain::name::{Label, UserName};
use mfactl::domain::secret::{Id, Sealed, Secret};
use mfactl::domain::time::{Span, Timestamp};
use mfactl::domain::totp::Parameters;
use mfactl::domain::user::User;
use mfactl::store::Store as _;
use mfactl::store::custody::Custody;
use mfactl::store::{Access, sqlite};
use mfactl::vault::{Vault, key_file};
use zeroize::Zeroizing;

use shared::people;

/// When everybody enrolled: the autumn of 2025.
const ENROLLED: i64 = 1_760_000_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [folder, users] = &args[..] {
        return seed(Path::new(folder), users.parse()?);
    }
    println!("seed FOLDER USERS; the benchmarks verify, list and fill run it");
    Ok(())
}

fn seed(folder: &Path, users: u32) -> Result<()> {
    let (store, key) = (folder.join("store.db"), folder.join("key"));
    let made = Command::new(env!("CARGO_BIN_EXE_mfactl"))
        .arg("--store")
        .arg(&store)
        .arg("--key-file")
        .arg(&key)
        .args(["init", "--quiet"])
        .status()?;
    ensure!(made.success(), "mfactl init: {made}");
    let custody = Custody { euid: rustix::process::geteuid().as_raw(), ..Custody::default() };
    fill(&store, &key, &custody, users)?;
    // What an import leaves in the log is no part of what a verification costs.
    rusqlite::Connection::open(&store)?
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(())
}

fn fill(store: &Path, key: &Path, custody: &Custody, users: u32) -> Result<()> {
    let mut store = sqlite::open(store, Access::Write, custody)?;
    let identity = store.identity();
    let vault = Vault::new(&key_file::load(key, "key", Some(identity.key))?, identity.store);
    let enrolled = Timestamp::from_unix(ENROLLED)?;
    let mut tx = store.begin(&vault)?;
    for n in 0..users {
        let user = user(n, enrolled, &vault)?;
        tx.insert(&user)?;
        tx.append(&event(&user, enrolled), people::bytes("salt", n))?;
    }
    tx.commit()
}

fn user(n: u32, enrolled: Timestamp, vault: &Vault) -> Result<User> {
    let name = people::name(n);
    let id = Id::new(people::bytes("user", n));
    let mut user = User::new(id, UserName::parse(&name)?, enrolled);
    user.profile.display_name = Some(format!("User {n}"));
    user.profile.email = Some(format!("{name}@example.org"));
    user.profile.groups = vec!["staff".to_owned()];
    // Two of three have used it since.
    let last = (!n.is_multiple_of(3)).then(|| enrolled.plus(Span::hours(u64::from(n % 1000) + 1)));
    user.last_verified_at = last;
    let mut device = Device {
        id: Id::new(people::bytes("device", n)),
        label: Label::parse("phone")?,
        kind: Kind::Totp,
        parameters: Parameters::COMMON,
        secret: Sealed(Vec::new()),
        state: State::Active(Active { confirmed_at: enrolled }),
        last_step: last.map(|t| Parameters::COMMON.step(t)),
        created_at: enrolled,
        last_used_at: last,
    };
    let secret = Secret::new(Zeroizing::new(people::bytes::<20>("secret", n).to_vec()));
    device.secret = vault.seal(id, &device, &secret, people::bytes("nonce", n))?;
    user.devices.push(device);
    Ok(user)
}

fn event(user: &User, at: Timestamp) -> Event {
    Event {
        at,
        verb: "enrol",
        outcome: "done",
        operator: Operator::default(),
        ticket: Ticket::default(),
        subject: Some(Subject {
            id: user.id,
            name: user.name.as_str().to_owned(),
            status: user.status().word(),
            rev: user.rev,
            device: Some("phone".to_owned()),
            factor: Some("totp"),
        }),
        detail: None,
    }
}
