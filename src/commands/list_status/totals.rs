//! Totals over all users, or by group.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::UserLine;
use crate::domain::name::group_spelling;
use crate::domain::user::Status;
use crate::report::{Cell, Fields, Record, Tone};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub users: u64,
    pub enabled: u64,
    pub pending: u64,
    pub disabled: u64,
    pub not_enabled: u64,
    pub locked: u64,
    /// Weak ones among them.
    pub required_without_mfa: u64,
    /// Enabled users, but by devices of weak kinds only.
    pub weak: u64,
    /// Percentage of enabled users who are not weak, rounded down to hundredths; 100 if there are no users.
    pub coverage: f64,
    /// Users of an earlier time who are neither listed nor counted, because their names were erased
    /// from the log later.
    #[serde(skip_serializing_if = "is_zero")]
    pub nameless: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    pub fn count(&mut self, line: &UserLine) {
        self.users += 1;
        match line.status {
            Status::Enabled => self.enabled += 1,
            Status::Pending => self.pending += 1,
            Status::Disabled => self.disabled += 1,
            Status::NotEnabled => self.not_enabled += 1,
        }
        self.locked += u64::from(line.locked);
        self.required_without_mfa += u64::from(line.is_overdue());
        self.weak += u64::from(line.weak);
    }

    /// Sets the coverage after the last user was counted.
    #[must_use]
    pub fn with_coverage(mut self) -> Self {
        self.coverage = (self.exact_coverage() * 100.0).floor() / 100.0;
        self
    }

    /// Users with an active device of a strong kind.
    pub const fn covered(&self) -> u64 {
        self.enabled - self.weak
    }

    /// `None` where there are no users: a share of nobody is neither good nor bad.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn coverage_ratio(&self) -> Option<f64> {
        (self.users > 0).then(|| self.covered() as f64 / self.users as f64)
    }

    /// In percent; 100 where there are no users, as JSON promises, which is no judgement.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn exact_coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.covered() as f64 * 100.0 / self.users as f64 }
    }

    fn percent(&self) -> String {
        if self.users == 0 {
            return "unknown".to_owned();
        }
        format!("{:.1}%", (self.exact_coverage() * 10.0).floor() / 10.0)
    }

    pub fn sentence(&self) -> String {
        let Self { users, enabled, pending, disabled, not_enabled, locked, .. } = self;
        let noun = if *users == 1 { "user" } else { "users" };
        let some = |n: u64, word| if n > 0 { format!(", {n} {word}") } else { String::new() };
        let (locked, overdue) =
            (some(*locked, "locked"), some(self.required_without_mfa, "overdue"));
        let weak = match self.weak {
            0 => String::new(),
            n => format!(" ({n} weak)"),
        };
        let nameless = match self.nameless {
            0 => String::new(),
            n => format!(
                "; not listed: {n} whose names were erased from the log, or who were given up"
            ),
        };
        format!(
            "{users} {noun}: {enabled} enabled{weak}, {pending} pending, {disabled} disabled, \
             {not_enabled} not enabled{locked}{overdue}; coverage {}{nameless}",
            self.percent()
        )
    }
}

/// The totals of a group; of all users if `group` is `None`.
#[derive(Serialize)]
pub struct GroupLine {
    pub group: Option<String>,
    #[serde(flatten)]
    pub summary: Summary,
}

/// Totals by group name.
#[derive(Default)]
pub struct Groups(BTreeMap<String, Summary>);

impl Groups {
    /// A user counts in each of their groups, or under the empty name if they have none.
    pub fn count(&mut self, line: &UserLine) {
        // An earlier version may have stored two spellings of one group.
        let groups: BTreeSet<String> = line.groups.iter().map(|g| group_spelling(g)).collect();
        for group in groups {
            self.0.entry(group).or_default().count(line);
        }
        if line.groups.is_empty() {
            self.0.entry(String::new()).or_default().count(line);
        }
    }

    /// Sorted by name; the empty name stands for users without a group.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Summary)> {
        self.0.iter().map(|(name, summary)| (name.as_str(), summary))
    }

    pub fn lines(self) -> impl Iterator<Item = GroupLine> {
        let line = |(group, summary): (String, Summary)| GroupLine {
            group: Some(group),
            summary: summary.with_coverage(),
        };
        self.0.into_iter().map(line)
    }
}

impl Record for GroupLine {
    const COLUMNS: &'static [&'static str] = &[
        "group",
        "users",
        "enabled",
        "pending",
        "disabled",
        "not_enabled",
        "locked",
        "required_without_mfa",
        "coverage",
        "weak",
    ];

    fn fields(&self, f: &mut Fields) {
        let s = &self.summary;
        f.maybe_text(self.group.as_deref());
        for number in [
            s.users,
            s.enabled,
            s.pending,
            s.disabled,
            s.not_enabled,
            s.locked,
            s.required_without_mfa,
        ] {
            f.value(number);
        }
        f.value(s.coverage);
        f.value(s.weak);
    }

    fn sentence(&self) -> String {
        match self.group.as_deref() {
            None => self.summary.sentence(),
            Some("") => format!("(no group): {}", self.summary.sentence()),
            Some(group) => format!("{group}: {}", self.summary.sentence()),
        }
    }

    fn header() -> &'static [&'static str] {
        &[
            "GROUP",
            "USERS",
            "ENABLED",
            "WEAK",
            "PENDING",
            "DISABLED",
            "NOT ENABLED",
            "LOCKED",
            "COVERAGE",
        ]
    }

    fn cells(&self) -> Vec<Cell> {
        let s = &self.summary;
        let name = match self.group.as_deref() {
            Some("") | None => "(no group)",
            Some(group) => group,
        };
        let number = |n: u64| Cell::plain(n.to_string());
        let tone = if s.covered() == s.users { Tone::Good } else { Tone::Warning };
        vec![
            Cell::plain(name),
            number(s.users),
            number(s.enabled),
            number(s.weak),
            number(s.pending),
            number(s.disabled),
            number(s.not_enabled),
            number(s.locked),
            Cell::toned(s.percent(), tone),
        ]
    }
}
