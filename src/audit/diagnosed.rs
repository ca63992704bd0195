//! The codes that were diagnosed lately, from the log.

use anyhow::Result;
use serde_json::Value;

use crate::domain::diagnosed_offsets::{DiagnosedOffsets, LATELY};
use crate::domain::time::Timestamp;
use crate::store::{LogQuery, ReadTx};

/// The verb whose events say by how many seconds a code was off.
pub const DIAGNOSE: &str = "diagnose";

/// The codes that were off, of the time before now.
pub fn diagnosed_offsets(snapshot: &mut ReadTx<'_>, now: Timestamp) -> Result<DiagnosedOffsets> {
    let query = LogQuery {
        verb: Some(DIAGNOSE.to_owned()),
        outcome: Some("done".to_owned()),
        since: Some(now.minus(LATELY)),
        ..LogQuery::default()
    };
    let mut found = DiagnosedOffsets::default();
    snapshot.log().events(&query, &mut |event| {
        let detail = event.detail.and_then(|detail| serde_json::from_str::<Value>(&detail).ok());
        let seconds = detail.and_then(|detail| detail["seconds"].as_i64());
        if let Some((user, seconds)) = event.user.zip(seconds) {
            found.add(user, seconds);
        }
        Ok(true)
    })?;
    Ok(found)
}
