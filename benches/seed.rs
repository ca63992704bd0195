//! Fills a store with users through the library's store, as an import would: `seed FOLDER USERS`
//! makes `FOLDER/store.db` and `FOLDER/key`, and leaves the write-ahead log empty.
//!
//! Every user has one active authenticator and one event in the log, all in one transaction. With a third
//! argument, `seed FOLDER USERS EVENTS`, users differ (one in ten without MFA, some locked, pending or
//! disabled), and the log has so many more events of a year, and 10 000 codes of today.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use mfactl::domain::device::{Active, Device, Kind, Pending, State};
use mfactl::domain::event::{Event, Operator, Subject, Ticket};
use mfactl::domain::name::{Label, UserName};
use mfactl::domain::secret::{Id, Sealed, Secret};
use mfactl::domain::throttle::MOST_WRONG_CODES;
use mfactl::domain::time::{Span, Timestamp};
use mfactl::domain::totp::Parameters;
use mfactl::domain::user::User;
use mfactl::store::Store as _;
use mfactl::store::custody::Custody;
use mfactl::store::{Access, Identity, draft, sqlite};
use mfactl::vault::{RootKey, Vault, key_file};
use zeroize::Zeroizing;

use crate::shared::people;

/// When everybody enrolled: the autumn of 2025.
const ENROLLED: i64 = 1_760_000_000;
const YEAR: u64 = 365 * 24 * 3600;
/// Codes of today.
const TODAY: u32 = 10_000;

pub fn run(args: &[String]) -> Result<()> {
    match args {
        [folder, users] => seed(Path::new(folder), users.parse()?, None),
        [folder, users, events] => seed(Path::new(folder), users.parse()?, Some(events.parse()?)),
        _ => bail!("seed takes a folder, a number of users and at most a number of events"),
    }
}

fn seed(folder: &Path, users: u32, events: Option<u64>) -> Result<()> {
    let (store, key) = (folder.join("store.db"), folder.join("key"));
    let custody = Custody { euid: rustix::process::geteuid().as_raw(), ..Custody::default() };
    let (id, root) = (Id::new(people::bytes("store", 0)), people::bytes("root key", 0));
    let root = RootKey::new(Zeroizing::new(root));
    draft::place_new(&key, id, key_file::write(&root).as_bytes())?;
    let (identity, vault) = (Identity { store: id, key: root.id() }, Vault::new(&root, id));
    // Before everything else in the log: what is asked since a moment begins at the first event that is
    // not older.
    let enrolled = Timestamp::from_unix(ENROLLED)?;
    let first = Event { verb: "init", outcome: "done", ..event(None, enrolled) };
    let made = sqlite::create(&store, &custody, &vault, id, &mut |birth| {
        birth.found(identity, enrolled)?;
        birth.append(&first, people::bytes("salt", 0)).map(|_| ())
    })?;
    ensure!(made, "there is a store in {} already", folder.display());
    fill(&store, &vault, &custody, users, events)?;
    // What an import leaves in the log is no part of what a verification costs.
    rusqlite::Connection::open(&store)?
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(())
}

fn fill(
    store: &Path,
    vault: &Vault,
    custody: &Custody,
    users: u32,
    events: Option<u64>,
) -> Result<()> {
    let mut store = sqlite::open(store, Access::Write, custody)?;
    let enrolled = Timestamp::from_unix(ENROLLED)?;
    let mut tx = store.begin(vault)?;
    for n in 0..users {
        let user = one(n, enrolled, vault, events.is_some())?;
        tx.insert(&user)?;
        tx.append(&event(Some(&user), enrolled), people::bytes("salt", n))?;
    }
    let Some(events) = events else { return tx.commit() };
    for n in 0..events {
        let user = one(u32::try_from(n % u64::from(users))?, enrolled, vault, true)?;
        let at = enrolled.plus(Span::seconds(YEAR * n / events));
        let event = Event { verb: "verify", outcome: "accepted", ..event(Some(&user), at) };
        tx.append(&event, people::bytes("salt", u32::try_from(n % 65_536)?))?;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    for n in 0..TODAY.min(users) {
        let before = one(n, enrolled, vault, true)?;
        let at = Timestamp::from_unix(now.cast_signed() - i64::from(TODAY - n))?;
        let mut after = before.clone();
        after.last_verified_at = Some(at);
        after.rev = tx.save(&before, &after)?;
        let event = Event { verb: "verify", outcome: "accepted", ..event(Some(&after), at) };
        tx.append(&event, people::bytes("salt", n))?;
    }
    tx.commit()
}

/// A user; where they differ, one in ten has no device, and a few are disabled, pending or locked.
fn one(n: u32, enrolled: Timestamp, vault: &Vault, they_differ: bool) -> Result<User> {
    let mut user = user(n, enrolled, vault)?;
    if !they_differ {
        return Ok(user);
    }
    if n.is_multiple_of(7) {
        user.profile.groups = vec!["sales".to_owned(), "staff".to_owned()];
    }
    let device = user.devices.remove(0);
    match n {
        n if n % 10 == 1 => user.last_verified_at = None,
        n if n % 50 == 2 => user.devices.push(device.disabled()),
        n if n % 100 == 3 => {
            let pending = Pending {
                expires_at: enrolled.plus(Span::hours(72)),
                first_proof: None,
                replaces: Vec::new(),
            };
            user.devices.push(Device { state: State::Pending(pending), ..device });
        }
        _ => user.devices.push(device),
    }
    if n % 200 == 4 {
        user.throttle.wrong_codes = MOST_WRONG_CODES;
    }
    Ok(user)
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

fn event(user: Option<&User>, at: Timestamp) -> Event {
    Event {
        at,
        verb: "enrol",
        outcome: "done",
        operator: Operator::default(),
        ticket: Ticket::default(),
        subject: user.map(|user| Subject {
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
