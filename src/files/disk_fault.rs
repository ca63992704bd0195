//! A disk that is full or read-only: no fault of a file's rights, so the words and the hint are about the disk.

use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::path_text::{display_path, folder_of, path_argument};

/// The refusal for a file that can't be written because of its disk, and `refusal` for any other error.
#[must_use]
pub fn disk_fault_or(path: &Path, error: &Error, refusal: Refusal) -> Refusal {
    let of_disk = match error.kind() {
        ErrorKind::StorageFull => (ErrorCode::Io, "the disk is full", room_hint(path)),
        ErrorKind::QuotaExceeded => (ErrorCode::Io, "the disk quota is used up", room_hint(path)),
        ErrorKind::ReadOnlyFilesystem => {
            (ErrorCode::CannotCreate, "the disk is mounted read-only", mount_hint(path))
        }
        _ => return refusal,
    };
    let (code, why, hint) = of_disk;
    let problem = format!("{} can't be written: {why}", display_path(path));
    Refusal { code, problem, ..refusal }.hint(hint)
}

/// Where the room is missing. No verb of ours can tell it there: each needs some room itself.
#[must_use]
pub fn room_hint(path: &Path) -> String {
    let folder = folder_of(path);
    format!("make room there; how much is left is shown by: df {}", path_argument(&folder))
}

#[must_use]
pub fn mount_hint(path: &Path) -> String {
    let folder = folder_of(path);
    format!(
        "mount it for writing, or use another disk; how it is mounted is shown by: findmnt -T {}",
        path_argument(&folder)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::file_trust::not_created;

    #[test]
    fn w10_a_full_disk_is_no_fault_of_rights() {
        let path = Path::new("/srv/m/m.key");
        for (number, code, words, command) in [
            (28, ErrorCode::Io, "the disk is full", "df /srv/m"),
            (122, ErrorCode::Io, "the disk quota is used up", "df /srv/m"),
            (30, ErrorCode::CannotCreate, "the disk is mounted read-only", "findmnt -T /srv/m"),
        ] {
            let refusal = not_created(path, &Error::from_raw_os_error(number));
            assert_eq!(refusal.code, code);
            assert_eq!(refusal.problem, format!("/srv/m/m.key can't be written: {words}"));
            assert!(format!("{:?}", refusal.hint).contains(command), "{refusal:?}");
        }
        let denied = not_created(path, &Error::from_raw_os_error(13));
        assert!(denied.problem.contains("Permission denied"), "{denied}");
    }
}
