//! `verify --batch`: decides all waiting queries in one transaction, and answers after its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::app::transaction::Transaction;
use crate::app::user_tx;
use crate::app::{App, OpenStore};
use crate::audit::{self, RecordedChange};
use crate::authenticate::code::{CodeSubmission, Evaluation, evaluate};
use crate::authenticate::login::{
    LoginAnswer, asks_first, evaluate_for_nobody, evaluate_login, unknown_user_record,
};
use crate::authenticate::services::batch_input::{BatchQuery, LineReader};
use crate::config::Config;
use crate::domain::authenticate::Outcome;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::env::Env;
use crate::notice::BATCH_TIMEOUT;
use crate::operate;
use crate::store::Change;

/// The verb in the audit log.
const VERB: &str = "verify";
/// The outcome of a login that is not let in.
const REJECTED: &str = "rejected";

/// One line of output; answers keep the order of the queries.
#[derive(Serialize)]
pub struct AnswerLine {
    schema: &'static str,
    id: Box<RawValue>,
    user: Option<String>,
    outcome: &'static str,
    device: Option<String>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    /// The error code if the outcome is `error`.
    code: Option<&'static str>,
    #[serde(skip)]
    error: Option<ErrorCode>,
}

/// An answer, and the confirmed device that calls for a notice.
pub type Decided = (AnswerLine, Option<Evaluation>);

/// Answers lines until the input ends. A line without an answer has changed nothing. An
/// unreachable store is an answer, not an error.
pub fn answer_batch(app: &mut App<'_>) -> Result<()> {
    app.env.prompt = None;
    let most = app.config.store.largest_batch();
    let (mut lines, mut opened) = (LineReader::new(app.config.names.clone()), None::<OpenStore>);
    loop {
        let queries = lines.next(&mut *app.env.input, most)?;
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
pub fn answers(
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
    let config = Arc::clone(&app.config);
    user_tx(app, opened, |app, mut write| {
        *is_begun = true;
        let (mut users, of_queries) = load_users(&mut write, queries)?;
        let (mut decided, mut left) = (Vec::with_capacity(queries.len()), &of_queries[..]);
        while !left.is_empty() {
            let (round, rest) = left.split_at(round_length(left));
            let first = decided.len();
            let round = queries[first..].iter().zip(round);
            decided.extend(decide_round(app.env, &mut write, round, &mut users, &config)?);
            left = rest;
        }
        write.commit()?;
        Ok(decided)
    })
}

/// The users of all queries, as they are by now in the transaction.
struct BatchUsers {
    current: BTreeMap<Id, User>,
    /// Whether the log was asked to record names that nobody has: once is enough.
    are_unknown_noted: bool,
}

/// The user of each query, or the error that its answer reports.
type UsersOfQueries = Vec<Result<Id, ErrorCode>>;

/// Loads everybody at once, so that the batch takes as many round trips to a database as one query does.
fn load_users(
    write: &mut Transaction<'_>,
    queries: &[BatchQuery],
) -> Result<(BatchUsers, UsersOfQueries)> {
    let names = queries.iter().filter_map(|query| query.parsed.as_ref().ok());
    let names: BTreeMap<_, _> = names.map(|(name, _)| (name.as_str(), name)).collect();
    let names: Vec<UserName> = names.into_values().cloned().collect();
    let (mut current, mut by_name) = (BTreeMap::new(), BTreeMap::new());
    for (name, loaded) in names.iter().zip(write.tx.load_each(&names)?) {
        // Of one whose record was altered the answer says so; the others are answered as always.
        let id = loaded.map_err(|refusal| refusal.code).and_then(|user| {
            let user = user.ok_or(ErrorCode::UserNotFound)?;
            let id = user.id;
            current.insert(id, user);
            Ok(id)
        });
        by_name.insert(name.as_str(), id);
    }
    let of_query = |query: &BatchQuery| match &query.parsed {
        Ok((name, _)) => {
            by_name.get(name.as_str()).copied().unwrap_or(Err(ErrorCode::UserNotFound))
        }
        Err(code) => Err(*code),
    };
    let of_queries = queries.iter().map(of_query).collect();
    Ok((BatchUsers { current, are_unknown_noted: false }, of_queries))
}

/// How many of the queries can be decided together: up to the second one about the same user, which
/// must see what the first one changed.
fn round_length(users: &[Result<Id, ErrorCode>]) -> usize {
    let mut seen = BTreeSet::new();
    let is_again = |user: &Result<Id, ErrorCode>| user.as_ref().is_ok_and(|id| !seen.insert(*id));
    users.iter().position(is_again).unwrap_or(users.len())
}

/// A user's name, and the answer about them.
type AboutUser = (UserName, LoginAnswer);

/// Queries that are decided and not saved yet.
#[derive(Default)]
struct Evaluated<'q> {
    changes: Vec<RecordedChange>,
    /// In the order of the queries: each about a user has one of the changes.
    answers: Vec<(&'q BatchQuery, Result<AboutUser, ErrorCode>)>,
    /// Where the first question about a name that nobody has came from.
    unknown: Option<&'q AttemptOrigin>,
}

/// Decides queries about different users, and saves all of them.
fn decide_round<'q>(
    env: &mut Env,
    write: &mut Transaction<'_>,
    round: impl Iterator<Item = (&'q BatchQuery, &'q Result<Id, ErrorCode>)>,
    users: &mut BatchUsers,
    config: &Config,
) -> Result<Vec<Decided>> {
    let mut evaluated = Evaluated::default();
    for (query, user) in round {
        let found = user.and_then(|id| users.current.remove(&id).ok_or(ErrorCode::UserNotFound));
        evaluate_query(env, write, query, found, config, &mut evaluated)?;
    }
    let Evaluated { changes, answers, unknown } = evaluated;
    let record = match unknown.filter(|_| !users.are_unknown_noted) {
        Some(origin) => {
            users.are_unknown_noted = true;
            let record = unknown_user_record(write, origin)?;
            if record.is_none() && !changes.iter().any(is_written) {
                write.tx.dummy_write()?;
            }
            record
        }
        None => None,
    };
    let saved = audit::save_all_beside(env, &mut write.tx, write.at, changes, record)?;
    let mut saved = saved.into_iter();
    let mut decided = Vec::with_capacity(answers.len());
    for (query, answer) in answers {
        decided.push(match answer {
            Ok((name, answer)) => {
                let user = saved.next().context("a change was not saved")?;
                users.current.insert(user.id, user.clone());
                answered(query, &name, answer, user)
            }
            Err(ErrorCode::UserNotFound) if query.login.is_some() => {
                (AnswerLine::login(query, false), None)
            }
            Err(code) => (AnswerLine::error(query, code), None),
        });
    }
    Ok(decided)
}

/// Whether saving this writes anything.
fn is_written((change, record): &RecordedChange) -> bool {
    record.is_some() || matches!(change, Change::Update { before, after } if before != after)
}

fn evaluate_query<'q>(
    env: &mut Env,
    write: &Transaction<'_>,
    query: &'q BatchQuery,
    found: Result<User, ErrorCode>,
    config: &Config,
    evaluated: &mut Evaluated<'q>,
) -> Result<()> {
    let submission = |submitted| {
        let (verb, origin, device_id) = (VERB, &query.origin, None);
        let place = query.login.and_then(|_| config.services.place(origin));
        let (bounds, undo_for) = (config.bounds, config.undo_for);
        CodeSubmission { verb, origin, device_id, submitted, bounds, undo_for, place }
    };
    let answer = match (found, &query.parsed) {
        (Ok(before), Ok((_, submitted))) => {
            let name = before.name.clone();
            let (change, answer) = match query.login {
                None => {
                    let (change, answer) = evaluate(write, before, &submission(submitted))?;
                    (change, LoginAnswer::Code(answer))
                }
                Some(terms) => {
                    evaluate_login(write, before, config, terms, &submission(submitted))?
                }
            };
            evaluated.changes.push(change);
            Ok((name, answer))
        }
        (Err(ErrorCode::UserNotFound), Ok((_, submitted))) if let Some(terms) = query.login => {
            if !asks_first(config, terms, &query.origin) {
                evaluate_for_nobody(env, write, &submission(submitted))?;
                evaluated.unknown = evaluated.unknown.or(Some(&query.origin));
            }
            Err(ErrorCode::UserNotFound)
        }
        (Err(code), _) => Err(code),
        (_, Err(code)) => Err(*code),
    };
    evaluated.answers.push((query, answer));
    Ok(())
}

/// The answer about a user as they were saved.
fn answered(query: &BatchQuery, name: &UserName, answer: LoginAnswer, user: User) -> Decided {
    let answer = match answer {
        LoginAnswer::Code(answer) => answer,
        LoginAnswer::Rule { lets_in } => return (AnswerLine::login(query, lets_in), None),
    };
    match answer.with_user(user) {
        Ok(attempted) => {
            let answer = match query.login {
                None => AnswerLine::new(query, &attempted),
                Some(_) => AnswerLine::login(query, attempted.outcome.lets_in()),
            };
            let is_new_device = matches!(attempted.outcome, Outcome::Confirmed { .. });
            (answer, is_new_device.then_some(attempted))
        }
        Err(_) if query.login.is_some() => (AnswerLine::login(query, false), None),
        Err(refusal) => {
            let answer = AnswerLine::error(query, refusal.code);
            (AnswerLine { user: Some(name.to_string()), ..answer }, None)
        }
    }
}

fn failed(queries: &[BatchQuery], code: ErrorCode) -> Vec<Decided> {
    // A malformed line stays malformed during an outage.
    let each =
        |q: &BatchQuery| (AnswerLine::error(q, *q.parsed.as_ref().err().unwrap_or(&code)), None);
    queries.iter().map(each).collect()
}

pub fn error_code(error: &anyhow::Error) -> ErrorCode {
    let mut causes = error.chain();
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => refusal.code,
        None if causes.any(<dyn std::error::Error>::is::<std::io::Error>) => ErrorCode::Io,
        None => ErrorCode::Internal,
    }
}

impl AnswerLine {
    /// Why nothing was decided.
    pub const fn error_code(&self) -> Option<ErrorCode> {
        self.error
    }

    /// Whether the outcome is `rejected`.
    pub fn is_no(&self) -> bool {
        self.outcome == REJECTED
    }

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
            error: None,
        }
    }

    /// The answer to a login service, which says nothing but yes or no: it may show what it gets to the remote user.
    pub fn login(query: &BatchQuery, lets_in: bool) -> Self {
        let outcome = if lets_in { "accepted" } else { REJECTED };
        Self { outcome, code: None, error: None, ..Self::error(query, ErrorCode::Internal) }
    }

    pub fn error(query: &BatchQuery, code: ErrorCode) -> Self {
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
            error: Some(code),
        }
    }
}
