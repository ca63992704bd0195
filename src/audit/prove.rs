//! Verifies the audit log and the records: every link of the hash chain, every MAC if the key is there, anchors,
//! and that the log and the users agree.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;

use anyhow::Result;

use crate::app::App;
use crate::config::COMMAND_LINE;
use crate::domain::audit::anchor::Anchor;
use crate::domain::audit::chain::Chain;
use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{Head, Subject};
use crate::domain::audit::proved_event::Mac;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::files::file_trust::display_path;
use crate::keyring::{Vault, key_file};
use crate::store::{LogStart, ReadTx, RowSource as _, SignedHead};

/// The result of verifying the log.
pub struct LogProof {
    pub store: Id,
    pub start: LogStart,
    /// The last intact event.
    pub head: Head,
    pub events: u64,
    /// The MACs were checked too; without the key only links, order and count are.
    pub has_macs: bool,
    /// Anchors of events that were pruned; they cannot be checked any more.
    pub pruned_anchors: u64,
    pub damage: Option<Damage>,
    /// Events whose personal fields `remove-user --erase` removed.
    pub erased_events: u64,
    pub records: RecordsProof,
}

impl LogProof {
    /// The first damage in words, of the log or of the records.
    pub fn problem(&self) -> Option<&str> {
        let log = self.damage.as_ref().map(|damage| damage.words.as_str());
        log.or(self.records.damage.as_deref())
    }
}

/// The result of checking users, devices, requests and the database's indexes.
#[derive(Default)]
pub struct RecordsProof {
    /// The number of users.
    pub users: u64,
    /// What was found first.
    pub damage: Option<String>,
    /// What is wrong with users, one each; not with all of them if there are many.
    pub of_users: Vec<Refusal>,
    /// For how many users something is wrong.
    pub damaged_users: u64,
}

/// The first damage found in a log.
pub struct Damage {
    /// The sequence number of the damaged event; `None` if no single event is damaged.
    pub event: Option<u64>,
    pub words: String,
}

impl Damage {
    fn at(event: u64, words: String) -> Self {
        Self { event: Some(event), words }
    }

    /// Damage that cannot be laid to a single event.
    fn of_log(words: String) -> Self {
        Self { event: None, words }
    }
}

/// Separates damage, which is an answer here, from errors.
fn read_or_damage<T>(result: Result<T>) -> Result<(Option<T>, Option<String>)> {
    let error = match result {
        Ok(read) => return Ok((Some(read), None)),
        Err(error) => error,
    };
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if matches!(refusal.code, ErrorCode::Damaged | ErrorCode::Tampered) => {
            Ok((None, Some(refusal.problem.clone())))
        }
        _ => Err(error),
    }
}

/// Verifies the log from its first event to its last. Damage is part of the result, not an
/// error.
pub fn prove_log(app: &mut App<'_>, anchors: &[Anchor]) -> Result<LogProof> {
    let mut store = app.reader()?;
    let identity = store.identity();
    if let Some(other) = anchors.iter().find(|a| a.store != identity.store) {
        let problem = format!("the anchor of {} belongs to another store", other.at);
        return Err(Refusal::bad_input("--anchor", problem)
            .hint("check it against the store that it was taken from")
            .into());
    }
    let vault = keyring_if_readable(app, identity.store, identity.key)?;
    let mut snapshot = store.read()?;
    let (start, unread_start) = read_or_damage(snapshot.log().start())?;
    let start = start.unwrap_or(LogStart { head: Head::START, at: None, mac: None });
    let (guarded, unread_end) = read_or_damage(snapshot.log().signed_head())?;
    let guarded = guarded.flatten();
    let bar = app
        .progress_bar(guarded.as_ref().map_or(0, |g| g.head.seq - start.head.seq.min(g.head.seq)));
    let mut anchors_by_event: BTreeMap<u64, Vec<&Anchor>> = BTreeMap::new();
    for anchor in anchors {
        anchors_by_event.entry(anchor.head.seq).or_default().push(anchor);
    }
    let mut chain = Chain::from(start.head);
    let created_at = read_or_damage(snapshot.created_at())?.0;
    chain.beginning = start.beginning(created_at.unwrap_or(Timestamp::from_unix(0)?));
    // Without the key nobody can tell which program pruned the log.
    chain.may_lack_users = match &vault {
        Some(vault) => start.may_lack_users(vault)?,
        None => start.head != Head::START,
    };
    let mut damage = unread_start
        .map(|why| Damage::of_log(format!("the beginning of the log can't be read: {why}")))
        .map_or_else(|| start_damage(&start, vault.as_ref()), |damage| Ok(Some(damage)))?;
    let mac = |head: &Head, subject: Option<Subject<'_>>, generation| {
        vault.as_ref()?.event_mac_by(generation, head, subject)
    };
    let mac: Option<Mac<'_>> = vault.is_some().then_some(&mac);
    for anchor in anchors_by_event.get(&start.head.seq).into_iter().flatten() {
        damage = damage.or_else(|| anchor_damage(anchor, &start.head));
    }
    if damage.is_none() {
        let walked = snapshot.log().chain(&mut |entry, proof| {
            damage = match chain.next(entry, proof, mac) {
                Ok(()) => anchors_by_event
                    .get(&proof.seq)
                    .into_iter()
                    .flatten()
                    .find_map(|anchor| anchor_damage(anchor, &chain.head)),
                Err(ChainError::Generation(other)) => {
                    vault.as_ref().map_or(Ok(()), |vault| vault.require(other))?;
                    None
                }
                Err(broken) => Some(Damage::at(proof.seq, broken.words(proof.seq))),
            };
            if chain.events.is_multiple_of(1024) {
                bar.set_position(chain.events);
            }
            Ok(damage.is_none())
        });
        // The driver does not number a row that it can't read: it follows the last intact event.
        let next = chain.head.seq + 1;
        let at_next = |why| Damage::at(next, format!("event {next} can't be read: {why}"));
        damage = damage.or(read_or_damage(walked)?.1.map(at_next));
    }
    let damage = damage.or_else(|| whole_damage(&chain, &start));
    let unread_end =
        unread_end.map(|why| Damage::of_log(format!("the guarded end can't be read: {why}")));
    let damage = match damage.or(unread_end) {
        None => end_damage(&chain, guarded.as_ref(), vault.as_ref())?,
        damage => damage,
    };
    let damage = damage.or_else(|| {
        anchors_by_event.range(chain.head.seq + 1..).next().map(|(seq, a)| {
            let words = format!(
                "the log ends at event {}, but on {} it had event {seq}: its end was cut off, or \
                 an older store was put back",
                chain.head.seq, a[0].at
            );
            Damage::of_log(words)
        })
    });
    bar.finish_and_clear();
    // Only a log that was verified to its end knows every user.
    let erased_events = chain.users.blank_events();
    let (head, events) = (chain.head, chain.events);
    let bar = app.progress_bar(chain.users.present());
    let log = Some(&mut chain).filter(|_| damage.is_none());
    let records = records_proof(&mut snapshot, vault.as_ref(), log, &mut || bar.inc(1));
    bar.finish_and_clear();
    Ok(LogProof {
        store: identity.store,
        head,
        events,
        erased_events,
        records: records?,
        has_macs: vault.is_some(),
        pruned_anchors: anchors_by_event.range(..start.head.seq).map(|(_, a)| a.len() as u64).sum(),
        damage,
        start,
    })
}

/// Checks the records, and the database's indexes on them and on the log.
fn records_proof(
    snapshot: &mut ReadTx<'_>,
    vault: Option<&Vault>,
    log: Option<&mut Chain>,
    progress: &mut dyn FnMut(),
) -> Result<RecordsProof> {
    let (users, damage) = read_or_damage(snapshot.check_records(vault, log, progress))?;
    let users = users.unwrap_or_default();
    let damage = damage.or_else(|| users.damages.first().map(|first| first.problem.clone()));
    let (indexes, unread_index) = read_or_damage(snapshot.check_indexes())?;
    let damage = match damage.or(unread_index) {
        None => indexes.flatten(),
        damage => damage,
    };
    Ok(RecordsProof {
        users: users.count,
        damage,
        of_users: users.damages,
        damaged_users: users.damaged,
    })
}

/// The keys of the store, if there is a key file that the operator may read.
fn keyring_if_readable(
    app: &mut App<'_>,
    store: Id,
    key: crate::keyring::KeyId,
) -> Result<Option<Vault>> {
    let config = &app.config;
    let path = &config.key_file;
    // An operator who passes --key-file wants the MACs checked.
    let is_named = config.origins.key_file == COMMAND_LINE;
    match File::open(path) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => return Ok(None),
        Err(e) if e.kind() == ErrorKind::NotFound && !is_named => return Ok(None),
        _ => {}
    }
    let shown = display_path(path);
    if !config.file_policy.check(path, config.key_file_kind)? {
        return Err(Refusal::new(ErrorCode::Key, format!("there is no key file at {shown}"))
            .hint("put the saved copy there, or leave --key-file out to skip the MACs")
            .into());
    }
    let root = key_file::load(path, &shown, Some(key))?;
    Ok(Some(Vault::new(&root, store)))
}

/// Was the log's starting point written with this store's key?
fn start_damage(start: &LogStart, vault: Option<&Vault>) -> Result<Option<Damage>> {
    let Some(vault) = vault else { return Ok(None) };
    let words = format!(
        "the beginning of the log was altered: it was never pruned up to event {}",
        start.head.seq
    );
    Ok((!start.is_authentic(vault)?).then(|| Damage::of_log(words)))
}

/// An event that differs from its anchor.
fn anchor_damage(anchor: &Anchor, head: &Head) -> Option<Damage> {
    let words = format!(
        "event {} differs from the anchor of {}: the log was rewritten",
        head.seq, anchor.at
    );
    (anchor.head != *head).then(|| Damage::at(head.seq, words))
}

/// What only the whole log shows: events without personal fields whose user was not erased, and a beginning that
/// does not fit.
fn whole_damage(chain: &Chain, start: &LogStart) -> Option<Damage> {
    if let Err((event, error)) = chain.users.check_erasures() {
        return Some(Damage::at(event, error.words(event)));
    }
    start.mismatch(chain).map(Damage::of_log)
}

/// An end that differs from the guarded head.
fn end_damage(
    chain: &Chain,
    guarded: Option<&SignedHead>,
    vault: Option<&Vault>,
) -> Result<Option<Damage>> {
    let missing = |words: String| Ok(Some(Damage::of_log(words)));
    let Some(guarded) = guarded else {
        return missing("the log has no guarded end any more".to_owned());
    };
    let (end, last) = (guarded.head.seq, chain.head.seq);
    if end > last {
        return Ok(Some(Damage::at(
            last + 1,
            match end - last {
                1 => format!("event {end} is missing: the end of the log was cut off"),
                _ => format!(
                    "events {} to {end} are missing: the end of the log was cut off",
                    last + 1
                ),
            },
        )));
    }
    if guarded.head != chain.head {
        return Ok(Some(Damage::at(
            end.max(1),
            format!("the guarded end of the log is event {end} and not event {last}"),
        )));
    }
    match vault {
        Some(vault) if !guarded.is_authentic(vault)? => {
            missing("the end of the log was not written with this store's key".to_owned())
        }
        _ => Ok(None),
    }
}
