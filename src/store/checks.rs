//! Checks of what the database returns, and the refusals when one fails.

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};

/// Checks that a statement changed exactly one row.
pub fn one_row(changed: u64) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(wrong_row_count(changed).into()) }
}

pub fn wrong_row_count(rows: u64) -> Refusal {
    Refusal::new(ErrorCode::Damaged, format!("a statement changed {rows} rows instead of one"))
        .hint("nothing was changed; restore a backup")
}

/// The refusal where the database counts, which tells no number.
pub fn wrong_row_count_somewhere() -> Refusal {
    Refusal::new(ErrorCode::Damaged, "a statement changed another number of rows than it should")
        .hint("nothing was changed; restore a backup")
}

pub fn altered_log_end() -> Refusal {
    Refusal::new(ErrorCode::Tampered, "the end of the audit log was altered outside of mfactl")
        .hint("restore a backup, and find out who can write to the store")
}
