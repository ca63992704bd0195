//! `verify --batch`: decides all waiting queries in one transaction, and answers after its commit.

use std::io::Write as _;

use anyhow::Result;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::app::{App, OpenStore};
use crate::authenticate::code::{CodeSubmission, Evaluation, evaluate};
use crate::authenticate::services::batch_input::{BatchQuery, LineReader};
use crate::domain::authenticate::Outcome;
use crate::domain::lockout::Bounds;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::env::Env;
use crate::notice::BATCH_TIMEOUT;
use crate::operate;
use crate::operate::transaction::WriteTx;

/// The verb in the audit log.
const VERB: &str = "verify";
/// Codes in one transaction. A thousand would cost a tenth less each, but would hold the lock longer
/// than other processes should wait.
const MAX_BATCH: usize = 500;

/// One line of output; answers keep the order of the queries.
#[derive(Serialize)]
struct AnswerLine {
    schema: &'static str,
    id: Box<RawValue>,
    user: Option<String>,
    outcome: &'static str,
    device: Option<String>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    /// The error code if the outcome is `error`.
    code: Option<&'static str>,
}

/// An answer, and the confirmed device that calls for a notice.
type Decided = (AnswerLine, Option<Evaluation>);

/// Answers lines until the input ends. A line without an answer has changed nothing. An
/// unreachable store is an answer, not an error.
pub fn answer_batch(app: &mut App<'_>) -> Result<()> {
    app.env.prompt = None;
    let (mut lines, mut opened) = (LineReader::default(), None::<OpenStore>);
    loop {
        let queries = lines.next(&mut *app.env.input, MAX_BATCH)?;
        if queries.is_empty() {
            if let Some(opened) = &mut opened {
                opened.store.upkeep();
            }
            return Ok(());
        }
        let decided = answers(app, &mut opened, &queries);
        for (answer, _) in &decided {
            serde_json::to_writer(&mut *app.env.out.writer, answer)?;
            app.env.out.writer.write_all(b"\n")?;
        }
        app.env.out.writer.flush()?;
        let proved = decided.iter().filter_map(|(_, attempted)| attempted.as_ref());
        let proved = proved.map(|proved| (&proved.user, &proved.outcome, proved.at));
        let Some(opened) = &mut opened else { continue };
        operate::notify_activations(app, opened, proved, Some(BATCH_TIMEOUT));
        if !lines.are_waiting() && !(app.env.has_pending_input)() {
            opened.store.upkeep();
        }
    }
}

/// One answer for each query. After an outage the next query opens the store again.
fn answers(
    app: &mut App<'_>,
    opened: &mut Option<OpenStore>,
    queries: &[BatchQuery],
) -> Vec<Decided> {
    let mut is_new = false;
    if opened.as_ref().is_none_or(|opened| !opened.store.is_there()) {
        is_new = true;
        *opened = None;
        match app.open_store() {
            Ok(mut new) => {
                new.store.defer_upkeep();
                *opened = Some(new);
            }
            Err(error) => return failed(queries, error_code(&error)),
        }
    }
    let Some(store) = opened else { return failed(queries, ErrorCode::StoreUnavailable) };
    let mut is_begun = false;
    match decide_all(app, store, queries, &mut is_begun) {
        Ok(decided) => decided,
        Err(error) => {
            let code = error_code(&error);
            if code == ErrorCode::StoreUnavailable && !is_begun && !is_new {
                // The server closed an idle connection, and may accept a new one.
                *opened = None;
                return answers(app, opened, queries);
            }
            let is_outage =
                matches!(code, ErrorCode::Busy | ErrorCode::StoreUnavailable | ErrorCode::Io);
            if is_outage || queries.len() == 1 {
                // The disk may be full of what upkeep removes.
                if let Some(mut opened) = opened.take() {
                    opened.store.upkeep();
                }
                return failed(queries, code);
            }
            // One query fails; the others must not fail with it.
            queries.chunks(1).flat_map(|query| answers(app, opened, query)).collect()
        }
    }
}

fn decide_all(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    queries: &[BatchQuery],
    is_begun: &mut bool,
) -> Result<Vec<Decided>> {
    let rules = (app.config.bounds, app.config.undo_for);
    operate::write_tx(app, opened, |session, mut write| {
        *is_begun = true;
        let decide = |query| decide_one(session.env, &mut write, query, rules);
        let decided = queries.iter().map(decide).collect::<Result<_>>()?;
        write.tx.commit()?;
        Ok(decided)
    })
}

fn decide_one(
    env: &mut Env,
    write: &mut WriteTx<'_>,
    query: &BatchQuery,
    (bounds, undo_for): (Bounds, Span),
) -> Result<Decided> {
    let failed = |code| Ok((AnswerLine::error(query, code), None));
    let (name, submitted) = match &query.parsed {
        Ok(query_parts) => query_parts,
        Err(code) => return failed(*code),
    };
    let before = match write.tx.user(name) {
        Ok(Some(user)) => user,
        Ok(None) => return failed(ErrorCode::UserNotFound),
        Err(error) if error_code(&error) == ErrorCode::Tampered => {
            return failed(ErrorCode::Tampered);
        }
        Err(error) => return Err(error),
    };
    let submission =
        CodeSubmission { verb: VERB, from: None, device_id: None, submitted, bounds, undo_for };
    Ok(match evaluate(env, write, &before, &submission)? {
        Ok(attempted) => {
            let answer = AnswerLine::new(query, &attempted);
            let is_new_device = matches!(attempted.outcome, Outcome::Confirmed { .. });
            (answer, is_new_device.then_some(attempted))
        }
        Err(refusal) => (AnswerLine::error(query, refusal.code), None),
    })
}

fn failed(queries: &[BatchQuery], code: ErrorCode) -> Vec<Decided> {
    // A malformed line stays malformed during an outage.
    let each =
        |q: &BatchQuery| (AnswerLine::error(q, *q.parsed.as_ref().err().unwrap_or(&code)), None);
    queries.iter().map(each).collect()
}

fn error_code(error: &anyhow::Error) -> ErrorCode {
    let mut causes = error.chain();
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => refusal.code,
        None if causes.any(<dyn std::error::Error>::is::<std::io::Error>) => ErrorCode::Io,
        None => ErrorCode::Internal,
    }
}

impl AnswerLine {
    fn new(query: &BatchQuery, attempted: &Evaluation) -> Self {
        let Evaluation { user, outcome, at, .. } = attempted;
        Self {
            schema: "mfactl.verify/1",
            id: query.id.clone(),
            user: Some(user.name.to_string()),
            outcome: outcome.word(),
            device: outcome.device().map(ToString::to_string),
            factor: outcome.factor(),
            locked_until: user.locked(*at).flatten(),
            code: None,
        }
    }

    fn error(query: &BatchQuery, code: ErrorCode) -> Self {
        let name = query.parsed.as_ref().ok().map(|(name, _)| name.to_string());
        Self {
            schema: "mfactl.verify/1",
            id: query.id.clone(),
            user: name,
            outcome: "error",
            device: None,
            factor: None,
            locked_until: None,
            code: Some(code.word()),
        }
    }
}
