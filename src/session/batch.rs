//! The way of many codes: all that are asked about by now are decided in one transaction, and no answer
//! leaves before its commit.

use std::io::Write as _;

use anyhow::Result;
use serde::Serialize;
use serde_json::value::RawValue;

use super::attempt::{Attempted, Presentation, weigh};
use super::work::Unit;
use super::{Opened, Session};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::throttle::Bounds;
use crate::domain::time::{Span, Timestamp};
use crate::domain::verify::Outcome;
use crate::env::Env;
use crate::notice::BATCH;
use crate::services::lines::{Lines, Question};

/// The verb of the log.
const VERB: &str = "verify";
/// Codes in one transaction. A thousand would cost a tenth less each, and hold the lock for longer than
/// others beside us should wait.
const MOST: usize = 500;

/// One answer, in the order of the questions.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    id: Box<RawValue>,
    user: Option<String>,
    outcome: &'static str,
    device: Option<String>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    /// What went wrong, where the outcome is `error`.
    code: Option<&'static str>,
}

/// An answer, and whose code it was about.
type Decided = (Answer, Option<Attempted>);

impl Session<'_> {
    /// Answers lines until there are no more. Between a question that was not answered and one that was
    /// not asked there is no difference in the store.
    ///
    /// # Errors
    /// `config`, or as the streams have them. A store that is away is an answer and no error.
    pub fn batch(&mut self) -> Result<()> {
        self.env.person = None;
        self.config()?;
        let (mut lines, mut opened) = (Lines::default(), None::<Opened>);
        loop {
            let questions = lines.next(&mut *self.env.input, MOST)?;
            if questions.is_empty() {
                if let Some(opened) = &mut opened {
                    opened.store.upkeep();
                }
                return Ok(());
            }
            let decided = self.answers(&mut opened, &questions);
            for (answer, _) in &decided {
                serde_json::to_writer(&mut *self.env.out.writer, answer)?;
                self.env.out.writer.write_all(b"\n")?;
            }
            self.env.out.writer.flush()?;
            let proved = decided.iter().filter_map(|(_, attempted)| attempted.as_ref());
            let proved = proved.map(|proved| (&proved.user, &proved.outcome, proved.at));
            let Some(opened) = &mut opened else { continue };
            self.notify_proofs(opened, proved, Some(BATCH));
            if !lines.are_waiting() && !(self.env.is_more_waiting)() {
                opened.store.upkeep();
            }
        }
    }

    /// One answer for each. A store that is away is opened again by the next question.
    fn answers(&mut self, opened: &mut Option<Opened>, questions: &[Question]) -> Vec<Decided> {
        let mut is_new = false;
        if opened.as_ref().is_none_or(|opened| !opened.store.is_there()) {
            is_new = true;
            *opened = None;
            match self.opened() {
                Ok(mut new) => {
                    new.store.defer_upkeep();
                    *opened = Some(new);
                }
                Err(error) => return failed(questions, word(&error)),
            }
        }
        let Some(store) = opened else { return failed(questions, Code::StoreUnavailable) };
        let mut is_begun = false;
        match self.decide_all(store, questions, &mut is_begun) {
            Ok(decided) => decided,
            Err(error) => {
                let word = word(&error);
                if word == Code::StoreUnavailable && !is_begun && !is_new {
                    // The server ended what was idle, and may well be there for others.
                    *opened = None;
                    return self.answers(opened, questions);
                }
                let is_outage = matches!(word, Code::Busy | Code::StoreUnavailable | Code::Io);
                if is_outage || questions.len() == 1 {
                    // A disk may be full of what upkeep takes away.
                    if let Some(mut opened) = opened.take() {
                        opened.store.upkeep();
                    }
                    return failed(questions, word);
                }
                // Something is wrong with one of them, and that is no trouble of the others.
                questions.chunks(1).flat_map(|one| self.answers(opened, one)).collect()
            }
        }
    }

    fn decide_all(
        &mut self,
        opened: &mut Opened,
        questions: &[Question],
        is_begun: &mut bool,
    ) -> Result<Vec<Decided>> {
        let rules = (self.config()?.bounds, self.config()?.undo_for);
        self.unit(opened, |session, mut unit| {
            *is_begun = true;
            let decide = |question| one(session.env, &mut unit, question, rules);
            let decided = questions.iter().map(decide).collect::<Result<_>>()?;
            unit.tx.commit()?;
            Ok(decided)
        })
    }
}

fn one(
    env: &mut Env,
    unit: &mut Unit<'_>,
    question: &Question,
    (bounds, undo_for): (Bounds, Span),
) -> Result<Decided> {
    let error = |code| Ok((Answer::error(question, code), None));
    let (name, presented) = match &question.asked {
        Ok(asked) => asked,
        Err(code) => return error(*code),
    };
    let before = match unit.tx.user(name) {
        Ok(Some(user)) => user,
        Ok(None) => return error(Code::UserNotFound),
        Err(trouble) if word(&trouble) == Code::Tampered => return error(Code::Tampered),
        Err(trouble) => return Err(trouble),
    };
    let presentation =
        Presentation { verb: VERB, from: None, only: None, presented, bounds, undo_for };
    Ok(match weigh(env, unit, &before, &presentation)? {
        Ok(attempted) => {
            let answer = Answer::new(question, &attempted);
            let is_news = matches!(attempted.outcome, Outcome::Confirmed { .. });
            (answer, is_news.then_some(attempted))
        }
        Err(refusal) => (Answer::error(question, refusal.code), None),
    })
}

fn failed(questions: &[Question], code: Code) -> Vec<Decided> {
    // What is wrong with a line is wrong with it whether the store is there or not.
    let each = |q: &Question| (Answer::error(q, *q.asked.as_ref().err().unwrap_or(&code)), None);
    questions.iter().map(each).collect()
}

fn word(error: &anyhow::Error) -> Code {
    let mut causes = error.chain();
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => refusal.code,
        None if causes.any(<dyn std::error::Error>::is::<std::io::Error>) => Code::Io,
        None => Code::Internal,
    }
}

impl Answer {
    fn new(question: &Question, attempted: &Attempted) -> Self {
        let Attempted { user, outcome, at, .. } = attempted;
        Self {
            schema: "mfactl.verify/1",
            id: question.id.clone(),
            user: Some(user.name.to_string()),
            outcome: outcome.word(),
            device: outcome.device().map(ToString::to_string),
            factor: outcome.factor(),
            locked_until: user.locked(*at).flatten(),
            code: None,
        }
    }

    fn error(question: &Question, code: Code) -> Self {
        let name = question.asked.as_ref().ok().map(|(name, _)| name.to_string());
        Self {
            schema: "mfactl.verify/1",
            id: question.id.clone(),
            user: name,
            outcome: "error",
            device: None,
            factor: None,
            locked_until: None,
            code: Some(code.word()),
        }
    }
}
