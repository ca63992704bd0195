//! The rights with which files are opened that an operator names: those of the person behind `sudo`.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Result as IoResult};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat, readlinkat};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::domain::refusal::{Refusal, no_thread};
use crate::env::Process;
use crate::files::file_trust::system_uid;

pub const MAY_READ: u32 = 0o4;
pub const MAY_WRITE: u32 = 0o2;
const MAY_SEARCH: u32 = 0o1;
/// As many as Linux follows.
const MOST_LINKS: u32 = 40;

/// A person with their groups, by whose rights files are judged.
#[derive(Clone)]
struct Person {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

/// Where to open a file.
#[derive(Clone)]
pub struct Place {
    pub path: PathBuf,
    /// The file is judged by this person's rights once it is open, because the process has others.
    judge: Option<Person>,
    /// Keeps the folder of `path` open, which names it by its descriptor.
    _folder: Option<Arc<OwnedFd>>,
}

impl Place {
    /// Flags for opening: where the path was followed link by link, no link may have come into its place.
    #[must_use]
    pub fn flags(&self) -> OFlags {
        if self.judge.is_some() { OFlags::NOFOLLOW | OFlags::NONBLOCK } else { OFlags::empty() }
    }

    /// The same for what is in the way.
    pub fn metadata(&self) -> IoResult<Metadata> {
        if self.judge.is_some() { self.path.symlink_metadata() } else { self.path.metadata() }
    }

    /// Fails with `PermissionDenied` where the person may not do this with the file.
    pub fn require(&self, file: &Metadata, wanted: u32) -> IoResult<()> {
        self.judge.as_ref().map_or(Ok(()), |person| person.require(file, wanted))
    }
}

/// Runs `work` with the rights of the user who called `sudo`, on a path that is opened or made there.
///
/// Root takes them on, in a thread of its own, because on Linux credentials belong to a thread. The system
/// user can't: it follows the path itself, folder by folder, looks whether that user might do so too, and
/// leaves it to `work` to call [`Place::require`] for the file that it opened. Whoever else runs the program
/// has nobody's rights but their own.
pub fn as_operator<T: Send + 'static>(
    process: &Process,
    path: &Path,
    is_entry: bool,
    work: impl FnOnce(&Place) -> IoResult<T> + Send + 'static,
) -> IoResult<T> {
    let plain = Place { path: path.to_owned(), judge: None, _folder: None };
    let Some(uid) = process.sudo_uid.filter(|uid| *uid != 0 && *uid != process.euid) else {
        return work(&plain);
    };
    if process.euid == 0 {
        let person = Person::of(uid)?;
        let thread = std::thread::Builder::new().spawn(move || {
            let groups: Vec<Gid> = person.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
            let (uid, gid) = (Uid::from_raw(person.uid), Gid::from_raw(person.gid));
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
            work(&plain)
        });
        let thread = thread.map_err(|_| Error::other(NoThread))?;
        return thread.join().map_err(|_| denied())?;
    }
    if system_uid() != Some(process.euid) {
        return work(&plain);
    }
    let person = Person::of(uid)?;
    let (folder, name) = person.walk(path, !is_entry)?;
    if is_entry {
        person.require(&metadata(&folder)?, MAY_WRITE | MAY_SEARCH)?;
    }
    let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    work(&Place { path, judge: Some(person), _folder: Some(Arc::new(folder)) })
}

/// The thread with the operator's rights can't be started; the file may well be there.
#[derive(Debug)]
struct NoThread;

impl std::fmt::Display for NoThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&no_thread().problem)
    }
}

impl std::error::Error for NoThread {}

/// `busy` where it is the thread that is missing, and `refusal` otherwise.
#[must_use]
pub fn busy_or(error: &Error, refusal: Refusal) -> Refusal {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<NoThread>());
    if inner.is_some() { no_thread() } else { refusal }
}

fn denied() -> Error {
    Error::from(ErrorKind::PermissionDenied)
}

/// Of an open folder.
fn metadata(folder: &OwnedFd) -> IoResult<Metadata> {
    File::from(folder.try_clone()?).metadata()
}

impl Person {
    fn of(uid: u32) -> IoResult<Self> {
        let user = uzers::get_user_by_uid(uid).ok_or_else(denied)?;
        let gid = user.primary_group_id();
        let groups = uzers::get_user_groups(user.name(), gid).unwrap_or_default();
        Ok(Self { uid, gid, groups: groups.iter().map(uzers::Group::gid).collect() })
    }

    /// By the mode alone: an access list could only be told from it by reading the list.
    fn require(&self, file: &Metadata, wanted: u32) -> IoResult<()> {
        let is_in_group = file.gid() == self.gid || self.groups.contains(&file.gid());
        let bits = match file.uid() == self.uid {
            true => file.mode() >> 6,
            false if is_in_group => file.mode() >> 3,
            false => file.mode(),
        };
        if bits & wanted == wanted { Ok(()) } else { Err(denied()) }
    }

    /// The folder of a path, and the name in it; each folder on the way must be one that this person may
    /// search. `follows` the last name where it is a link.
    fn walk(&self, path: &Path, follows: bool) -> IoResult<(OwnedFd, OsString)> {
        let open = |at: &OwnedFd, name: &OsStr| {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(at, name, flags, Mode::empty())
        };
        let start = |path: &Path| {
            let name = if path.is_absolute() { "/" } else { "." };
            openat(CWD, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        };
        let mut folder = start(path)?;
        let mut links = 0;
        let mut rest = names(path);
        while let Some(name) = rest.pop() {
            self.require(&metadata(&folder)?, MAY_SEARCH)?;
            let is_last = rest.is_empty();
            if is_last && !follows {
                return Ok((folder, name));
            }
            let entry = open(&folder, &name)?;
            let kind = metadata(&entry)?.file_type();
            if kind.is_symlink() {
                links += 1;
                if links > MOST_LINKS {
                    return Err(denied());
                }
                let target = readlinkat(&entry, "", Vec::new())?;
                let target = Path::new(OsStr::from_bytes(target.to_bytes()));
                if target.is_absolute() {
                    folder = start(target)?;
                }
                rest.extend(names(target));
            } else if is_last {
                return Ok((folder, name));
            } else {
                folder = entry;
            }
        }
        Err(Error::from(ErrorKind::IsADirectory))
    }
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        Component::ParentDir => Some(OsString::from("..")),
        Component::Normal(name) => Some(name.to_owned()),
    };
    let mut names: Vec<OsString> = path.components().filter_map(name).collect();
    names.reverse();
    names
}

/// Whether there is nothing at the path, as far as the operator may know.
pub fn is_absent(process: &Process, path: &Path) -> bool {
    let looked = as_operator(process, path, false, |place| place.metadata().map(drop));
    looked.is_err_and(|e| e.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use crate::files::operator_rights::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    /// Nobody's groups and files are of no importance to the folders of this test.
    const STRANGER: Person = Person { uid: 4_000_000, gid: 4_000_000, groups: Vec::new() };

    #[test]
    fn s8_a_path_is_followed_only_as_far_as_the_person_may_go() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mode =
            |name: &str, mode| set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        for name in ["open", "closed"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        for name in ["open/file", "closed/file"] {
            std::fs::write(at(name), "x").unwrap();
            mode(name, 0o644);
        }
        symlink(at("closed/file"), at("open/into")).unwrap();
        symlink("../open/./file", at("open/again")).unwrap();
        symlink("loop", at("open/loop")).unwrap();
        for (name, bits) in [("", 0o711), ("open", 0o711), ("closed", 0o700)] {
            mode(name, bits);
        }
        let walk = |name: &str, follows| {
            let (folder, name) = STRANGER.walk(&at(name), follows)?;
            let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
            std::fs::symlink_metadata(path)
        };
        assert!(walk("open/file", true).unwrap().is_file());
        assert!(walk("open/again", true).unwrap().is_file());
        assert!(walk("open/again", false).unwrap().is_symlink(), "an entry is not followed");
        assert!(walk("open/../open/again", true).unwrap().is_file());
        for name in ["closed/file", "open/into", "open/loop", "open/none", "closed/../open/file"] {
            assert!(walk(name, true).is_err(), "{name}");
        }
    }

    #[test]
    fn s8_owner_group_and_others_have_their_own_bits() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = |mode| {
            set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            file.path().metadata().unwrap()
        };
        let own_file = metadata(0o600);
        let owner = Person { uid: own_file.uid(), ..STRANGER };
        let member = Person { groups: vec![own_file.gid()], ..STRANGER };
        for (person, mode, may) in [
            (&owner, 0o600, true),
            (&owner, 0o066, false),
            (&member, 0o040, true),
            (&member, 0o604, false),
            (&STRANGER, 0o004, true),
            (&STRANGER, 0o660, false),
        ] {
            assert_eq!(person.require(&metadata(mode), MAY_READ).is_ok(), may, "{mode:o}");
        }
        assert!(STRANGER.require(&metadata(0o004), MAY_READ | MAY_WRITE).is_err());
    }
}
