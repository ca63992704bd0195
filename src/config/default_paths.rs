//! The default paths.

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::env::Env;
use crate::files::file_trust::{display_path, system_uid};

pub struct DefaultPaths {
    pub store: PathBuf,
    pub key_file: PathBuf,
    pub config: PathBuf,
}

impl DefaultPaths {
    /// The system's paths for root, the system user and every login service, the user's own otherwise;
    /// `None` for a user without a home directory.
    #[must_use]
    pub fn of(env: &Env) -> Option<Self> {
        if uses_machine_paths(env) {
            let (stores, settings) = machine_folders(env);
            return Some(Self {
                store: stores.join("mfactl.db"),
                key_file: settings.join("mfactl.key"),
                config: settings.join("config.toml"),
            });
        }
        let own = ProjectDirs::from("", "", "mfactl").filter(|d| d.data_dir().is_absolute())?;
        Some(Self {
            store: own.data_dir().join("mfactl.db"),
            key_file: own.config_dir().join("mfactl.key"),
            config: own.config_dir().join("config.toml"),
        })
    }
}

fn uses_machine_paths(env: &Env) -> bool {
    let euid = env.process.euid;
    env.process.is_service || euid == 0 || system_uid() == Some(euid)
}

/// The folders of the machine's store, and of its configuration and key.
fn machine_folders(env: &Env) -> (PathBuf, PathBuf) {
    let root = &env.process.root;
    (root.join("var/lib/mfactl"), root.join("etc/mfactl"))
}

/// Says where the machine has its store, or its configuration, to a user whose default paths are others.
#[must_use]
pub fn machine_place(env: &Env) -> Option<String> {
    if uses_machine_paths(env) {
        return None;
    }
    let (stores, settings) = machine_folders(env);
    if stores.is_dir() {
        return Some(format!("this machine's store is {}", display_path(&stores)));
    }
    let words = || format!("this machine's configuration is in {}", display_path(&settings));
    settings.is_dir().then(words)
}
