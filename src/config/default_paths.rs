//! The default paths.

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::env::Env;
use crate::files::file_trust::system_uid;

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
        let euid = env.process.euid;
        if env.process.is_service || euid == 0 || system_uid() == Some(euid) {
            return Some(Self {
                store: "/var/lib/mfactl/mfactl.db".into(),
                key_file: "/etc/mfactl/mfactl.key".into(),
                config: "/etc/mfactl/config.toml".into(),
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
