//! The filters of `list-status`.

use clap::{Args, ValueEnum};

use super::UserLine;
use crate::commands::left_out::{LeftOut, NotGroupOption};
use crate::commands::whole_number;
use crate::domain::name::{group, has_one_spelling, is_same_group};
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::search::SearchText;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};
use crate::store::Prefilter;

/// A user is listed if all filters match.
#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
pub struct FilterOptions {
    /// With this status; repeatable
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Vec<StatusOption>,
    /// MFA is not enabled
    #[arg(long)]
    without_mfa: bool,
    /// Name, e-mail or group has these words
    ///
    /// As `mfactl find` searches: case and accents are ignored, and every word must occur.
    #[arg(long = "match", value_name = "TEXT")]
    matching: Option<String>,
    /// In this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    left_out: NotGroupOption,
    /// Locked now
    #[arg(long)]
    locked: bool,
    /// Device unconfirmed for longer, e.g. 48h
    #[arg(long, value_name = "SPAN")]
    pending_longer_than: Option<String>,
    /// No accepted code for this long, e.g. 90d
    #[arg(long, value_name = "SPAN")]
    inactive_for: Option<String>,
    /// No accepted code ever
    #[arg(long)]
    never_used: bool,
    #[command(flatten)]
    policy: PolicyFilter,
    /// With a valid bypass code
    #[arg(long)]
    bypass: bool,
    /// Fewer unused recovery codes than this
    #[arg(long, value_name = "N", value_parser = whole_number::from::<usize>(1))]
    recovery_codes_below: Option<usize>,
    /// Fewer unused codes on a printed list
    ///
    /// Of users whose list is active; the codes of several lists are added up.
    #[arg(long, value_name = "N", value_parser = whole_number::from::<usize>(1))]
    codes_left_below: Option<usize>,
}

/// What the configuration makes of a user's MFA.
#[derive(Args, Clone, Copy, Debug)]
struct PolicyFilter {
    /// MFA enabled by weak kinds of devices only
    ///
    /// Which kinds are strong is `policy.strong` of the configuration.
    #[arg(long)]
    weak: bool,
    /// MFA missing or weak, due at a later date
    #[arg(long)]
    due: bool,
    /// MFA missing or weak, though required now
    #[arg(long)]
    overdue: bool,
}

impl PolicyFilter {
    const fn asks_for_requirement(self) -> bool {
        self.due || self.overdue
    }

    fn matches(self, line: &UserLine) -> bool {
        (!self.weak || line.weak)
            && (!self.due || line.due_at.is_some())
            && (!self.overdue || line.is_overdue())
    }
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

/// [`FilterOptions`], parsed.
pub struct Filter {
    statuses: Vec<Status>,
    without_mfa: bool,
    text: Option<SearchText>,
    group: Option<String>,
    left_out: LeftOut,
    locked: bool,
    pending_longer_than: Option<Span>,
    inactive_for: Option<Span>,
    never_used: bool,
    policy: PolicyFilter,
    bypass: bool,
    recovery_codes_below: Option<usize>,
    codes_left_below: Option<usize>,
}

impl FilterOptions {
    pub fn filter(&self) -> Result<Filter, Refusal> {
        let span = |option: &str, text: &Option<String>| {
            text.as_deref().map(|t| Span::parse(option, t)).transpose()
        };
        Ok(Filter {
            statuses: self.status.iter().map(|s| s.status()).collect(),
            without_mfa: self.without_mfa,
            text: self
                .matching
                .as_deref()
                .map(|text| SearchText::parse("--match", text))
                .transpose()?,
            group: self.group.as_deref().map(group).transpose()?,
            left_out: self.left_out.parse()?,
            locked: self.locked,
            pending_longer_than: span("--pending-longer-than", &self.pending_longer_than)?,
            inactive_for: span("--inactive-for", &self.inactive_for)?,
            never_used: self.never_used,
            policy: self.policy,
            bypass: self.bypass,
            recovery_codes_below: self.recovery_codes_below,
            codes_left_below: self.codes_left_below,
        })
    }
}

impl Filter {
    /// Does the summary count this user?
    pub fn is_in_scope(&self, user: &User) -> bool {
        let is_in = |group: &String| user.profile.groups.iter().any(|g| is_same_group(g, group));
        self.group.as_ref().is_none_or(is_in) && !self.left_out.has(user)
    }

    pub const fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The part of this filter that SQL can apply. It may let too many users pass, never too few.
    pub fn prefilter(&self, policy: &Policy, now: Timestamp) -> Prefilter {
        // Who is due or overdue may be enabled, with weak kinds of devices only.
        let mut statuses = self.statuses.clone();
        let without = [Status::Disabled, Status::Pending, Status::NotEnabled];
        for (is_asked, possible) in
            [(self.without_mfa, &without[..]), (self.policy.weak, &[Status::Enabled])]
        {
            if !is_asked {
                continue;
            }
            if statuses.is_empty() {
                statuses.extend(possible);
            } else {
                statuses.retain(|status| possible.contains(status));
            }
            // The filters contradict each other; an empty list would mean any status.
            if statuses.is_empty() {
                statuses.push(Status::NotEnabled);
            }
        }
        Prefilter {
            statuses,
            group: self.group.clone().filter(|group| has_one_spelling(group)),
            was_locked: self.locked,
            unused_since: self.inactive_for.map(|span| now.minus(span)),
            is_unused: self.never_used,
            has_bypass: self.bypass,
            has_pending_device: self.pending_longer_than.is_some(),
            is_required: self.policy.asks_for_requirement() && policy.scope == Scope::Nobody,
        }
    }

    /// Is this user listed?
    pub fn matches(&self, user: &User, line: &UserLine, now: Timestamp) -> bool {
        let has_lasted = |t: Timestamp, span: Option<Span>| span.is_none_or(|s| now.since(t) >= s);
        let last = user.last_verified_at.unwrap_or(user.created_at);
        let has_pending_device =
            |span: Span| user.live().any(|d| d.is_pending() && now.since(d.created_at) > span);
        (self.statuses.is_empty() || self.statuses.contains(&line.status))
            && (!self.without_mfa || line.status != Status::Enabled)
            && self.text.as_ref().is_none_or(|text| text.finds(user))
            && (!self.locked || line.locked)
            && self.policy.matches(line)
            && (!self.bypass || line.bypass)
            && self.recovery_codes_below.is_none_or(|n| line.recovery_codes_left < n)
            && self.codes_left_below.is_none_or(|n| line.codes_left.is_some_and(|left| left < n))
            && (!self.never_used || user.last_verified_at.is_none())
            && has_lasted(last, self.inactive_for)
            && self.pending_longer_than.is_none_or(has_pending_device)
    }
}
