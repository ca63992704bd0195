//! A new folder that an operator names, filled with the operator's rights. It has another name until it counts.

use std::fs::{File, remove_dir_all, rename};
use std::io::{Error, ErrorKind, Result as IoResult, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rustix::fs::{Mode, OFlags, fstat, fsync, mkdir, mkdirat, open, openat, syncfs};
use zeroize::Zeroizing;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Process;
use crate::files::disk_fault::disk_fault_or;
use crate::files::file_trust::{display_path, folder_of};
use crate::files::operator_file::not_made_hint;
use crate::files::operator_rights::{Place, as_operator, busy_or};
use crate::files::unfinished::Watch;

/// How the name ends of a folder that does not count yet, or whose run was interrupted.
const UNFINISHED: &str = ".unfinished";

/// A new folder with mode 0700. It is removed with everything in it unless [`NewFolder::keep`] is called.
pub struct NewFolder {
    path: PathBuf,
    unfinished: PathBuf,
    process: Process,
    field: String,
    /// Whatever comes into its place by name, files are made in this one.
    folder: Arc<OwnedFd>,
    kept: bool,
    _watch: Watch,
}

/// What is made in a folder, by its name in there.
pub enum NewEntry {
    Folder(PathBuf),
    /// With mode 0600.
    File(PathBuf, Zeroizing<Vec<u8>>),
}

enum Made {
    Folder(OwnedFd),
    Exists,
    IsUnfinished,
}

impl NewFolder {
    /// `field` names the folder in messages. Fails with `cannot_create` where it exists, or where an interrupted run
    /// left one.
    pub fn create(path: &Path, process: &Process, field: &str) -> Result<Self, Refusal> {
        let cannot = |problem: String| {
            let problem = format!("{} {problem}", display_path(path));
            Refusal::new(ErrorCode::CannotCreate, problem).field(field)
        };
        let other = "name a folder that does not exist yet";
        let (Some(name), Some(unfinished)) = (path.file_name(), unfinished(path)) else {
            return Err(cannot("exists already".to_owned()).hint(other));
        };
        let name = name.to_owned();
        let make = move |place: &Place| {
            if place.path.with_file_name(&name).symlink_metadata().is_ok() {
                return Ok(Made::Exists);
            }
            match mkdir(&place.path, Mode::RWXU) {
                Err(rustix::io::Errno::EXIST) => return Ok(Made::IsUnfinished),
                made => made?,
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(Made::Folder(open(&place.path, flags, Mode::empty())?))
        };
        let folder = match as_operator(process, &unfinished, true, make) {
            Ok(Made::Folder(folder)) => folder,
            Ok(Made::Exists) => return Err(cannot("exists already".to_owned()).hint(other)),
            Ok(Made::IsUnfinished) => return Err(interrupted(&unfinished, field)),
            Err(e) => {
                let refusal = cannot(format!("can't be made: {e}")).hint(not_made_hint(path, &e));
                return Err(busy_or(&e, disk_fault_or(path, &e, refusal)));
            }
        };
        let watch = Watch::folder(&unfinished, process);
        Ok(Self {
            path: path.to_owned(),
            unfinished,
            process: process.clone(),
            field: field.to_owned(),
            folder: Arc::new(folder),
            kept: false,
            _watch: watch,
        })
    }

    /// Makes folders and files in this order; none of them may exist.
    pub fn write(&mut self, entries: Vec<NewEntry>) -> Result<(), Refusal> {
        let folder = Arc::clone(&self.folder);
        let write = move |_: &Place| {
            for entry in entries {
                match entry {
                    NewEntry::Folder(name) => mkdirat(&*folder, &name, Mode::RWXU)?,
                    NewEntry::File(name, content) => {
                        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
                        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                        let mode = Mode::RUSR | Mode::WUSR;
                        let file = openat(&*folder, &name, flags, mode)?;
                        File::from(file).write_all(&content)?;
                    }
                }
            }
            Ok(())
        };
        as_operator(&self.process, &self.unfinished, true, write).map_err(|e| self.unwritten(&e))
    }

    /// Makes everything in it durable, by one call for the whole file system: a sync of each file would wait for the
    /// disk as often as there are files, which takes minutes for 10,000. Since Linux 5.8 the call reports what could
    /// not be written.
    pub fn sync(&mut self) -> Result<(), Refusal> {
        let folder = Arc::clone(&self.folder);
        let sync = move |place: &Place| {
            syncfs(&*folder)?;
            fsync(&*folder)?;
            sync_parent(place)
        };
        as_operator(&self.process, &self.unfinished, true, sync).map_err(|e| self.unwritten(&e))
    }

    /// Gives it its own name. Returns where it is, and why that is not where it should be.
    pub fn keep(mut self) -> (PathBuf, Option<Error>) {
        self.kept = true;
        let name = self.path.file_name().unwrap_or_default().to_owned();
        let rename = move |place: &Place| {
            // A folder replaces nothing but an empty folder.
            rename(&place.path, place.path.with_file_name(&name))?;
            let _ = sync_parent(place);
            Ok(())
        };
        match as_operator(&self.process, &self.unfinished, true, rename) {
            Ok(()) => (self.path.clone(), None),
            Err(e) => (self.unfinished.clone(), Some(e)),
        }
    }

    /// Does not remove it, and leaves it its unfinished name.
    pub fn leave(mut self) -> PathBuf {
        self.kept = true;
        self.unfinished.clone()
    }

    fn unwritten(&self, error: &Error) -> Refusal {
        let path = &self.path;
        let problem = format!("{} can't be written: {error}", display_path(path));
        let refusal = Refusal::new(ErrorCode::Io, problem).field(&self.field);
        busy_or(error, disk_fault_or(path, error, refusal.field(&self.field)))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let folder = Arc::clone(&self.folder);
        let remove = move |place: &Place| {
            // The path may name another folder by now.
            let (own, found) = (fstat(&*folder)?, place.path.symlink_metadata()?);
            let is_own = own.st_dev == found.dev() && own.st_ino == found.ino();
            if is_own { remove_dir_all(&place.path) } else { Ok(()) }
        };
        let _ = as_operator(&self.process, &self.unfinished, true, remove);
    }
}

/// The name of a folder until it counts. `None` for a path that ends in no name, such as `..`.
pub fn unfinished(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(UNFINISHED);
    Some(path.with_file_name(name))
}

/// True whether the run ended before its change or after it: another run voids what the folder may hold.
fn interrupted(unfinished: &Path, field: &str) -> Refusal {
    let problem = format!(
        "{} is left from a run that was interrupted; nothing in it may be handed out",
        display_path(unfinished)
    );
    Refusal::new(ErrorCode::CannotCreate, problem)
        .field(field)
        .hint("delete that folder, and run this again: it makes new pages for everybody")
}

/// Makes the name durable, where the operator may open the folder around it.
fn sync_parent(place: &Place) -> IoResult<()> {
    match File::open(folder_of(&place.path)).and_then(|parent| parent.sync_all()) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::audit::event::Operator;

    fn process() -> Process {
        let euid = rustix::process::geteuid().as_raw();
        Process {
            operator: Operator { uid: euid, claim: None },
            euid,
            root: "/".into(),
            host_name: String::new(),
            sudo_uid: None,
            is_service: false,
            is_self_service: false,
            is_elevated: false,
        }
    }

    fn page(name: &str) -> NewEntry {
        NewEntry::File(name.into(), Zeroizing::new(b"secret".to_vec()))
    }

    #[test]
    fn a_folder_has_its_name_only_when_it_is_kept_and_is_private() {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("pages");
        let mut folder = NewFolder::create(&path, &process(), "--handouts").unwrap();
        folder.write(vec![NewEntry::Folder("vpn".into()), page("vpn/alice.html")]).unwrap();
        folder.sync().unwrap();
        assert!(!path.exists());
        let (kept, error) = folder.keep();
        assert!(kept == path && error.is_none());
        let mode = |name: &str| path.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(""), mode("vpn"), mode("vpn/alice.html")), (0o700, 0o700, 0o600));
        assert!(!around.path().join("pages.unfinished").exists());
        let error = NewFolder::create(&path, &process(), "--handouts").err().unwrap();
        assert_eq!(error.code, ErrorCode::CannotCreate);
        assert!(error.problem.contains("exists already"), "{error}");
    }

    #[test]
    fn a_folder_that_is_not_kept_is_removed_unless_another_is_in_its_place() {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("pages/");
        let left = around.path().join("pages.unfinished");
        let mut folder = NewFolder::create(&path, &process(), "--handouts").unwrap();
        folder.write(vec![page("alice.html")]).unwrap();
        assert!(folder.write(vec![page("alice.html")]).is_err(), "nobody's page is written over");
        drop(folder);
        assert!(!left.exists());
        let folder = NewFolder::create(&path, &process(), "--handouts").unwrap();
        rename(&left, around.path().join("moved")).unwrap();
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("mine"), "").unwrap();
        drop(folder);
        assert!(left.join("mine").exists());
        let error = NewFolder::create(&path, &process(), "--handouts").err().unwrap();
        assert!(error.problem.contains("left from a run that was interrupted"), "{error}");
    }

    #[test]
    fn a_folder_replaces_nothing() {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("pages");
        let folder = NewFolder::create(&path, &process(), "--handouts").unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("mine"), "").unwrap();
        let (kept, error) = folder.keep();
        assert!(error.is_some() && path.join("mine").exists());
        assert_eq!(kept, around.path().join("pages.unfinished"));
        for path in ["/", "..", "."] {
            assert!(
                NewFolder::create(Path::new(path), &process(), "--handouts").is_err(),
                "{path}"
            );
        }
    }
}
