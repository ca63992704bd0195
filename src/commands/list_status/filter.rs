//! Which users are listed.

use clap::{Args, ValueEnum};

use super::Line;
use crate::domain::name::group;
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};
use crate::store::Likeness;

/// Filters; a user is listed who passes all of them.
#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
pub struct FilterOptions {
    /// Users of this status; can be given several times
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Vec<StatusOption>,
    /// Users whose MFA is not enabled
    #[arg(long)]
    without_mfa: bool,
    /// Users of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Users who are locked now
    #[arg(long)]
    locked: bool,
    /// Users with a device that has waited longer for its first code
    #[arg(long, value_name = "SPAN")]
    pending_longer_than: Option<String>,
    /// Users without an accepted code for so long
    #[arg(long, value_name = "SPAN")]
    inactive_for: Option<String>,
    /// Users without any accepted code
    #[arg(long)]
    never_used: bool,
    /// Users without MFA of whom it will be required
    #[arg(long)]
    due: bool,
    /// Users without MFA of whom it is required by now
    #[arg(long)]
    overdue: bool,
    /// Users with an open bypass code
    #[arg(long)]
    bypass: bool,
    /// Users with fewer unused recovery codes than this
    #[arg(long, value_name = "N")]
    recovery_codes_below: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum StatusOption {
    Enabled,
    Disabled,
    Pending,
    #[value(alias = "not-enabled")]
    NotEnabled,
}

impl StatusOption {
    const fn status(self) -> Status {
        match self {
            Self::Enabled => Status::Enabled,
            Self::Disabled => Status::Disabled,
            Self::Pending => Status::Pending,
            Self::NotEnabled => Status::NotEnabled,
        }
    }
}

/// [`FilterOptions`], understood.
pub struct Filter {
    statuses: Vec<Status>,
    without_mfa: bool,
    group: Option<String>,
    locked: bool,
    pending_longer_than: Option<Span>,
    inactive_for: Option<Span>,
    never_used: bool,
    duties: (bool, bool),
    bypass: bool,
    recovery_codes_below: Option<usize>,
}

impl FilterOptions {
    /// # Errors
    /// `bad_input` for a group or a span that can't be.
    pub fn filter(&self) -> Result<Filter, Refusal> {
        let span = |option: &str, text: &Option<String>| {
            text.as_deref().map(|t| Span::parse(option, t)).transpose()
        };
        Ok(Filter {
            statuses: self.status.iter().map(|s| s.status()).collect(),
            without_mfa: self.without_mfa,
            group: self.group.as_deref().map(group).transpose()?,
            locked: self.locked,
            pending_longer_than: span("--pending-longer-than", &self.pending_longer_than)?,
            inactive_for: span("--inactive-for", &self.inactive_for)?,
            never_used: self.never_used,
            duties: (self.due, self.overdue),
            bypass: self.bypass,
            recovery_codes_below: self.recovery_codes_below,
        })
    }
}

impl Filter {
    /// Does the summary count this user?
    pub fn is_in_scope(&self, user: &User) -> bool {
        self.group.as_ref().is_none_or(|g| user.profile.groups.contains(g))
    }

    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// What the database can tell of those who are listed, all of them and perhaps more.
    pub fn likeness(&self, policy: &Policy, now: Timestamp) -> Likeness {
        let mut statuses = self.statuses.clone();
        if self.without_mfa || self.duties.0 || self.duties.1 {
            let without = [Status::Disabled, Status::Pending, Status::NotEnabled];
            if statuses.is_empty() {
                statuses.extend(without);
            } else {
                statuses.retain(|status| without.contains(status));
            }
            // Nobody is both.
            if statuses.is_empty() {
                statuses.push(Status::NotEnabled);
            }
        }
        Likeness {
            statuses,
            group: self.group.clone(),
            was_locked: self.locked,
            unused_since: self.inactive_for.map(|span| now.minus(span)),
            is_unused: self.never_used,
            has_bypass: self.bypass,
            is_waiting: self.pending_longer_than.is_some(),
            is_asked: (self.duties.0 || self.duties.1) && policy.scope == Scope::Nobody,
        }
    }

    /// Is this user listed?
    pub fn wants(&self, user: &User, line: &Line, now: Timestamp) -> bool {
        let since = |t: Timestamp, span: Option<Span>| span.is_none_or(|s| now.since(t) >= s);
        let last = user.last_verified_at.unwrap_or(user.created_at);
        let waits =
            |span: Span| user.live().any(|d| d.is_pending() && now.since(d.created_at) > span);
        (self.statuses.is_empty() || self.statuses.contains(&line.status))
            && (!self.without_mfa || line.status != Status::Enabled)
            && (!self.locked || line.locked)
            && (!self.duties.0 || line.due_at.is_some())
            && (!self.duties.1 || line.is_overdue())
            && (!self.bypass || line.bypass)
            && self.recovery_codes_below.is_none_or(|n| line.recovery_codes_left < n)
            && (!self.never_used || user.last_verified_at.is_none())
            && since(last, self.inactive_for)
            && self.pending_longer_than.is_none_or(waits)
    }
}
