//! Prunes the oldest events of the audit log.

use anyhow::Result;
use serde_json::json;

use crate::app::App;
use crate::app::transaction::{MAX_SET, Transaction};
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::audit::retained::KEPT_OUTCOME;
use crate::domain::audit::event::Ticket;
use crate::domain::audit::prunings::{LAST_PRUNED, PRUNE_OUTCOME, PRUNE_VERB};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::store::{Change, TokenChange};

/// How many events before a time can be pruned. The last event always stays.
pub fn prunable_events(app: &mut App<'_>, before: Timestamp) -> Result<u64> {
    let now = app.env.clock.now()?;
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let (start, end) = (snapshot.log().start()?.head.seq, snapshot.log().head()?.seq);
    let last = snapshot.log().last_seq_before(before, now)?.min(end.saturating_sub(1));
    Ok(last.saturating_sub(start))
}

/// Verifies the log, removes the events before a time, logs that, and returns their number. A
/// damaged log is `tampered`: pruning it would destroy evidence.
pub fn prune(app: &mut App<'_>, before: Timestamp, ticket: &Ticket) -> Result<u64> {
    let mut opened = app.open_store()?;
    let proved = audit::prove_log(app, &[])?;
    if let Some(problem) = proved.problem() {
        let message = format!("the log is damaged: {problem}");
        return Err(Refusal::new(ErrorCode::Tampered, message)
            .hint("nothing was pruned; find out who can write to the store")
            .into());
    }
    let now = app.env.clock.now()?;
    let mut names = Vec::new();
    let last = {
        let mut store = app.reader()?;
        let mut snapshot = store.read()?;
        snapshot.names("", &mut |name| {
            names.push(UserName::stored(name.to_owned()));
            true
        })?;
        snapshot.log().last_seq_before(before, now)?
    };
    let retained = audit::retained_times(app)?;
    let bar = app.progress_bar(names.len() as u64);
    let pruned = write_tx(app, &mut opened, |app, mut write| {
        bar.set_position(0);
        for names in names.chunks(MAX_SET) {
            keep_users(app, &mut write, names, last)?;
            bar.inc(names.len() as u64);
        }
        keep_tokens(app, &mut write, last)?;
        let up_to = write.tx.prune(last)?;
        let pruned = up_to.saturating_sub(proved.start.head.seq);
        let mut detail = json!({ "before": before, "events": pruned, LAST_PRUNED: up_to });
        if let (Some(detail), Some(retained)) = (detail.as_object_mut(), retained.as_object()) {
            detail.extend(retained.clone());
        }
        let record = AuditRecord {
            verb: PRUNE_VERB,
            outcome: PRUNE_OUTCOME,
            ticket: ticket.clone(),
            detail: Some(detail.to_string()),
            ..AuditRecord::default()
        };
        audit::append_store_event(app.env, &mut write.tx, write.at, record)?;
        write.commit()?;
        Ok(pruned)
    });
    bar.finish_and_clear();
    pruned
}

/// Logs the state of those users whose newest event is going to be pruned: a user's newest event shows that their
/// rows are not an older copy.
fn keep_users(
    app: &mut App<'_>,
    write: &mut Transaction<'_>,
    names: &[UserName],
    last: u64,
) -> Result<()> {
    let mut kept = Vec::new();
    for user in write.tx.load(names)?.into_iter().flatten() {
        if write.tx.newest_event(user.id)?.is_none_or(|newest| newest <= last) {
            let record =
                AuditRecord { verb: PRUNE_VERB, outcome: KEPT_OUTCOME, ..AuditRecord::default() };
            kept.push((Change::Keep(user), Some(record)));
        }
    }
    audit::save_all(app.env, &mut write.tx, write.at, kept).map(drop)
}

/// The same for the tokens of the inventory.
fn keep_tokens(app: &mut App<'_>, write: &mut Transaction<'_>, last: u64) -> Result<()> {
    for folded in write.tx.inventory().logged_up_to(last)? {
        let Some(token) = write.tx.inventory().any(&folded)? else { continue };
        let record =
            AuditRecord { verb: PRUNE_VERB, outcome: KEPT_OUTCOME, ..AuditRecord::default() };
        audit::save_token(app.env, &mut write.tx, write.at, TokenChange::Keep(token), record)?;
    }
    Ok(())
}
