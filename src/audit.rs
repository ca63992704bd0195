//! Writing the audit log, pruning it, and proving it. The rules of the chain are in [`crate::domain::audit`].

pub mod coverage;
pub mod diagnosed;
pub mod prove;
pub mod prune;
pub mod record;
pub mod retained;

pub use coverage::check_log_covers;
pub use diagnosed::{diagnosed_offsets, diagnoses_while_locked, newest_of};
pub use prove::prove_log;
pub use prune::{prunable_events, prune};
pub use record::{
    AuditRecord, RecordedChange, append_store_event, save, save_all, save_all_beside, save_token,
    store_event,
};
pub use retained::{KEY_SAVED, TAKEN_AT, key_saved_at, last_backup_at, retained_times};
