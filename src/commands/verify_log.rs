//! `mfactl verify-log`

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::app::operator_files;
use crate::audit;
use crate::audit::prove::LogProof;
use crate::domain::audit::anchor::Anchor;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::report::{Fields, Format, Record, Report, Verdict};

/// Verify the audit log, and that the records of all users agree with it
///
/// Checks that no event was altered or removed: the hash chain, and the MACs if the key can be read. Then
/// it compares the users and the database's indexes with the log. Exits with 1 if something is damaged,
/// and names the first bad event or user. An older copy of the store is intact too: only an anchor that
/// is kept elsewhere shows that somebody put one back.
#[derive(Args, Debug)]
pub struct VerifyLog {
    /// Compare with the anchors in this file, one per line
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Append an anchor to this file (- is standard output)
    ///
    /// An anchor is one line with the position and hash of the last event. Keep it where nobody who can
    /// change the store can change it: in the log of another host, or on paper.
    #[arg(long, value_name = "FILE")]
    save_anchor: Option<PathBuf>,
}

/// The outcomes. `UNANCHORED`: the log was pruned beyond every anchor, so none could be compared.
const WHOLE: &str = "whole";
const DAMAGED: &str = "damaged";
const UNANCHORED: &str = "unanchored";

/// The state of the log.
#[derive(Serialize)]
pub struct VerifyLogRecord {
    schema: &'static str,
    outcome: &'static str,
    events: u64,
    first_event: Option<u64>,
    last_event: Option<u64>,
    pruned_until: Option<Timestamp>,
    macs_checked: bool,
    /// Anchors that match, and anchors of events that were pruned.
    anchors: u64,
    anchors_pruned: u64,
    /// Events whose personal fields `remove-user --erase` removed.
    erased_events: u64,
    users: u64,
    first_bad_event: Option<u64>,
    problem: Option<String>,
    #[serde(skip)]
    is_log_damaged: bool,
}

impl Verb for VerifyLog {
    const NAME: &'static str = "verify-log";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl verify-log",
        "mfactl verify-log --quiet --save-anchor - | logger -t mfactl",
        "mfactl verify-log --anchor anchors.txt",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let is_for_people = app.options.format() == Format::Table;
        if !is_for_people && self.save_anchor.as_deref().is_some_and(|p| p.as_os_str() == "-") {
            let message = "--save-anchor - and the answer cannot both go to standard output";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("give --save-anchor a file, or leave the format out")
                .into());
        }
        let anchors = match &self.anchor {
            Some(path) => anchors_in(app, path, "--anchor")?,
            None => Vec::new(),
        };
        let appended = self.save_anchor.as_deref().filter(|path| path.as_os_str() != "-");
        // Never append to a file that is not a list of anchors.
        if let Some(path) = appended.filter(|path| path.metadata().is_ok_and(|m| m.len() > 0)) {
            anchors_in(app, path, "--save-anchor")?;
        }
        let proved = audit::prove_log(app, &anchors)?;
        let record = VerifyLogRecord::new(&proved, anchors.len() as u64);
        if record.outcome != WHOLE {
            return Ok(Report::one(record, Verdict::No).shown_when_quiet());
        }
        let Some(path) = self.save_anchor else {
            return Ok(Report::one(record, Verdict::Yes));
        };
        let at = app.env.clock.now()?;
        let anchor = Anchor { store: proved.store, head: proved.head, at };
        if path.as_os_str() == "-" {
            return Ok(Report::text(format!("{anchor}\n")));
        }
        operator_files::append_line(app, &path, "--save-anchor", &anchor.to_string())?;
        Ok(Report::one(record, Verdict::Yes))
    }
}

/// The anchors in a file; other lines, as in a system log, are skipped.
fn anchors_in(app: &App<'_>, path: &Path, field: &str) -> Result<Vec<Anchor>> {
    /// Longer than any line of a system log.
    const MAX_LINE: u64 = 1 << 16;
    let mut file = BufReader::new(operator_files::open_file(app, path, field)?);
    let mut anchors = Vec::new();
    let mut line = Vec::new();
    let (mut number, mut is_new) = (0_u64, true);
    while (&mut file).take(MAX_LINE).read_until(b'\n', &mut line)? > 0 {
        // The rest of a line that is too long is no new line.
        number += u64::from(is_new);
        is_new = line.ends_with(b"\n");
        let text = String::from_utf8_lossy(&line);
        if Anchor::occurs_in(&text) {
            let anchor = Anchor::parse(field, text.trim_end());
            anchors
                .push(anchor.map_err(|e| e.unquoted().field(format!("{field}: line {number}")))?);
        }
        line.clear();
    }
    if anchors.is_empty() {
        return Err(Refusal::bad_input(field, "no anchor in this file")
            .hint(
                command(VerifyLog::NAME)
                    .option("--save-anchor", "FILE")
                    .after("give a file written with: "),
            )
            .into());
    }
    Ok(anchors)
}

impl VerifyLogRecord {
    pub fn new(proved: &LogProof, anchors: u64) -> Self {
        let first = proved.start.head.seq + 1;
        let is_empty = proved.events == 0;
        let outcome = match proved.problem() {
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
            erased_events: proved.erased_events,
            users: proved.records.users,
            problem: proved.problem().map(ToOwned::to_owned),
            is_log_damaged: proved.damage.is_some(),
        }
    }
}

impl Record for VerifyLogRecord {
    const COLUMNS: &'static [&'static str] = &[
        "outcome",
        "events",
        "first_event",
        "last_event",
        "pruned_until",
        "macs_checked",
        "anchors",
        "anchors_pruned",
        "erased_events",
        "users",
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
        f.value(self.erased_events);
        f.value(self.users);
        f.maybe_value(self.first_bad_event);
        f.maybe_text(self.problem.as_deref());
    }

    fn sentence(&self) -> String {
        let events = counted(self.events, "event");
        if let Some(problem) = &self.problem {
            return if self.is_log_damaged {
                format!("the log is damaged: {problem}; {events} before it verified")
            } else {
                format!("the log is intact, but not the store: {problem}")
            };
        }
        let mut text = format!("the log is intact: {events}");
        if let (Some(first), Some(last)) = (self.first_event, self.last_event) {
            _ = write!(text, ", {first} to {last}");
        }
        if let Some(until) = self.pruned_until {
            _ = write!(text, "; pruned until {until}");
            if !self.macs_checked {
                text.push_str(" (not checked: this needs the key)");
            }
        }
        text.push_str(if self.macs_checked {
            "; all hashes and MACs match"
        } else {
            "; all hashes match (MACs not checked: this needs the key)"
        });
        let users = match self.users {
            1 => "the record of 1 user agrees".to_owned(),
            n => format!("the records of {n} users agree"),
        };
        _ = write!(text, "; {users} with it");
        match self.anchors {
            0 if self.anchors_pruned > 0 => text.push_str(
                "; every anchor is older than the log, so none was compared; save a new one",
            ),
            0 => {}
            1 => text.push_str("; the anchor matches"),
            n => _ = write!(text, "; all {n} anchors match"),
        }
        text
    }
}
