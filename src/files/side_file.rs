//! Files that are locked: the queue beside a store, and the slots beside a store or a key.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Result as IoResult;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use crate::files::file_trust::{FileKind, FilePolicy};

/// Makes a missing side file of `main`, with the group that shares it. Root gives it to the owner of `main`, as SQLite
/// does with its own: everybody else who uses the store would be shut out of a file of root.
///
/// Owner and mode are set on the open file: in a folder of another user its name may be a link by then.
pub fn make(
    options: &OpenOptions,
    path: &Path,
    main: &Path,
    (policy, kind): (&FilePolicy, FileKind),
) -> IoResult<File> {
    let file = options.clone().write(true).create_new(true).open(path)?;
    // If that fails, others go without the file, which only makes them wait less fairly.
    let _ = share(&file, main, policy, kind);
    Ok(file)
}

fn share(file: &File, main: &Path, policy: &FilePolicy, kind: FileKind) -> IoResult<()> {
    let (group, mode) = policy.side_file_sharing(kind);
    if policy.euid == 0 {
        let owner = main.symlink_metadata()?;
        fchown(file, Some(owner.uid()), Some(group.unwrap_or(owner.gid())))?;
    } else if group.is_some() {
        fchown(file, None, group)?;
    }
    if group.is_some() {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w11_a_side_file_that_root_makes_belongs_to_the_owner_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("m.db");
        std::fs::write(&main, "").unwrap();
        let euid = rustix::process::geteuid().as_raw();
        // Only root can give files away; anybody else makes a file of their own.
        let (uid, gid) = if euid == 0 {
            std::os::unix::fs::chown(&main, Some(12_345), Some(54_321)).unwrap();
            (12_345, 54_321)
        } else {
            (euid, main.metadata().unwrap().gid())
        };
        let mut options = OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.read(true), 0o600);
        let policy = FilePolicy { euid, ..FilePolicy::default() };
        let path = folder.path().join("m.db-queue");
        let file = make(&options, &path, &main, (&policy, FileKind::Sidecar)).unwrap();
        let made = file.metadata().unwrap();
        assert_eq!((made.uid(), made.gid(), made.mode() & 0o7777), (uid, gid, 0o600));
        assert!(make(&options, &path, &main, (&policy, FileKind::Sidecar)).is_err());

        let group = main.metadata().unwrap().gid();
        let policy = FilePolicy { writers: Some(group), ..policy };
        let path = folder.path().join("m.db-slot0");
        let made = make(&options, &path, &main, (&policy, FileKind::Sidecar)).unwrap();
        let made = made.metadata().unwrap();
        assert_eq!((made.uid(), made.gid(), made.mode() & 0o7777), (uid, group, 0o660));
    }
}
