//! Creates a store and its key; never overwrites either.

use std::path::PathBuf;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::transaction::require_agreement;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::config::Config;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::files::new_file::create_new_file;
use crate::keyring::{KeyId, RootKey, Vault, key_file};
use crate::store::location::StoreLocation;
use crate::store::{Access, Identity, initialize};

/// What [`create_store`] found or made.
pub struct Created {
    pub store: StoreLocation,
    pub key_file: PathBuf,
    pub store_is_new: bool,
    pub key_is_new: bool,
}

/// Opens the store for changes; creates a missing embedded store first and notes it.
pub fn open_or_create_store(app: &mut App<'_>) -> Result<OpenStore> {
    let config = &app.config;
    // A shared database is set up by `init` only.
    let may_create = matches!(config.store, StoreLocation::Sqlite(_));
    if may_create && !config.store.exists(&config.file_policy)? {
        let created = create_store(app)?;
        if created.key_is_new {
            app.note(&format!("made the key file {}", display_path(&created.key_file)));
        }
        if created.store_is_new {
            app.note(&format!("made the store {}", created.store));
            app.note(
                "keep a copy of the key file apart from the store: without it every user must enrol again",
            );
        }
    }
    app.open_store()
}

/// Migrates an older store to the current schema; `false` if it is current already.
pub fn migrate_store(app: &mut App<'_>) -> Result<bool> {
    let config = &app.config;
    if !config.store.exists(&config.file_policy)? {
        let message = format!("there is no store at {}", config.store);
        return Err(Refusal::new(ErrorCode::StoreUnavailable, message)
            .hint(command("init").after("make one with: "))
            .into());
    }
    let migrated = config.store.migrate(&config.file_policy)?;
    app.store_changed.set(migrated);
    Ok(migrated)
}

/// Creates the store and the key file, as far as they are missing; an existing key is used.
pub fn create_store(app: &mut App<'_>) -> Result<Created> {
    let at = app.env.clock.now()?;
    let store_id = Id::new(app.env.random()?);
    let record = AuditRecord { verb: "init", outcome: "done", ..AuditRecord::default() };
    let first = audit::store_event(app.env, at, record)?;
    let mut root = Zeroizing::new([0; RootKey::LENGTH]);
    app.env.rng.fill(&mut *root)?;
    let config = &app.config;
    let (file_policy, key_path) = (config.file_policy, config.key_file.clone());
    let purpose = config.key_file_kind;
    let store = config.store.clone();
    if store.exists(&file_policy)? {
        // Opening checks the file and the key, and refuses those of another store.
        app.open_store()?;
        return Ok(Created { store, key_file: key_path, store_is_new: false, key_is_new: false });
    }
    if purpose == FileKind::Key {
        file_policy.make_folder(&key_path, purpose)?;
    }
    let (root, key_is_new) =
        load_or_create_key(&file_policy, &key_path, purpose, RootKey::new(root))?;
    let vault = Vault::new(&root, store_id);
    let identity = Identity { store: store_id, key: root.id() };
    let clock = &*app.env.clock;
    let made = store.create(&file_policy, &vault, &mut |init| {
        require_agreement(clock, init.clock()?)?;
        initialize(init, identity, at)?;
        init.save(Vec::new(), vec![first.clone()]).map(drop)
    });
    let created = made.and_then(|store_is_new| {
        if !store_is_new {
            // Another process created it first, with this key or with another one.
            app.open_store()?;
        }
        app.store_changed.set(store_is_new);
        Ok(Created { store, key_file: key_path.clone(), store_is_new, key_is_new })
    });
    if created.is_err() && key_is_new && opens_no_store(app, root.id()) {
        let _ = std::fs::remove_file(&key_path);
    }
    created
}

/// Can the new key be deleted? If in doubt it can't: a commit that was not confirmed may have
/// created a store that needs the key.
fn opens_no_store(app: &mut App<'_>, key: KeyId) -> bool {
    let Config { store, file_policy, .. } = &*app.config;
    match store.exists(file_policy) {
        Ok(false) => true,
        Ok(true) => {
            store.open(Access::Read, file_policy).is_ok_and(|store| store.identity().key != key)
        }
        Err(_) => false,
    }
}

/// Loads the key file, or creates it with the new key if it is missing.
fn load_or_create_key(
    file_policy: &FilePolicy,
    path: &std::path::Path,
    purpose: FileKind,
    new: RootKey,
) -> Result<(RootKey, bool)> {
    let mut is_new = false;
    if !file_policy.check(path, purpose)? {
        is_new = create_new_file(path, key_file::write(&new).as_bytes())?;
        file_policy.share_file(path, FileKind::Key)?;
    }
    if is_new {
        return Ok((new, true));
    }
    file_policy.check(path, purpose)?;
    Ok((key_file::load(path, &display_path(path), None)?, false))
}
