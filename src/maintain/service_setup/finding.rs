//! One thing that a login server needs, and what to do where it is missing.

use serde::Serialize;

use crate::domain::text::shown;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub what: &'static str,
    pub state: State,
    pub words: String,
    /// The one thing to do; `None` if it is good.
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// It works without, but worse.
    Advice,
    Missing,
}

/// What was found so far, in the order in which a person would set things up.
#[derive(Default)]
pub struct Survey(pub Vec<Finding>);

impl Survey {
    pub fn good(&mut self, what: &'static str, words: impl AsRef<str>) {
        self.add(what, State::Good, words.as_ref(), None);
    }

    pub fn advice(&mut self, what: &'static str, words: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(what, State::Advice, words.as_ref(), Some(fix.as_ref()));
    }

    pub fn missing(&mut self, what: &'static str, words: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(what, State::Missing, words.as_ref(), Some(fix.as_ref()));
    }

    fn add(&mut self, what: &'static str, state: State, words: &str, fix: Option<&str>) {
        let safe = |text: &str| shown(text).into_owned();
        let finding = Finding { what, state, words: safe(words), fix: fix.map(safe) };
        // Several files may lack the same.
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}
