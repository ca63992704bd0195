//! Files that an operator names are opened and made with the operator's rights, not root's.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Result as IoResult, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::OFlags;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Process;
use crate::files::disk_fault::disk_fault_or;
use crate::files::file_trust::{display_path, folder_of};
use crate::files::new_file::Draft;
use crate::files::operator_rights::{MAY_READ, MAY_WRITE, Place, as_operator, busy_or};
use crate::files::unfinished::Watch;

/// A new file with mode 0600, which is removed again unless [`NewFile::keep`] is called.
pub struct NewFile {
    path: PathBuf,
    file: BufWriter<File>,
    process: Process,
    kept: bool,
    watch: Watch,
}

impl NewFile {
    /// `field` names the file in messages. Fails with `cannot_create` where the file exists.
    pub fn create(path: &Path, process: &Process, field: &str) -> Result<Self> {
        let create = |place: &Place| {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place.path)
        };
        let file = as_operator(process, path, true, create).map_err(|e| {
            let (problem, hint) = if e.kind() == ErrorKind::AlreadyExists {
                ("exists already".to_owned(), "name a file that does not exist yet".to_owned())
            } else {
                (format!("can't be made: {e}"), not_made_hint(path, &e))
            };
            let problem = format!("{} {problem}", display_path(path));
            let refusal = Refusal::new(ErrorCode::CannotCreate, problem).field(field).hint(hint);
            busy_or(&e, disk_fault_or(path, &e, refusal))
        })?;
        let file = BufWriter::with_capacity(1 << 16, file);
        let watch = Watch::file(path, process);
        Ok(Self { path: path.to_owned(), file, process: process.clone(), kept: false, watch })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything, and makes it durable together with the name of the file.
    pub fn write_and_sync(&mut self, content: &[u8]) -> IoResult<()> {
        self.file.write_all(content)?;
        self.sync()?;
        self.sync_folder()
    }

    /// Makes the content durable.
    pub fn sync(&mut self) -> IoResult<()> {
        self.flush()?;
        self.file.get_ref().sync_all()?;
        self.watch.set_written();
        Ok(())
    }

    /// Makes the name durable, where the operator may open the folder.
    fn sync_folder(&self) -> IoResult<()> {
        let sync = |place: &Place| File::open(folder_of(&place.path))?.sync_all();
        match as_operator(&self.process, &self.path, true, sync) {
            Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        }
    }

    /// Does not remove the file on drop.
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

/// What to do about a file or a folder that the operator named and that can't be made.
pub fn not_made_hint(path: &Path, error: &std::io::Error) -> String {
    let folder = folder_of(path);
    if error.kind() == ErrorKind::NotFound {
        return format!("make the folder {} first, or name another one", display_path(&folder));
    }
    format!("check the permissions of the folder {}", display_path(&folder))
}

/// Whether two paths name the same file, or the same path for a file that does not exist yet.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    let display_path = |path: &Path| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((file(folder)?, path.file_name()?.to_owned()))
    };
    let is_same_file = file(one).is_some_and(|f| Some(f) == file(other));
    is_same_file || display_path(one).is_some_and(|p| Some(p) == display_path(other))
}

/// Opens a regular file for reading; `field` names the file in messages.
pub fn open(path: &Path, process: &Process, field: &str) -> Result<File, Refusal> {
    let open_regular = |place: &Place| {
        // Checked before the open, which would wait for the writer of a FIFO.
        if !place.metadata()?.is_file() {
            return Ok(None);
        }
        let flags = place.flags().bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&place.path)?;
        let opened = file.metadata()?;
        place.require(&opened, MAY_READ)?;
        Ok(opened.is_file().then_some(file))
    };
    let refuse = |problem: String| {
        Refusal::bad_input(field, format!("{} {problem}", display_path(path)))
            .hint("name an existing file that you may read")
    };
    match as_operator(process, path, false, open_regular) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(refuse("is not a regular file".to_owned())),
        Err(e) => Err(busy_or(&e, refuse(format!("can't be opened: {e}")))),
    }
}

/// A file that is written or replaced atomically.
pub struct OperatorFile {
    pub path: PathBuf,
    pub process: Process,
    /// The name of the file in messages.
    pub field: &'static str,
    pub mode: u32,
}

impl OperatorFile {
    /// Fails with `cannot_create` where the path is no regular file or its directory is not writable.
    pub fn replace(&self, content: &[u8]) -> Result<(), Refusal> {
        let write = {
            let (mode, content) = (self.mode, content.to_owned());
            move |place: &Place| replace_atomically(place, mode, &content)
        };
        as_operator(&self.process, &self.path, true, write)
            .map_err(|e| cannot_write(&self.path, self.field, &e))
    }
}

fn cannot_write(path: &Path, field: &str, error: &std::io::Error) -> Refusal {
    let refusal = Refusal::new(
        ErrorCode::CannotCreate,
        format!("{} can't be written: {error}", display_path(path)),
    );
    let refusal = refusal.field(field).hint(
        "name a regular file, or one that does not exist yet, in a directory that you may write to",
    );
    busy_or(error, disk_fault_or(path, error, refusal))
}

fn replace_atomically(place: &Place, mode: u32, content: &[u8]) -> IoResult<()> {
    let is_replaceable = match place.path.symlink_metadata() {
        Ok(existing) => {
            place.require(&existing, MAY_WRITE)?;
            existing.is_file()
        }
        Err(e) => e.kind() == ErrorKind::NotFound,
    };
    if !is_replaceable {
        return Err(std::io::Error::other("not a regular file"));
    }
    Draft::with_content(&place.path, mode, content)?.replace()
}

/// Appends a line to a file, which is created if needed; `field` names the file in messages.
pub fn append(path: &Path, process: &Process, field: &str, line: &str) -> Result<(), Refusal> {
    let line = format!("{line}\n");
    let write = move |place: &Place| {
        let mut options = OpenOptions::new();
        options.append(true).mode(0o600);
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let mut file = match options.clone().create_new(true).open(&place.path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let file = options.open(&place.path)?;
                place.require(&file.metadata()?, MAY_WRITE)?;
                file
            }
            made => made?,
        };
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("not a regular file"));
        }
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    as_operator(process, path, true, write).map_err(|e| cannot_write(path, field, &e))
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // The path may name another file by now, so remove it with the operator's rights only.
            let remove = |place: &Place| std::fs::remove_file(&place.path);
            let _ = as_operator(&self.process, &self.path, true, remove);
        }
    }
}
