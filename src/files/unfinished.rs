//! Files that an operator named and that count for nothing before a change is stored: what becomes of them where a signal
//! ends the process, and what is said then.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::env::{Process, Settled};
use crate::files::operator_rights::{Place, as_operator};
use crate::files::path_text::display_path;

/// What a file is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// Nothing that is in force depends on it.
    Nothing,
    /// A commit has begun.
    Unknown,
    /// The change that it belongs to is stored.
    InForce,
}

struct Watched {
    id: u64,
    path: PathBuf,
    process: Process,
    /// Its content is complete and on the disk.
    is_written: bool,
    /// What is in a folder may still be written, so it is left.
    is_folder: bool,
    worth: Worth,
}

/// What the process has done so far.
struct Progress {
    files: Vec<Watched>,
    next_id: u64,
    change: Worth,
}

static PROGRESS: Mutex<Progress> =
    Mutex::new(Progress { files: Vec::new(), next_id: 0, change: Worth::Nothing });

fn progress() -> MutexGuard<'static, Progress> {
    PROGRESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress {
    /// A file without its content can't be what a change is about.
    fn set(&mut self, worth: Worth) {
        self.change = worth;
        self.files.iter_mut().filter(|file| file.is_written).for_each(|file| file.worth = worth);
    }

    fn settled(&self) -> Settled {
        let change = match self.change {
            Worth::Nothing => None,
            Worth::Unknown => Some("the change may have been saved".to_owned()),
            Worth::InForce => Some("what was saved so far is in the log".to_owned()),
        };
        let of = |file: &Watched| {
            let path = display_path(&file.path);
            match file.worth {
                _ if file.is_folder => {
                    format!("{path} is left: hand out nothing in it, and delete it")
                }
                Worth::Nothing => format!("{path} was removed"),
                Worth::Unknown => {
                    format!("what is in {path} may be in force: keep the file until you know")
                }
                Worth::InForce => format!("{path} is complete, and what is in it is in force"),
            }
        };
        Settled { change, files: self.files.iter().map(of).collect() }
    }
}

/// A file that is watched until this is dropped.
pub struct Watch(u64);

impl Watch {
    pub fn file(path: &Path, process: &Process) -> Self {
        Self::new(path, process, false)
    }

    pub fn folder(path: &Path, process: &Process) -> Self {
        Self::new(path, process, true)
    }

    fn new(path: &Path, process: &Process, is_folder: bool) -> Self {
        let mut progress = progress();
        let id = progress.next_id;
        progress.next_id += 1;
        let (path, process) = (path.to_owned(), process.clone());
        let file =
            Watched { id, path, process, is_written: false, is_folder, worth: Worth::Nothing };
        progress.files.push(file);
        Self(id)
    }

    /// The content is complete and on the disk.
    pub fn set_written(&self) {
        let mut progress = progress();
        progress
            .files
            .iter_mut()
            .filter(|file| file.id == self.0)
            .for_each(|f| f.is_written = true);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        progress().files.retain(|file| file.id != self.0);
    }
}

/// Call this before a commit.
pub fn begin_commit() {
    progress().set(Worth::Unknown);
}

/// Call this after a commit that returned.
pub fn end_commit() {
    progress().set(Worth::InForce);
}

/// Removes the files that count for nothing, and says what is there. No commit begins after this: the process is about
/// to end.
pub fn settle() -> Settled {
    let progress = progress();
    let is_void = |file: &&Watched| file.worth == Worth::Nothing && !file.is_folder;
    for file in progress.files.iter().filter(is_void) {
        let remove = |place: &Place| std::fs::remove_file(&place.path);
        let _ = as_operator(&file.process, &file.path, true, remove);
    }
    let settled = progress.settled();
    std::mem::forget(progress);
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(is_folder: bool, is_written: bool) -> Watched {
        let (path, process) = (PathBuf::from("codes"), Process::default());
        Watched { id: 0, path, process, is_written, is_folder, worth: Worth::Nothing }
    }

    #[test]
    fn a_file_counts_from_the_commit_on_that_follows_its_content() {
        let files = vec![file(false, false), file(false, true), file(true, true)];
        let mut progress = Progress { files, next_id: 0, change: Worth::Nothing };
        let (removed, left) =
            ("codes was removed", "codes is left: hand out nothing in it, and delete it");
        for (worth, change, words) in [
            (Worth::Nothing, None, removed),
            (
                Worth::Unknown,
                Some("the change may have been saved"),
                "what is in codes may be in force: keep the file until you know",
            ),
            (
                Worth::InForce,
                Some("what was saved so far is in the log"),
                "codes is complete, and what is in it is in force",
            ),
        ] {
            progress.set(worth);
            let settled = progress.settled();
            assert_eq!(settled.change.as_deref(), change);
            assert_eq!(settled.files, [removed, words, left]);
        }
    }
}
