//! Writes the whole store to a backup file, and restores it.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::app::operator_files;
use crate::app::transaction::require_agreement;
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::audit::event::{Head, Ticket};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::files::file_trust::display_path;
use crate::files::operator_file;
use crate::keyring::{Vault, key_file};
use crate::store::backup;
use crate::store::backup::{BackupHeader, BackupReader};
use crate::store::{ActivitySince, WriteTx, import_rows};

/// How many of the users who lose changes are named.
const MAX_NAMED: u32 = 10;

/// What a restore would do.
pub struct RestorePlan {
    pub header: BackupHeader,
    /// Changes in the current store that the backup lacks.
    pub lost: ActivitySince,
    /// Neither log continues the other: the store or the backup comes from an earlier restore.
    pub has_diverged: bool,
    vault: Vault,
    target: Option<(OpenStore, Head)>,
}

impl RestorePlan {
    /// Would the restore replace an existing store?
    #[must_use]
    pub const fn replaces(&self) -> bool {
        self.target.is_some()
    }

    #[must_use]
    pub fn lost_events(&self) -> u64 {
        self.lost.verbs.iter().map(|(_, count)| count).sum()
    }
}

/// The message if the proof found damage; other errors stay errors.
fn damage_message(proved: Result<()>) -> Result<Option<String>> {
    let Err(error) = proved else { return Ok(None) };
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if matches!(refusal.code, ErrorCode::Tampered | ErrorCode::Damaged) => {
            Ok(Some(refusal.to_string()))
        }
        _ => Err(error),
    }
}

/// Writes a consistent copy of the store to a new file while others go on writing. A tampered
/// store is copied too, as evidence; the damage is returned and printed as a warning.
pub fn take_backup(app: &mut App<'_>, path: &Path) -> Result<(BackupHeader, Option<String>)> {
    let mut file = operator_files::new_file(app, path, "FILE")?;
    let mut opened = app.open_store()?;
    let mut source = app.reader()?;
    let mut rows = source.read()?;
    let at = app.env.clock.now()?;
    let header = BackupHeader::new(opened.store.identity(), &mut rows, at)?;
    let counts = header.counts();
    let bar = app.progress_bar(counts.rows() + counts.users + counts.events);
    let vault = &opened.vault;
    let mut step = || bar.inc(1);
    let written = backup::write(&mut file, &header, vault, &mut rows, &mut step);
    let proved = written.and_then(|()| damage_message(rows.check_all(vault, &mut step)));
    bar.finish_and_clear();
    let damage = proved?;
    file.sync().with_context(|| format!("{} can't be written", display_path(path)))?;
    drop(rows);
    // Logged once the file is complete, so that the log has no backup that failed.
    let head = header.head()?;
    let detail = json!({ "users": header.users, "events": head.seq }).to_string();
    write_tx(app, &mut opened, |app, mut write| {
        let detail = Some(detail.clone());
        let record =
            AuditRecord { verb: "backup", outcome: "done", detail, ..AuditRecord::default() };
        audit::append_store_event(app.env, &mut write.tx, write.at, record)?;
        write.commit()
    })?;
    file.keep();
    if let Some(damage) = &damage {
        app.warn(&format!("{damage}; restore refuses this backup"));
    }
    Ok((header, damage))
}

/// Verifies a backup and compares it with the current store. A backup of another key is `key`;
/// another store at its location is `cannot_create`.
pub fn plan_restore(app: &mut App<'_>, path: &Path) -> Result<RestorePlan> {
    let header = BackupReader::open(backup_file(app, path)?)?.header;
    let identity = header.identity()?;
    let config = &app.config;
    let shown = display_path(&config.key_file);
    let (file_policy, key_path) = (config.file_policy, config.key_file.clone());
    if !file_policy.check(&key_path, config.key_file_kind)? {
        return Err(Refusal::new(ErrorCode::Key, format!("there is no key file at {shown}"))
            .hint(format!("put the saved copy of key {} there", identity.key))
            .into());
    }
    let root = key_file::load(&key_path, &shown, Some(identity.key))?;
    let vault = Vault::new(&root, identity.store);
    let (target, here) = match target(app, identity.store)? {
        Some((opened, head)) => (Some(opened), head),
        None => (None, Head { seq: 0, hash: [0; 32] }),
    };
    let head = header.head()?;
    let bar = app.progress_bar(header.counts().rows());
    let there =
        BackupReader::open(backup_file(app, path)?)?.verify(&vault, here.seq, &mut || bar.inc(1));
    bar.finish_and_clear();
    let there = there?;
    let mut plan = RestorePlan {
        header,
        lost: ActivitySince::default(),
        has_diverged: false,
        vault,
        target: None,
    };
    if let Some(opened) = target {
        let mut reader = app.reader()?;
        let mut snapshot = reader.read()?;
        plan.has_diverged = if here.seq <= head.seq {
            here.seq > 0 && there.as_deref() != Some(&here.hash[..])
        } else {
            head.seq > 0 && snapshot.log().event_hash(head.seq)?.as_deref() != Some(&head.hash[..])
        };
        plan.lost = snapshot
            .log()
            .activity_since(if plan.has_diverged { 0 } else { head.seq }, MAX_NAMED)?;
        plan.lost.verbs.retain(|(verb, _)| verb != "backup");
        plan.target = Some((opened, here));
    }
    Ok(plan)
}

/// Restores the backup, all of it or nothing. Fails with `busy` if the store changed since
/// [`plan_restore`].
pub fn restore(
    app: &mut App<'_>,
    path: &Path,
    plan: RestorePlan,
    ticket: &Ticket,
) -> Result<BackupHeader> {
    let lost = plan.lost_events();
    let RestorePlan { header, vault, target, .. } = plan;
    let identity = header.identity()?;
    let at = app.env.clock.now()?;
    let detail = json!({ audit::TAKEN_AT: header.taken_at, "lost_events": lost }).to_string();
    let record = AuditRecord {
        verb: "restore",
        outcome: "done",
        ticket: ticket.clone(),
        detail: Some(detail),
        ..AuditRecord::default()
    };
    let event = audit::store_event(app.env, at, record)?;
    let mut backup = BackupReader::open(backup_file(app, path)?)?;
    let bar = app.progress_bar(header.counts().progress_steps());
    let config = &app.config;
    let (store, file_policy) = (config.store.clone(), config.file_policy);
    let clock = &*app.env.clock;
    let mut content = |target: &mut WriteTx<'_>| {
        require_agreement(clock, target.clock()?)?;
        import_rows(target, identity, &mut backup, &mut || bar.inc(1))?;
        backup.finish(&vault)?;
        target.save(Vec::new(), vec![event.clone()]).map(drop)
    };
    let done = match target {
        None => store.create(&file_policy, &vault, &mut content),
        Some((mut opened, head)) => opened.store.replace_all(&vault, &head).and_then(|mut tx| {
            content(&mut tx)?;
            tx.commit().map(|()| true)
        }),
    };
    bar.finish_and_clear();
    if done? {
        app.store_changed.set(true);
        return Ok(header);
    }
    Err(Refusal::new(ErrorCode::Busy, "another process created a store there meanwhile")
        .hint("inspect that store, then try again")
        .into())
}

/// The existing store, and the head of its log.
fn target(app: &mut App<'_>, backed_up: Id) -> Result<Option<(OpenStore, Head)>> {
    let config = &app.config;
    let location = config.store.clone();
    if location.is_free(&config.file_policy)? {
        return Ok(None);
    }
    let opened = app.open_store()?;
    if opened.store.identity().store != backed_up {
        let message = format!("there is another store at {location}, not the one backed up");
        return Err(Refusal::new(ErrorCode::CannotCreate, message)
            .hint("name a location without a store, or move that store away first")
            .into());
    }
    let head = app.reader()?.read()?.log().head()?;
    Ok(Some((opened, head)))
}

fn backup_file(app: &App<'_>, path: &Path) -> Result<File> {
    Ok(operator_file::open(path, &app.env.process, "FILE")?)
}
