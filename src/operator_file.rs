//! Files that an operator names are made with his rights, not with ours.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Result as IoResult, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::domain::refusal::{Code, Refusal};
use crate::env::Process;
use crate::store::custody::place;

/// A new file with mode 0600, which is taken away again unless it is kept.
pub struct NewFile {
    path: PathBuf,
    file: BufWriter<File>,
    process: Process,
    kept: bool,
}

impl NewFile {
    /// Makes it; `field` is what a person would call it; whatever is there already stays as it is.
    ///
    /// # Errors
    /// `cannot_create`.
    pub fn create(path: &Path, process: &Process, field: &str) -> Result<Self> {
        let make = {
            let path = path.to_owned();
            move || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
        };
        let file = as_operator(process, make).map_err(|e| {
            let (problem, hint) = if e.kind() == ErrorKind::AlreadyExists {
                ("is there already".to_owned(), "name a file that is not there yet")
            } else {
                (format!("can't be made: {e}"), "look at the rights of its folder")
            };
            Refusal::new(Code::CannotCreate, format!("{field}: {} {problem}", place(path)))
                .hint(hint)
        })?;
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), file, process: process.clone(), kept: false })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it whole and makes it durable.
    ///
    /// # Errors
    /// As the file system has them; the file then goes when this is dropped.
    pub fn write_whole(&mut self, content: &[u8]) -> IoResult<()> {
        self.file.write_all(content)?;
        self.sync()
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// As [`NewFile::write_whole`].
    pub fn sync(&mut self) -> IoResult<()> {
        self.flush()?;
        self.file.get_ref().sync_all()
    }

    /// It stays from now on.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.file.flush()
    }
}

/// Opens a file for reading; `field` is what a person would call it.
///
/// # Errors
/// `bad_input` for what can't be opened or is no regular file.
pub fn open(path: &Path, process: &Process, field: &str) -> Result<File, Refusal> {
    let look = {
        let path = path.to_owned();
        // Looked at first: a fifo would be waited for.
        move || std::fs::metadata(&path)?.is_file().then(|| File::open(path)).transpose()
    };
    let refuse = |problem: String| {
        Refusal::bad_input(field, format!("{} {problem}", place(path)))
            .hint("name a file that is there and that you may read")
    };
    match as_operator(process, look) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(refuse("is not a regular file".to_owned())),
        Err(e) => Err(refuse(format!("can't be opened: {e}"))),
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // By the name, which may mean another file by now: with no more rights than it was made.
            let path = self.path.clone();
            let _ = as_operator(&self.process, move || std::fs::remove_file(path));
        }
    }
}

/// Runs with the uid and the groups of the person for whom `sudo` runs us. Linux gives each thread
/// rights of its own, so they are taken on in a thread that ends with the work.
fn as_operator<T: Send + 'static>(
    process: &Process,
    work: impl FnOnce() -> IoResult<T> + Send + 'static,
) -> IoResult<T> {
    let Some(uid) = process.sudo_uid.filter(|uid| process.euid == 0 && *uid != 0) else {
        return work();
    };
    let denied = || std::io::Error::from(ErrorKind::PermissionDenied);
    let user = uzers::get_user_by_uid(uid).ok_or_else(denied)?;
    let gid = Gid::from_raw(user.primary_group_id());
    let groups = uzers::get_user_groups(user.name(), user.primary_group_id()).unwrap_or_default();
    let groups: Vec<Gid> = groups.iter().map(|g| Gid::from_raw(g.gid())).collect();
    let uid = Uid::from_raw(uid);
    let thread = std::thread::spawn(move || {
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        work()
    });
    thread.join().map_err(|_| denied())?
}
