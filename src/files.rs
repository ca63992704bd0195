//! TODO-DOC files

pub mod file_trust;
pub mod new_file;
pub mod operator_file;
pub mod operator_files;
