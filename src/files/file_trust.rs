//! Which files are trusted, by type, owner, mode and folder.
//!
//! Every file is checked with `lstat` before it is opened: links, fifos and devices are refused without
//! being opened, so that a fifo can't block the program.

use std::fs::{DirBuilder, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::domain::caller::SYSTEM_USER;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::disk_fault::disk_fault_or;
pub use crate::files::path_text::{display_path, folder_of, path_argument};

/// Who may own the program's files, and which groups may share them.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilePolicy {
    /// The effective uid of this process.
    pub euid: u32,
    /// The group that may read the store.
    pub readers: Option<u32>,
    /// The group that may write the store.
    pub writers: Option<u32>,
    /// The group that may read the key.
    pub key_group: Option<u32>,
}

/// The role of a file, which decides what owner and mode it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Store,
    /// SQLite's `-wal`, `-shm` and `-journal` and our `-queue` and `-slotN`; any writer may own them.
    Sidecar,
    Key,
    /// A key from systemd's credentials folder. It may be group-readable: with an ACL, these bits show
    /// the ACL's mask.
    Credential,
    Config,
    /// A site's own template of a handout.
    Template,
    /// libpq's password file, or the file with a mail server's password.
    Password,
    /// libpq's service file, which may contain a password.
    Service,
    /// A program named by the configuration.
    Hook,
    /// Of the verifier; only its folder is checked here.
    Socket,
}

impl FileKind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Sidecar => "side file of the store",
            Self::Key | Self::Credential => "key file",
            Self::Config => "configuration file",
            Self::Template => "template",
            Self::Password => "password file",
            Self::Service => "service file",
            Self::Hook => "program",
            Self::Socket => "socket",
        }
    }

    /// What others may have done to a file whose mode was too permissive.
    const fn exposure(self) -> &'static str {
        match self {
            Self::Config | Self::Template | Self::Hook => "changed",
            _ => "read",
        }
    }
}

impl FilePolicy {
    /// Checks that a file can be trusted; `false` when it does not exist. `not_permitted` for a link,
    /// anything but a regular file, a foreign owner, a mode that is too permissive, or a folder that
    /// others can write to.
    pub fn check(&self, path: &Path, kind: FileKind) -> Result<bool> {
        let metadata = match std::fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(false);
            }
            Err(e) => {
                let noun = kind.noun();
                return Err(Refusal::new(
                    ErrorCode::NotPermitted,
                    format!("the {noun} {} can't be checked: {e}", display_path(path)),
                )
                .into());
            }
        };
        let refuse = |problem: &str, hint: &str| -> Result<bool> {
            let message = format!("the {} {} {problem}", kind.noun(), display_path(path));
            Err(Refusal::new(ErrorCode::NotPermitted, message).hint(hint).into())
        };
        let file_type = metadata.file_type();
        if file_type.is_symlink() {
            let hint = match kind {
                // Nobody names a side file: its path follows from that of the store.
                FileKind::Sidecar => "move the file that it points to here, in place of the link",
                _ => "give the path of the file itself",
            };
            return refuse("is a symbolic link", hint);
        }
        if !file_type.is_file() {
            let hint = match kind {
                FileKind::Sidecar => "move it away",
                _ => "give the path of a regular file",
            };
            return refuse("is not a regular file", hint);
        }
        if metadata.nlink() != 1 {
            return refuse("has more than one hard link", "remove the other links");
        }
        let shared = self.shared_mode(metadata.gid(), kind);
        let writer = kind == FileKind::Sidecar && self.writers == Some(metadata.gid());
        if !self.owns(&metadata) && !writer {
            return refuse(
                &format!("belongs to uid {}", metadata.uid()),
                "it must belong to you, to root or to the system user mfactl",
            );
        }
        if metadata.mode() & 0o7777 & !shared != 0 {
            return refuse(
                &format!("has mode {:04o}", metadata.mode() & 0o7777),
                &format!(
                    "run: chmod {shared:04o} {}; others may already have {} it",
                    path_argument(path),
                    kind.exposure()
                ),
            );
        }
        // Side files are in the folder of the store, which is checked with the store.
        if kind != FileKind::Sidecar {
            self.check_folder(path, kind)?;
        }
        Ok(true)
    }

    /// Checks that nobody else can put another socket at this path.
    pub fn check_socket_folder(&self, path: &Path) -> Result<()> {
        self.check_folder(path, FileKind::Socket)
    }

    fn check_folder(&self, path: &Path, kind: FileKind) -> Result<()> {
        let folder = folder_of(path);
        let metadata = std::fs::metadata(&folder)
            .map_err(|e| not_created(&folder, &e))
            .with_context(|| format!("checking {}", display_path(&folder)))?;
        // Anybody who can write to a folder can replace the files in it.
        let may_group = kind == FileKind::Store && self.writers == Some(metadata.gid());
        let others = metadata.mode() & 0o002 != 0;
        let group = metadata.mode() & 0o020 != 0 && !may_group;
        if others || group || !self.owns(&metadata) {
            let who = match (others, group) {
                (true, _) => "everybody",
                (_, true) => "its group",
                _ => "a foreign owner",
            };
            return Err(Refusal::new(
                ErrorCode::NotPermitted,
                format!(
                    "the folder {} of the {} is writable by {who}",
                    display_path(&folder),
                    kind.noun()
                ),
            )
            .hint(match kind {
                // Those who ask have to reach it.
                FileKind::Socket => "move it to a folder of its own with mode 0755",
                _ => "move it to a folder of its own with mode 0700",
            })
            .into());
        }
        self.check_ancestors(&folder, 1, kind)
    }

    /// Who can rename a folder further up can put another one in its place. In a folder with the sticky bit,
    /// such as `/tmp`, only the owner of an entry can. A link on the way leads to other folders, and stands in some.
    /// Leaves out the lowest `from` folders.
    fn check_ancestors(&self, folder: &Path, from: usize, kind: FileKind) -> Result<()> {
        let failed = |e| not_created(folder, &e);
        let (way, real) = way_to(folder).map_err(failed)?;
        let lower: Vec<_> = real.ancestors().take(from).collect();
        for path in way.iter().rev().map(PathBuf::as_path) {
            if lower.contains(&path) {
                continue;
            }
            let metadata = path.symlink_metadata().map_err(failed)?;
            let is_open = !metadata.is_symlink() && metadata.mode() & 0o1002 == 0o002;
            if !is_open && self.owns(&metadata) {
                continue;
            }
            let who = if is_open { "is writable by everybody" } else { "belongs to another user" };
            let (above, noun, folder) = (display_path(path), kind.noun(), display_path(folder));
            let message = format!("the folder {above} above the {noun} in {folder} {who}");
            let hint = if is_open {
                format!("run: chmod o-w {}", path_argument(path))
            } else {
                "move it below folders of root, or of the user who runs mfactl".to_owned()
            };
            return Err(Refusal::new(ErrorCode::NotPermitted, message).hint(hint).into());
        }
        Ok(())
    }

    /// The most permissive mode that a file of this group may have.
    fn shared_mode(&self, gid: u32, kind: FileKind) -> u32 {
        match kind {
            FileKind::Config | FileKind::Template => 0o644,
            FileKind::Hook => 0o755,
            FileKind::Credential => 0o440,
            FileKind::Key if self.key_group == Some(gid) => 0o640,
            FileKind::Store | FileKind::Sidecar if self.writers == Some(gid) => 0o660,
            FileKind::Store | FileKind::Sidecar if self.readers == Some(gid) => 0o640,
            _ => 0o600,
        }
    }

    /// Whether a file is ours: of this process, of root or of the system user.
    #[must_use]
    pub fn owns(&self, metadata: &Metadata) -> bool {
        self.owns_uid(metadata.uid())
    }

    /// Whether a process of this uid is one of ours.
    #[must_use]
    pub fn owns_uid(&self, uid: u32) -> bool {
        uid == self.euid || uid == 0 || system_uid() == Some(uid)
    }

    /// Makes the missing folders above a file with mode 0700, and shares the last one with the
    /// configured group. `not_permitted` for an existing folder that others can write to.
    pub fn make_folder(&self, path: &Path, kind: FileKind) -> Result<()> {
        let folder = folder_of(path);
        if folder.is_dir() {
            return self.check_folder(path, kind);
        }
        let existing = folder.ancestors().find(|path| path.is_dir());
        let existing =
            existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.check_ancestors(existing, 0, kind)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|e| not_created(&folder, &e))?;
        let (group, mode) = match kind {
            FileKind::Store => (
                self.writers.or(self.readers),
                if self.writers.is_some() { 0o2770 } else { 0o2750 },
            ),
            FileKind::Key => (self.key_group, 0o710),
            _ => (None, 0o700),
        };
        self.share(&folder, group, mode)
    }

    /// The group that shares a side file of the store or the key, and the mode for it.
    #[must_use]
    pub const fn side_file_sharing(&self, kind: FileKind) -> (Option<u32>, u32) {
        match kind {
            FileKind::Key => (self.key_group, 0o640),
            _ => (self.writers, 0o660),
        }
    }

    /// Sets the group and mode of a new store or key for the group that shares it.
    pub fn share_file(&self, path: &Path, kind: FileKind) -> Result<()> {
        match kind {
            FileKind::Store if self.writers.is_some() => self.share(path, self.writers, 0o660),
            FileKind::Store => self.share(path, self.readers, 0o640),
            FileKind::Key => self.share(path, self.key_group, 0o640),
            FileKind::Sidecar
            | FileKind::Credential
            | FileKind::Config
            | FileKind::Template
            | FileKind::Password
            | FileKind::Service
            | FileKind::Hook
            | FileKind::Socket => Ok(()),
        }
    }

    /// The commands that would give the configured group its access to a file, folder first; empty when
    /// it has that access.
    #[must_use]
    pub fn sharing_commands(&self, path: &Path, kind: FileKind) -> Vec<String> {
        let (group, file, folder) = match kind {
            FileKind::Store | FileKind::Sidecar if self.writers.is_some() => {
                (self.writers, 0o660, 0o2770)
            }
            FileKind::Store | FileKind::Sidecar => (self.readers, 0o640, 0o2750),
            FileKind::Key => (self.key_group, 0o640, 0o710),
            _ => return Vec::new(),
        };
        let Some(gid) = group else { return Vec::new() };
        let name = uzers::get_group_by_gid(gid)
            .map_or_else(|| gid.to_string(), |group| group.name().to_string_lossy().into_owned());
        let missing = |path: &Path, mode: u32| {
            let metadata = std::fs::metadata(path).ok()?;
            let is_shared = metadata.gid() == gid && metadata.mode() & mode & 0o070 == mode & 0o070;
            let path = path_argument(path);
            (!is_shared).then(|| format!("chgrp {name} {path}; chmod {mode:04o} {path}"))
        };
        [missing(&folder_of(path), folder), missing(path, file)].into_iter().flatten().collect()
    }

    #[expect(clippy::unused_self, reason = "sharing is part of the policy")]
    fn share(&self, path: &Path, group: Option<u32>, mode: u32) -> Result<()> {
        let Some(gid) = group else { return Ok(()) };
        std::os::unix::fs::chown(path, None, Some(gid)).map_err(|e| not_created(path, &e))?;
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).map_err(|e| not_created(path, &e).into())
    }
}

/// Every folder and link by which the way leads to a folder, from the root down, and what the folder is without links.
fn way_to(folder: &Path) -> std::io::Result<(Vec<PathBuf>, PathBuf)> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let named = std::path::absolute(folder)?;
    let parts = |path: &Path| -> Vec<PathBuf> {
        path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    let (mut way, mut at, mut links) = (Vec::new(), PathBuf::new(), 0);
    let mut to_come = parts(&named);
    while let Some(part) = to_come.pop() {
        match part.as_os_str().as_encoded_bytes() {
            b"." => continue,
            b".." => {
                at.pop();
                continue;
            }
            _ => {}
        }
        // An absolute part, such as that of a link, begins anew.
        let next = at.join(&part);
        way.push(next.clone());
        if !next.symlink_metadata()?.is_symlink() {
            at = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        to_come.extend(parts(&std::fs::read_link(&next)?));
    }
    Ok((way, at))
}

/// The uid of the system user, if it exists; looked up once.
#[must_use]
pub fn system_uid() -> Option<u32> {
    static UID: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *UID.get_or_init(|| uzers::get_user_by_name(SYSTEM_USER).map(|u| u.uid()))
}

/// The refusal for a file that can't be created.
#[must_use]
pub fn not_created(path: &Path, error: &std::io::Error) -> Refusal {
    let refusal = Refusal::new(
        ErrorCode::CannotCreate,
        format!("{} can't be created: {error}", display_path(path)),
    )
    .hint("check the permissions of its folder");
    disk_fault_or(path, error, refusal)
}
