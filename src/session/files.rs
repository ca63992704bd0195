//! Files that an operator names: opened and made with his rights, and never over what we live by.

use std::fs::File;
use std::path::Path;

use anyhow::Result;

use super::Session;
use crate::domain::refusal::{Code, Refusal};
use crate::operator_file::{self, NewFile, OperatorFile};
use crate::store::custody::place;

impl Session<'_> {
    /// A file that the operator names, for reading, with his rights.
    ///
    /// # Errors
    /// `bad_input` for what can't be opened or is no regular file.
    pub fn open_file(&self, path: &Path, field: &str) -> Result<File, Refusal> {
        operator_file::open(path, &self.env.process, field)
    }

    /// Adds a line to a file that the operator names, with his rights.
    ///
    /// # Errors
    /// `cannot_create`.
    pub fn append_line(&mut self, path: &Path, field: &str, line: &str) -> Result<()> {
        self.refuse_own_file(path, field)?;
        Ok(operator_file::append(path, &self.env.process, field, line)?)
    }

    /// A file that the operator names, to be put in place later, with his rights.
    ///
    /// # Errors
    /// `cannot_create` for one of our own.
    pub fn file(&mut self, path: &Path, field: &'static str, mode: u32) -> Result<OperatorFile> {
        self.refuse_own_file(path, field)?;
        let process = self.env.process.clone();
        Ok(OperatorFile { path: path.to_owned(), process, field, mode })
    }

    /// A new file that the operator names, with his rights.
    ///
    /// # Errors
    /// `cannot_create` where something is there, and for a place of one of our own.
    pub fn new_file(&mut self, path: &Path, field: &str) -> Result<NewFile> {
        self.refuse_own_file(path, field)?;
        NewFile::create(path, &self.env.process, field)
    }

    /// Nothing that an operator names is written over what we live by.
    fn refuse_own_file(&mut self, path: &Path, field: &str) -> Result<()> {
        let own = self.config()?.own_files();
        if own.iter().any(|own| operator_file::is_same(own, path)) {
            let message = format!("{field}: {} is one of mfactl's own files", place(path));
            return Err(Refusal::new(Code::CannotCreate, message).hint("name another file").into());
        }
        Ok(())
    }
}
