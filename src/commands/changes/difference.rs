//! What differs in a user's protection between two times.

use std::fmt::Write as _;

use serde::Serialize;

use crate::commands::list_status::Line;
use crate::commands::protection::spoken;
use crate::domain::recovery::FEW;
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::report::{Fields, Record};

/// One user, and what changed.
#[derive(Debug, Serialize)]
pub struct Difference {
    pub user: String,
    pub changes: Vec<&'static str>,
    /// The status then; none where the user was not there.
    pub was: Option<Status>,
    /// The status now; none where the user is not there any more.
    pub is: Option<Status>,
    /// The last act on it.
    pub at: Option<Timestamp>,
    pub verb: Option<String>,
    pub operator_uid: Option<u32>,
    pub operator_claim: Option<String>,
    pub ticket: Option<String>,
}

/// What was done in between, after which a phone may be somebody else's, however the user stands now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Acts {
    pub reset: bool,
    pub deleted: bool,
}

impl Difference {
    /// What differs, as far as somebody should know of it.
    pub fn between(then: Option<&Line>, now: Option<&Line>, acts: Acts) -> Vec<&'static str> {
        let (was, is) = (then.map(|line| line.status), now.map(|line| line.status));
        let mut changes = Vec::new();
        let mut note = |word, is_so: bool| {
            if is_so {
                changes.push(word);
            }
        };
        let enabled = Some(Status::Enabled);
        note("added", was.is_none() && is.is_some());
        note("removed", was.is_some() && is.is_none());
        note("reset", acts.reset && is.is_some());
        note("deleted", acts.deleted && is.is_some());
        note("disabled", is == Some(Status::Disabled) && was != is);
        note("unprotected", is.is_some() && is != enabled && (was.is_none() || was == enabled));
        note("enabled", is == enabled && was != enabled);
        note("new_device", was == enabled && is == enabled && has_more_devices(then, now));
        let flag = |line: Option<&Line>, up: fn(&Line) -> bool| line.is_some_and(up);
        let mut turned = |word, up: fn(&Line) -> bool| note(word, flag(now, up) && !flag(then, up));
        turned("locked", |line| line.locked);
        turned("new_password", |line| line.password_change_required);
        // Nothing happens on the day on which one begins: it is told of when it is given.
        turned("bypass", |line| line.bypass_is_given);
        turned("overdue", Line::is_overdue);
        let had = then.is_some_and(|line| line.recovery_codes_left >= FEW);
        note("recovery_low", had && now.is_some_and(|line| line.recovery_codes_left < FEW));
        let was_required = then.is_some_and(|line| line.required || line.due_at.is_some());
        note(
            "not_required",
            was_required && now.is_some_and(|l| !l.required && l.due_at.is_none()),
        );
        changes
    }
}

/// Is there a device in force that was not then?
fn has_more_devices(then: Option<&Line>, now: Option<&Line>) -> bool {
    let in_force = |line: Option<&Line>| {
        let devices = line.into_iter().flat_map(|line| &line.devices);
        let devices = devices.filter(|device| device.state == "active");
        devices.map(|d| (d.created_at, d.device.clone())).collect::<Vec<_>>()
    };
    let before = in_force(then);
    in_force(now).iter().any(|device| !before.contains(device))
}

/// A word of [`Difference::between`] for people.
fn in_words(change: &str) -> &str {
    match change {
        "unprotected" => "newly unprotected",
        "new_device" => "another device is in force",
        "new_password" => "must choose a new password",
        "bypass" => "has a bypass code",
        "overdue" => "MFA is required by now, and is not there",
        "recovery_low" => "few recovery codes are left",
        "not_required" => "MFA is not required any more",
        plain => plain,
    }
}

impl Record for Difference {
    const COLUMNS: &'static [&'static str] =
        &["user", "changes", "was", "is", "at", "verb", "operator_uid", "operator_claim", "ticket"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(&self.changes.join(";"));
        f.maybe_text(self.was.map(Status::word));
        f.maybe_text(self.is.map(Status::word));
        f.maybe_value(self.at);
        f.maybe_text(self.verb.as_deref());
        f.maybe_value(self.operator_uid);
        f.maybe_text(self.operator_claim.as_deref());
        f.maybe_text(self.ticket.as_deref());
    }

    fn sentence(&self) -> String {
        let changes: Vec<&str> = self.changes.iter().map(|change| in_words(change)).collect();
        let mut text = format!("{}: {}", self.user, changes.join(", "));
        match (self.was, self.is) {
            (Some(was), Some(is)) if was != is => {
                _ = write!(text, "; {} before, {} now", spoken(was), spoken(is));
            }
            (None, Some(is)) => _ = write!(text, "; {} now", spoken(is)),
            _ => {}
        }
        if let (Some(verb), Some(at), Some(uid)) = (&self.verb, self.at, self.operator_uid) {
            let who =
                self.operator_claim.as_ref().map_or(String::new(), |c| format!(" (sudo: {c})"));
            _ = write!(text, "; {verb} by uid {uid}{who} at {at}");
        }
        if let Some(ticket) = &self.ticket {
            _ = write!(text, ", {ticket}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::UserName;
    use crate::domain::policy::{Policy, Scope};
    use crate::domain::secret::Id;
    use crate::domain::time::Span;
    use crate::domain::user::{PasswordChange, User};

    #[expect(clippy::unnecessary_wraps, reason = "beside those who are not there")]
    fn line(change: impl Fn(&mut Line)) -> Option<Line> {
        let at = Timestamp::from_unix(1000).unwrap();
        let user = User::new(Id::new([1; 16]), UserName::parse("alice").unwrap(), at);
        assert_eq!(user.password_change, PasswordChange::NotRequired);
        let policy = Policy { scope: Scope::Nobody, since: None, grace: Span(0) };
        let mut line = Line::of(&user, &policy, at);
        change(&mut line);
        Some(line)
    }

    fn of(status: Status) -> Option<Line> {
        line(|line| line.status = status)
    }

    #[test]
    fn each_change_of_protection_has_its_word() {
        use Status::{Disabled, Enabled, NotEnabled, Pending};
        let codes = |left| line(|line| (line.status, line.recovery_codes_left) = (Enabled, left));
        for (then, now, expected) in [
            (of(Enabled), of(Enabled), &[][..]),
            (of(Enabled), of(NotEnabled), &["unprotected"]),
            (of(Enabled), of(Pending), &["unprotected"]),
            (of(Enabled), of(Disabled), &["disabled", "unprotected"]),
            (of(NotEnabled), of(Pending), &[]),
            (of(Pending), of(Enabled), &["enabled"]),
            (None, of(NotEnabled), &["added", "unprotected"]),
            (None, of(Enabled), &["added", "enabled"]),
            (of(Enabled), None, &["removed"]),
            (None, None, &[]),
            (codes(3), codes(2), &["recovery_low"]),
            (codes(2), codes(1), &[]),
            (of(NotEnabled), line(|l| l.locked = true), &["locked"]),
            (line(|l| l.locked = true), of(NotEnabled), &[]),
            (of(NotEnabled), line(|l| l.password_change_required = true), &["new_password"]),
            (of(NotEnabled), line(|l| l.bypass_is_given = true), &["bypass"]),
            (of(NotEnabled), line(|l| l.required = true), &["overdue"]),
            (line(|l| l.required = true), of(NotEnabled), &["not_required"]),
        ] {
            assert_eq!(Difference::between(then.as_ref(), now.as_ref(), Acts::default()), expected);
        }
        let (then, now) = (of(Enabled), of(Enabled));
        let acts = Acts { reset: true, deleted: false };
        assert_eq!(Difference::between(then.as_ref(), now.as_ref(), acts), ["reset"]);
    }
}
