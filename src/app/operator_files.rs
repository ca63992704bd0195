//! Files and folders that an operator names: opened and created with the operator's rights, never over mfactl's own.

use std::fs::File;
use std::path::Path;

use anyhow::{Error, Result};

use crate::app::App;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::display_path;
use crate::files::operator_file;
use crate::files::operator_file::{NewFile, OperatorFile};
use crate::files::operator_folder;
use crate::files::operator_folder::NewFolder;
use crate::files::operator_rights;
use crate::files::unfinished;
use crate::store::is_unconfirmed;

/// Says of a change that failed what becomes of the file that was written for it. It is removed, unless the change may
/// be stored all the same: then nobody else has what is in it.
pub fn after_failure(file: NewFile, void: &'static str, error: Error) -> Error {
    if !is_unconfirmed(&error) {
        return error.context(void);
    }
    let path = display_path(file.path());
    file.keep();
    error.context(format!("what is in {path} may be in force: keep the file until you know"))
}

/// Opens a regular file for reading, with the operator's rights.
pub fn open_file(app: &App<'_>, path: &Path, field: &str) -> Result<File, Refusal> {
    operator_file::open(path, &app.env.process, field)
}

/// Whether there is no such file, as far as the operator may know.
#[must_use]
pub fn is_absent(app: &App<'_>, path: &Path) -> bool {
    operator_rights::is_absent(&app.env.process, path)
}

/// Appends a line to a file, with the operator's rights.
pub fn append_line(app: &mut App<'_>, path: &Path, field: &str, line: &str) -> Result<()> {
    refuse_own_file(app, path, field)?;
    Ok(operator_file::append(path, &app.env.process, field, line)?)
}

/// A file to be replaced later, with the operator's rights.
pub fn replaceable_file(
    app: &mut App<'_>,
    path: &Path,
    field: &'static str,
    mode: u32,
) -> Result<OperatorFile> {
    refuse_own_file(app, path, field)?;
    let process = app.env.process.clone();
    Ok(OperatorFile { path: path.to_owned(), process, field, mode })
}

/// Creates a new file, with the operator's rights; an existing path is `cannot_create`.
pub fn new_file(app: &mut App<'_>, path: &Path, field: &str) -> Result<NewFile> {
    refuse_own_file(app, path, field)?;
    (app.env.watch_interrupts)(unfinished::settle);
    NewFile::create(path, &app.env.process, field)
}

/// Makes a new folder, with the operator's rights; an existing path is `cannot_create`.
pub fn new_folder(app: &mut App<'_>, path: &Path, field: &str) -> Result<NewFolder> {
    refuse_own_file(app, path, field)?;
    if let Some(unfinished) = operator_folder::unfinished(path) {
        refuse_own_file(app, &unfinished, field)?;
    }
    (app.env.watch_interrupts)(unfinished::settle);
    Ok(NewFolder::create(path, &app.env.process, field)?)
}

/// Refuses store, key file, configuration and the like.
fn refuse_own_file(app: &mut App<'_>, path: &Path, field: &str) -> Result<()> {
    let own = app.config.own_files();
    if own.iter().any(|own| operator_file::is_same_file(own, path)) {
        let message = format!("{} is one of mfactl's own files", display_path(path));
        return Err(Refusal::new(ErrorCode::CannotCreate, message)
            .field(field)
            .hint("name another file")
            .into());
    }
    Ok(())
}
