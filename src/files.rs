//! Files: which ones are trusted, and how an operator's own files are read and written.

pub mod disk_fault;
pub mod file_trust;
pub mod new_file;
pub mod operator_file;
pub mod operator_folder;
pub mod operator_rights;
pub mod path_text;
pub mod side_file;
pub mod unfinished;
