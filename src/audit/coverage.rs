//! Does the log still reach back far enough?

use anyhow::Result;

use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::store::ReadTx;

/// Fails unless the log still has every event after this position: with `bad_input` if it was pruned,
/// with `tampered` if an event is missing.
pub fn check_log_covers(
    snapshot: &mut ReadTx<'_>,
    field: &str,
    after: u64,
    at: Timestamp,
) -> Result<()> {
    let start = snapshot.log().start()?;
    match start.at {
        Some(first) if after < start.head.seq || at < first => {
            Err(Refusal::bad_input(field, format!("the log was pruned and begins at {first}"))
                .hint(match field {
                    "--state" => {
                        "run once with a later --since; the state file continues from there"
                    }
                    _ => "give a later time",
                })
                .into())
        }
        _ => snapshot.log().check_count_after(after),
    }
}
