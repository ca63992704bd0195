//! Files in which a service hands over input or waits for a reply.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::authenticate::services::missing;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Process;
use crate::files::operator_rights::{MAY_READ, MAY_WRITE, as_operator};

/// Reads a regular file of at most `largest` bytes; anything else is `usage`.
pub fn read(path: &Path, process: &Process, largest: u64) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let refuse = || missing("a regular file");
    let options = OpenOptions::new().read(true).clone();
    let file = opened(options, process, path, MAY_READ).ok_or_else(refuse)?;
    let length = usize::try_from(largest + 1).map_err(|_| refuse())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    file.take(largest + 1).read_to_end(&mut bytes).map_err(|_| refuse())?;
    if bytes.len() == length { Err(refuse()) } else { Ok(bytes) }
}

/// Writes a reply into a file that the service has created for it.
pub fn write_reply(path: &Path, process: &Process, text: &str) -> Result<(), Refusal> {
    let refuse = || Refusal::new(ErrorCode::Io, "can't write the reply for the login service");
    let options = OpenOptions::new().write(true).clone();
    let mut file = opened(options, process, path, MAY_WRITE).ok_or_else(refuse)?;
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(|_| refuse())
}

/// Opens regular files only: a FIFO would block, and no service creates a link or a device.
/// Behind `sudo` the caller names the file, and has to have the right to do this with it.
fn opened(mut options: OpenOptions, process: &Process, path: &Path, wanted: u32) -> Option<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = as_operator(process, path, false, move |place| {
        let file = options.custom_flags(flags).open(&place.path)?;
        place.require(&file.metadata()?, wanted)?;
        Ok(file)
    });
    file.ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()))
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::handover_file::*;

    #[test]
    fn only_small_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "12345678").unwrap();
        assert_eq!(read(&path, &Process::default(), 8).unwrap().as_slice(), b"12345678");
        assert!(read(&path, &Process::default(), 7).is_err());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for other in [&link, folder.path(), Path::new("/dev/zero"), &folder.path().join("none")] {
            assert!(read(other, &Process::default(), 8).is_err(), "{}", other.display());
            assert!(write_reply(other, &Process::default(), "1").is_err(), "{}", other.display());
        }
    }

    #[test]
    fn a_reply_replaces_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert!(write_reply(&path, &Process::default(), "1").is_err(), "nothing is made");
        std::fs::write(&path, "before").unwrap();
        write_reply(&path, &Process::default(), "1").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
    }
}
