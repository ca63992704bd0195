//! The report of a change to many users: a line each, and the totals. The plan has the same form.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::pages::PagesReport;
use super::secrets::SecretFields;
use crate::domain::text::counted;
use crate::domain::user::Status;
use crate::operate::bulk::{BulkResult, BulkRow};
use crate::operate::user_list::ListSource;
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict, Writer};

/// What a verb's change of many users is called for people, before and after it.
#[derive(Clone, Copy)]
pub struct BulkWords {
    pub would: &'static str,
    pub done: &'static str,
}

impl BulkWords {
    pub const CHANGE: Self = Self { would: "would change", done: "changed" };
    pub const ADD: Self = Self { would: "would be added", done: "added" };
    pub const REMOVE: Self = Self { would: "would be removed", done: "removed" };
    pub const ENROL: Self = Self { would: "would be enrolled", done: "enrolled" };

    const fn of(self, dry_run: bool) -> &'static str {
        if dry_run { self.would } else { self.done }
    }
}

/// What the lines have in common.
pub struct Heading {
    pub schema: &'static str,
    pub words: BulkWords,
    pub source: Option<ListSource>,
    /// The lines are a plan.
    pub dry_run: bool,
    /// The pages that were written.
    pub pages: Option<PagesReport>,
}

/// What happened, or would happen, to one user.
#[derive(Serialize)]
pub struct BulkLine {
    user: String,
    status: Status,
    required: bool,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    consequences: Vec<String>,
    #[serde(flatten)]
    secrets: SecretFields,
    #[serde(skip)]
    words: &'static str,
    /// The reason in the words of the totals.
    #[serde(skip)]
    counted: Option<String>,
}

/// The results of a line that is no change.
const ALREADY: &str = "already";
const REFUSED: &str = "refused";

impl BulkLine {
    pub fn of(row: &BulkRow, heading: &Heading, secrets: SecretFields) -> Self {
        let (result, reason, consequences) = match &row.result {
            BulkResult::Changed(consequences) => {
                let result = if heading.dry_run { "would_change" } else { "changed" };
                (result, row.note.clone(), consequences.clone())
            }
            BulkResult::Already => (ALREADY, row.note.clone(), Vec::new()),
            BulkResult::Refused(refusal) => (REFUSED, Some(refusal.to_string()), Vec::new()),
        };
        let counted = match &row.result {
            BulkResult::Changed(_) => row.counted.clone(),
            BulkResult::Already => reason.clone(),
            BulkResult::Refused(_) => None,
        };
        Self {
            user: row.name.to_string(),
            status: row.status,
            required: row.required,
            result,
            reason,
            consequences,
            secrets,
            words: if row.is_change() { heading.words.of(heading.dry_run) } else { result },
            counted,
        }
    }

    fn is_refused(&self) -> bool {
        self.result == REFUSED
    }

    fn is_change(&self) -> bool {
        self.result != REFUSED && self.result != ALREADY
    }

    /// What there is to say beside the result, the reason first.
    fn remarks(&self) -> String {
        self.reason.iter().chain(&self.consequences).cloned().collect::<Vec<_>>().join("; ")
    }
}

/// The lines and the totals. The verdict is a no if a user was refused.
pub fn report(heading: Heading, lines: Vec<BulkLine>) -> Report {
    let verdict = if lines.iter().any(BulkLine::is_refused) { Verdict::No } else { Verdict::Yes };
    Report::list(Verdict::No, move |writer| {
        let for_people = writer.format == Format::Table;
        let only_refused = for_people && writer.quiet;
        let mut preamble =
            vec![("schema", json!(heading.schema)), ("dry_run", json!(heading.dry_run))];
        if let Some(source) = heading.source {
            preamble.extend([("column", json!(source.column)), ("rows", json!(source.rows))]);
            if source.rows_without_user > 0 {
                preamble.push(("rows_without_user", json!(source.rows_without_user)));
            }
        }
        if let Some(pages) = &heading.pages {
            preamble.push(("handouts", json!(pages)));
        }
        let counts = writer.many(&preamble, "users", |write| {
            let mut counts = BulkCounts::default();
            for line in &lines {
                counts.count(line);
                if line.is_refused() || !only_refused {
                    write(line)?;
                }
            }
            Ok(counts)
        })?;
        if for_people && !only_refused {
            counts.write(&mut writer.out, &heading)?;
        }
        Ok(verdict)
    })
}

/// Shown before the question: the users who would change, and those who can't.
pub fn show_plan(writer: &mut Writer<'_>, heading: &Heading, plan: &[BulkLine]) -> Result<()> {
    let nothing: &[(&str, String)] = &[];
    let counts = writer.many(nothing, "users", |write| {
        let mut counts = BulkCounts::default();
        for line in plan {
            counts.count(line);
            if line.result != ALREADY {
                write(line)?;
            }
        }
        Ok(counts)
    })?;
    counts.write(&mut writer.out, heading)
}

#[derive(Default, Serialize)]
struct BulkCounts {
    users: u64,
    changed: u64,
    already: u64,
    refused: u64,
    /// For how many users each consequence follows.
    consequences: BTreeMap<String, u64>,
    /// For how many users each reason holds, of a change or of none.
    reasons: BTreeMap<String, u64>,
}

impl BulkCounts {
    fn count(&mut self, line: &BulkLine) {
        self.users += 1;
        for consequence in &line.consequences {
            *self.consequences.entry(consequence.clone()).or_default() += 1;
        }
        if let Some(reason) = &line.counted {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
        if line.is_change() {
            self.changed += 1;
        } else if line.is_refused() {
            self.refused += 1;
        } else {
            self.already += 1;
        }
    }

    fn write(&self, out: &mut dyn std::io::Write, heading: &Heading) -> Result<()> {
        writeln!(out, "{}", self.sentence(heading))?;
        for (consequence, users) in self.consequences.iter().chain(&self.reasons) {
            writeln!(out, "{}: {consequence}", counted(*users, "user"))?;
        }
        Ok(())
    }

    /// Which part of the list was read, and what becomes of its users.
    fn sentence(&self, heading: &Heading) -> String {
        let read = heading.source.map(|source| source.sentence() + "\n").unwrap_or_default();
        let users = counted(self.users, "user");
        let changed = heading.words.of(heading.dry_run);
        format!(
            "{read}{users}: {} {changed}, {} already so, {} refused",
            self.changed, self.already, self.refused
        )
    }
}

impl Record for BulkLine {
    const COLUMNS: &'static [&'static str] =
        &["user", "status", "result", "reason", "consequences"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.status.word());
        f.text(self.result);
        f.maybe_text(self.reason.as_deref());
        f.text(&self.consequences.join("; "));
    }

    fn sentence(&self) -> String {
        let words = self.words;
        let mut sentence = if words.ends_with("removed") {
            format!("{}: {words}", self.user)
        } else {
            format!("{}: {words}; MFA is {}", self.user, self.status.label())
        };
        for consequence in &self.consequences {
            sentence.push_str("; ");
            sentence.push_str(consequence);
        }
        if let Some(reason) = &self.reason {
            sentence = format!("{sentence} ({reason})");
        }
        sentence
    }

    fn header() -> &'static [&'static str] {
        &["USER", "RESULT", "STATUS", "REASON OR CONSEQUENCES"]
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = if self.is_refused() { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::plain(self.user.as_str()),
            Cell::toned(self.words, tone),
            Cell::plain(self.status.label()),
            Cell::plain(self.remarks()),
        ]
    }
}
