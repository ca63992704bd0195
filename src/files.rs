//! Files: which ones are trusted, and how an operator's own files are read and written.

pub mod file_trust;
pub mod for_operator;
pub mod new_file;
pub mod operator_file;

pub use for_operator::{append_line, new_file, open_file, replaceable_file};
