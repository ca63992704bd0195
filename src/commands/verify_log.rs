//! `mfactl verify-log`

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::domain::anchor::Anchor;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::report::{Fields, Format, Record, Report, Verdict};
use crate::session::{Proved, Session};

/// Is the log whole?
///
/// Walks through the log from its first event to its last: every one must follow from the one before,
/// none may be missing, and with the key each must have been written with it. Exit code 1 means damage,
/// and the first bad event is named. A log whose end was cut off together with its guard, and a whole
/// store put back from an older copy, show only against an anchor that was saved elsewhere.
#[derive(Args, Debug)]
pub struct VerifyLog {
    /// Compare with the anchors in this file, one a line
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Add one line to this file (or to standard output: -) that says how far the log has come; keep it
    /// on paper, in another host's log, wherever nobody can reach who can reach the store
    #[arg(long, value_name = "FILE")]
    save_anchor: Option<PathBuf>,
}

/// Words for how the log is. Nothing can be said where it begins after each of the anchors.
const WHOLE: &str = "whole";
const DAMAGED: &str = "damaged";
const UNANCHORED: &str = "unanchored";

/// The answer.
#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    outcome: &'static str,
    events: u64,
    first_event: Option<u64>,
    last_event: Option<u64>,
    pruned_until: Option<Timestamp>,
    macs_checked: bool,
    /// Anchors that the log fits, and those of a time that was pruned.
    anchors: u64,
    anchors_pruned: u64,
    first_bad_event: Option<u64>,
    problem: Option<String>,
}

impl Verb for VerifyLog {
    const NAME: &'static str = "verify-log";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl verify-log",
        "mfactl verify-log --quiet --save-anchor - | logger -t mfactl",
        "mfactl verify-log --anchor anchors.txt",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let is_for_people = session.options.format() == Format::Table;
        if !is_for_people && self.save_anchor.as_deref().is_some_and(|p| p.as_os_str() == "-") {
            let message = "the anchor and the answer can't both be standard output";
            return Err(Refusal::new(Code::Usage, message)
                .hint("give --save-anchor a file, or leave the format out")
                .into());
        }
        let anchors = match &self.anchor {
            Some(path) => anchors_in(session, path, "--anchor")?,
            None => Vec::new(),
        };
        let grows = self.save_anchor.as_deref().filter(|path| path.as_os_str() != "-");
        if let Some(path) = grows.filter(|path| path.metadata().is_ok_and(|m| m.len() > 0)) {
            anchors_in(session, path, "--save-anchor")?;
        }
        let proved = session.prove(&anchors)?;
        let verified = Verified::new(&proved, anchors.len() as u64);
        if verified.outcome != WHOLE {
            return Ok(Report::one(verified, Verdict::No).alarming());
        }
        let Some(path) = self.save_anchor else {
            return Ok(Report::one(verified, Verdict::Yes));
        };
        let at = session.env.clock.now()?;
        let anchor = Anchor { store: proved.store, head: proved.head, at };
        if path.as_os_str() == "-" {
            return Ok(Report::text(format!("{anchor}\n")));
        }
        session.append_line(&path, "--save-anchor", &anchor.to_string())?;
        Ok(Report::one(verified, Verdict::Yes))
    }
}

/// The anchors in a file, whatever else a system log has put there.
fn anchors_in(session: &Session<'_>, path: &Path, field: &str) -> Result<Vec<Anchor>> {
    /// Longer than any line of a system log.
    const LONGEST: u64 = 1 << 16;
    let mut file = BufReader::new(session.open_file(path, field)?);
    let mut anchors = Vec::new();
    let mut line = Vec::new();
    while (&mut file).take(LONGEST).read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if Anchor::is_in(&text) {
            anchors.push(Anchor::parse(field, text.trim_end())?);
        }
        line.clear();
    }
    if anchors.is_empty() {
        return Err(Refusal::bad_input(field, "the file has no anchor")
            .hint("name a file that mfactl verify-log --save-anchor wrote")
            .into());
    }
    Ok(anchors)
}

impl Verified {
    fn new(proved: &Proved, anchors: u64) -> Self {
        let first = proved.start.head.seq + 1;
        let is_empty = proved.events == 0;
        let outcome = match proved.damage {
            Some(_) => DAMAGED,
            None if anchors > 0 && proved.pruned_anchors == anchors => UNANCHORED,
            None => WHOLE,
        };
        Self {
            schema: "mfactl.verify-log/1",
            outcome,
            events: proved.events,
            first_event: (!is_empty).then_some(first),
            last_event: (!is_empty).then_some(proved.head.seq),
            pruned_until: proved.start.at.filter(|_| first > 1),
            macs_checked: proved.has_macs,
            anchors: anchors - proved.pruned_anchors,
            anchors_pruned: proved.pruned_anchors,
            first_bad_event: proved.damage.as_ref().and_then(|d| d.event),
            problem: proved.damage.as_ref().map(|d| d.words.clone()),
        }
    }
}

impl Record for Verified {
    const COLUMNS: &'static [&'static str] = &[
        "outcome",
        "events",
        "first_event",
        "last_event",
        "pruned_until",
        "macs_checked",
        "anchors",
        "anchors_pruned",
        "first_bad_event",
        "problem",
    ];

    fn fields(&self, f: &mut Fields) {
        f.text(self.outcome);
        f.value(self.events);
        f.maybe_value(self.first_event);
        f.maybe_value(self.last_event);
        f.maybe_value(self.pruned_until);
        f.flag(self.macs_checked);
        f.value(self.anchors);
        f.value(self.anchors_pruned);
        f.maybe_value(self.first_bad_event);
        f.maybe_text(self.problem.as_deref());
    }

    fn sentence(&self) -> String {
        let events = match self.events {
            1 => "1 event".to_owned(),
            n => format!("{n} events"),
        };
        if let Some(problem) = &self.problem {
            let are = if self.events == 1 { "is" } else { "are" };
            return format!("the log is damaged: {problem}; {events} before {are} sound");
        }
        let mut text = format!("the log is whole: {events}");
        if let (Some(first), Some(last)) = (self.first_event, self.last_event) {
            _ = write!(text, ", {first} to {last}");
        }
        if let Some(until) = self.pruned_until {
            _ = write!(text, "; pruned until {until}");
            if !self.macs_checked {
                text.push_str(", which only the key proves");
            }
        }
        text.push_str(if self.macs_checked {
            "; every link and every MAC fits"
        } else {
            "; every link fits (without the key no MAC was checked)"
        });
        match self.anchors {
            0 if self.anchors_pruned > 0 => text.push_str(
                "; it begins after every anchor, so that they say nothing of it: save one now",
            ),
            0 => {}
            1 => text.push_str("; it fits the anchor"),
            n => _ = write!(text, "; it fits {n} anchors"),
        }
        text
    }
}
