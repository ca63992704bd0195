//! Fills a store with users through the library's store, as an import would: `seed FOLDER USERS`
//! makes `FOLDER/store.db` and `FOLDER/key`, and leaves the write-ahead log empty.
//!
//! Every user has one active authenticator and one event in the log, all in one transaction. With a third
//! argument, `seed FOLDER USERS EVENTS`, users differ (one in ten without MFA, some locked, pending or
//! disabled), and the log has so many more events of a year, and 10 000 codes of today.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use mfactl::bench::{
    Accepted, Access, Active, Change, Device, DeviceState, Event, EventSubject, Factor, FilePolicy,
    Id, Identity, Label, MOST_WRONG_CODES, NewEvent, Operator, Parameters, Pending, RootKey,
    Sealed, Secret, Span, Store as _, Ticket, Timestamp, User, UserName, Vault, create_new_file,
    initialize, key_file, sqlite,
};
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
    let file_policy =
        FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() };
    let (id, root) = (Id::new(people::bytes("store", 0)), people::bytes("root key", 0));
    let root = RootKey::new(Zeroizing::new(root));
    create_new_file(&key, key_file::write(&root).as_bytes())?;
    let (identity, vault) = (Identity { store: id, key: root.id() }, Vault::new(&root, id));
    // Before everything else in the log: what is asked since a moment begins at the first event that is
    // not older.
    let enrolled = Timestamp::from_unix(ENROLLED)?;
    let first = Event { verb: "init", outcome: "done", ..event(None, enrolled) };
    let made = sqlite::create(&store, &file_policy, &vault, &mut |tx| {
        initialize(tx, identity, enrolled)?;
        tx.save(Vec::new(), vec![salted(first.clone(), 0)]).map(drop)
    })?;
    ensure!(made, "there is a store in {} already", folder.display());
    fill(&store, &vault, &file_policy, users, events)?;
    // What an import leaves in the log is no part of what a verification costs.
    rusqlite::Connection::open(&store)?
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(())
}

fn fill(
    store: &Path,
    vault: &Vault,
    file_policy: &FilePolicy,
    users: u32,
    events: Option<u64>,
) -> Result<()> {
    let mut store = sqlite::open(store, Access::Write, file_policy)?;
    let enrolled = Timestamp::from_unix(ENROLLED)?;
    let mut tx = store.begin(vault)?;
    for n in 0..users {
        let user = one(n, enrolled, vault, events.is_some())?;
        let event = event(Some(&user), enrolled);
        tx.save(vec![Change::Insert(user)], vec![salted(event, n)])?;
    }
    let Some(events) = events else { return tx.commit() };
    for n in 0..events {
        let user = one(u32::try_from(n % u64::from(users))?, enrolled, vault, true)?;
        let at = enrolled.plus(Span::seconds(YEAR * n / events));
        let event = Event { verb: "verify", outcome: "accepted", ..event(Some(&user), at) };
        let event = salted(event, u32::try_from(n % 65_536)?);
        tx.save(vec![Change::Keep(user)], vec![event])?;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    for n in 0..TODAY.min(users) {
        let before = one(n, enrolled, vault, true)?;
        let at = Timestamp::from_unix(now.cast_signed() - i64::from(TODAY - n))?;
        let mut after = before.clone();
        after.last_verified_at = Some(at);
        let event = Event { verb: "verify", outcome: "accepted", ..event(Some(&after), at) };
        tx.save(vec![Change::Update { before, after }], vec![salted(event, n)])?;
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
            user.devices.push(Device { state: DeviceState::Pending(pending), ..device });
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
        factor: Factor::Totp(Parameters::COMMON),
        serial: None,
        secret: Sealed(Vec::new()),
        state: DeviceState::Active(Active { confirmed_at: enrolled }),
        position: last.map(|t| Parameters::COMMON.step(t)),
        created_at: enrolled,
        last_used_at: last,
        accepted: Accepted::default(),
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
        subject: user.map(|user| EventSubject {
            id: user.id,
            device: Some("phone".to_owned()),
            factor: Some("totp"),
        }),
        token: None,
        detail: None,
    }
}

fn salted(event: Event, n: u32) -> NewEvent {
    NewEvent { event, salt: people::bytes("salt", n) }
}
