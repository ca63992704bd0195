//! `mfactl undo --list`: what can be taken back, and what each would restore.

use anyhow::Result;
use serde::Serialize;

use super::{Relabelled, joined, texts};
use crate::app::App;
use crate::domain::name::UserName;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::undo::{PasswordState, UndoReach, Undone, kept_words};
use crate::report::{Cell, Fields, Record, Report, Verdict};

/// One change, as it is once those above it in the list are taken back.
#[derive(Serialize)]
struct UndoableAct {
    act: &'static str,
    at: Timestamp,
    /// It can be taken back until then.
    until: Timestamp,
    /// When a code was accepted since; it then needs --even-after-code.
    code_accepted_at: Option<Timestamp>,
    restores: Vec<String>,
    relabelled: Vec<Relabelled>,
    cuts_off: Vec<String>,
    recovery_codes: usize,
    voids_codes: bool,
    restores_password_state: bool,
    #[serde(skip)]
    summary: String,
}

/// Closes the JSON document.
#[derive(Serialize)]
struct ActCount {
    count: usize,
    /// Those that need no --even-after-code.
    open: usize,
}

pub fn run(app: &mut App<'_>, name: &UserName) -> Result<Report> {
    let (now, undo_for) = (app.env.clock.now()?, app.config.undo_for);
    let mut user = app.read_user(name)?;
    let mut acts = Vec::new();
    let is_ahead = user.undo.newest().is_some_and(|newest| newest.at.is_ahead_of(now));
    while let Ok((before, undone)) = user.take_back(now, undo_for, UndoReach::EvenAfterCode) {
        acts.push(UndoableAct::of(&undone, undone.at.plus(undo_for)));
        user = before;
    }
    if acts.is_empty() && app.is_for_people() {
        let why = if is_ahead {
            "the newest change was made while the clock was ahead".to_owned()
        } else {
            kept_words(undo_for)
        };
        app.note(&format!("nothing can be taken back for {name}; {why}"));
    }
    let name = name.to_string();
    Ok(Report::list(Verdict::Yes, move |writer| {
        let preamble = [("schema", "mfactl.undo-list/1".to_owned()), ("user", name)];
        writer.many(&preamble, "acts", |write| {
            acts.iter().try_for_each(write)?;
            let open = acts.iter().filter(|act| act.code_accepted_at.is_none()).count();
            Ok(ActCount { count: acts.len(), open })
        })?;
        Ok(Verdict::Yes)
    }))
}

impl UndoableAct {
    fn of(undone: &Undone, until: Timestamp) -> Self {
        Self {
            act: undone.act.verb(),
            at: undone.at,
            until,
            code_accepted_at: undone.closed_at,
            restores: texts(&undone.restored),
            relabelled: Relabelled::of(undone),
            cuts_off: texts(&undone.cut_off),
            recovery_codes: undone.recovery_codes,
            voids_codes: undone.voids_codes,
            restores_password_state: undone.password == PasswordState::Restored,
            summary: summary(undone),
        }
    }

    fn needs(&self) -> &'static str {
        if self.code_accepted_at.is_some() { "--even-after-code" } else { "" }
    }
}

/// Such as "phone, 10 recovery codes; cuts off tablet".
fn summary(undone: &Undone) -> String {
    let mut restored = Vec::new();
    if !undone.restored.is_empty() {
        restored.push(joined(&undone.restored));
    }
    if undone.recovery_codes > 0 {
        restored.push(counted(undone.recovery_codes as u64, "recovery code"));
    }
    if undone.password == PasswordState::Restored {
        restored.push("the password as it was".to_owned());
    }
    let mut parts = vec![restored.join(", ")];
    if !undone.cut_off.is_empty() {
        parts.push(format!("cuts off {}", joined(&undone.cut_off)));
    }
    if undone.voids_codes {
        parts.push("voids codes made since".to_owned());
    }
    if undone.password == PasswordState::ChosenSince {
        parts.push("the password chosen since stays".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

impl Record for UndoableAct {
    const COLUMNS: &'static [&'static str] =
        &["act", "at", "until", "code_accepted_at", "restores", "cuts_off", "recovery_codes"];

    fn fields(&self, f: &mut Fields) {
        f.text(self.act);
        f.value(self.at);
        f.value(self.until);
        f.maybe_value(self.code_accepted_at);
        f.text(&self.restores.join(";"));
        f.text(&self.cuts_off.join(";"));
        f.value(self.recovery_codes);
    }

    fn sentence(&self) -> String {
        let Self { act, at, until, summary, .. } = self;
        let needs = match self.code_accepted_at {
            Some(closed) => format!(", with --even-after-code: a code was accepted at {closed}"),
            None => String::new(),
        };
        format!("{act} of {at}, until {until}{needs}: restores {summary}")
    }

    fn header() -> &'static [&'static str] {
        &["CHANGE", "AT", "UNTIL", "RESTORES", "NEEDS"]
    }

    fn cells(&self) -> Vec<Cell> {
        let (at, until) = (self.at.to_string(), self.until.to_string());
        [self.act, &at, &until, &self.summary, self.needs()].map(Cell::plain).into()
    }
}
