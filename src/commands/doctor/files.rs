//! The files of store and key: who shares them, the room on their disk, and the files beside the store.

use std::os::unix::fs::MetadataExt as _;

use super::{Health, HealthCheck, safe};
use crate::config::Config;
use crate::files::file_trust::{FileKind, folder_of, path_argument};
use crate::store::location::StoreLocation;

/// Only if the configuration names a group that shares store or key.
pub fn sharing(config: &Config) -> Option<HealthCheck> {
    let file_policy = config.file_policy;
    file_policy.readers.or(file_policy.writers).or(file_policy.key_group)?;
    let files = match &config.store {
        StoreLocation::Sqlite(_) => config.store.files(),
        StoreLocation::Postgres(_) => Vec::new(),
    };
    let mut missing = Vec::new();
    let of_store =
        files.iter().flat_map(|file| file_policy.sharing_commands(file, FileKind::Store));
    for fix in of_store.chain(file_policy.sharing_commands(&config.key_file, config.key_file_kind))
    {
        // The files of a store share a folder, whose problem is reported once.
        if !missing.contains(&fix) {
            missing.push(fix);
        }
    }
    let (state, words) = if missing.is_empty() {
        (Health::Good, "store and key are shared as configured".to_owned())
    } else {
        (Health::Warning, format!("the group cannot access everything yet: {}", missing.join("; ")))
    };
    Some(HealthCheck { what: "sharing", state, words: safe(&words) })
}

/// Less room than this is a warning: the write-ahead log of a large change, and the copy of a backup, take some.
const LITTLE_ROOM: u64 = 64 << 20;

/// The room on the disk of the store; `None` for a store on a server.
pub fn disk(config: &Config) -> Option<HealthCheck> {
    let StoreLocation::Sqlite(path) = &config.store else { return None };
    let what = "disk";
    let folder = folder_of(path);
    let disk = match rustix::fs::statvfs(&folder) {
        Ok(disk) => disk,
        Err(error) => {
            let words = safe(&format!("the disk of {} can't be asked: {error}", folder.display()));
            return Some(HealthCheck { what, state: Health::Warning, words });
        }
    };
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (folder, mib) = (folder.display(), room >> 20);
    let (state, words) = if disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        (Health::Bad, format!("the disk of {folder} is read-only"))
    } else if room < LITTLE_ROOM {
        (Health::Warning, format!("{mib} MiB are left on the disk of {folder}: make room"))
    } else {
        (Health::Good, format!("{mib} MiB are left on the disk of {folder}"))
    };
    Some(HealthCheck { what, state, words: safe(&words) })
}

/// The files beside the store that its owner can't use, such as those that root made without the right to give them
/// away; `None` for a store on a server.
pub fn side_files(config: &Config) -> Option<HealthCheck> {
    let StoreLocation::Sqlite(path) = &config.store else { return None };
    let store = path.metadata().ok()?;
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for file in &config.store.files()[1..] {
        let Ok(side) = file.symlink_metadata() else { continue };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mode = side.mode() & 0o7777;
        found.push(format!("{name} ({} bytes, uid {}, mode {mode:04o})", side.len(), side.uid()));
        let is_shared = config.file_policy.writers == Some(side.gid()) && mode & 0o060 == 0o060;
        if side.uid() != store.uid() && !is_shared {
            wrong.push(format!(
                "{name} belongs to uid {} with mode {mode:04o}, the store to uid {}; run: chown --reference={} {}",
                side.uid(),
                store.uid(),
                path_argument(path),
                path_argument(file)
            ));
        } else if mode & 0o600 != 0o600 {
            wrong.push(format!(
                "{name} has mode {mode:04o}; run: chmod u+rw {}",
                path_argument(file)
            ));
        }
    }
    let (state, words) = match (wrong.is_empty(), found.is_empty()) {
        (false, _) => (Health::Bad, wrong.join("; ")),
        (true, true) => (Health::Good, "there are none".to_owned()),
        (true, false) => (Health::Good, found.join(", ")),
    };
    Some(HealthCheck { what: "side files", state, words: safe(&words) })
}
