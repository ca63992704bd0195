//! What changed in a user's MFA between two times.

use std::fmt::Write as _;

use serde::Serialize;

use crate::commands::list_status::UserLine;
use crate::commands::log::operator_in_words;
use crate::domain::recovery::FEW;
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::report::{Fields, Record};

/// One user, and what changed.
#[derive(Debug, Serialize)]
pub struct Difference {
    pub user: String,
    pub changes: Vec<&'static str>,
    /// The earlier status; `None` if the user did not exist.
    pub was: Option<Status>,
    /// The status now; `None` if the user no longer exists.
    pub is: Option<Status>,
    /// Time of the most important event, which the next fields describe.
    pub at: Option<Timestamp>,
    pub verb: Option<String>,
    pub operator_uid: Option<u32>,
    pub operator_claim: Option<String>,
    /// The name of that uid today; no part of the record.
    #[serde(skip)]
    pub operator_name: Option<String>,
    pub ticket: Option<String>,
}

/// Operations since then that cut the user's devices off. They are reported even if the status is the
/// same again: the device in use may now be somebody else's.
#[derive(Clone, Copy, Debug, Default)]
pub struct CutOff {
    pub reset: bool,
    pub deleted: bool,
}

impl Difference {
    /// The changes worth reporting, as the words that JSON and CSV have.
    pub fn between(
        before: Option<&UserLine>,
        now: Option<&UserLine>,
        cut_off: CutOff,
    ) -> Vec<&'static str> {
        let (was, is) = (before.map(|line| line.status), now.map(|line| line.status));
        let mut changes = Vec::new();
        let mut note = |word, applies: bool| {
            if applies {
                changes.push(word);
            }
        };
        let enabled = Some(Status::Enabled);
        note("added", was.is_none() && is.is_some());
        note("removed", was.is_some() && is.is_none());
        note("reset", cut_off.reset && is.is_some());
        note("deleted", cut_off.deleted && is.is_some());
        note("disabled", is == Some(Status::Disabled) && was != is);
        note("unprotected", is.is_some() && is != enabled && (was.is_none() || was == enabled));
        note("enabled", is == enabled && was != enabled);
        note("new_device", was == enabled && is == enabled && has_new_device(before, now));
        let mut turned_on = |word, flag: fn(&UserLine) -> bool| {
            note(word, now.is_some_and(flag) && !before.is_some_and(flag));
        };
        turned_on("locked", |line| line.locked);
        turned_on("new_password", |line| line.password_change_required);
        // Reported when the code is issued: when it becomes valid there is no event to report.
        turned_on("bypass", |line| line.has_unexpired_bypass);
        turned_on("weak", |line| line.weak);
        turned_on("overdue", UserLine::is_overdue);
        let had_enough = before.is_some_and(|line| line.recovery_codes_left >= FEW);
        note("recovery_low", had_enough && now.is_some_and(|line| line.recovery_codes_left < FEW));
        let was_required = before.is_some_and(|line| line.required || line.due_at.is_some());
        note(
            "not_required",
            was_required && now.is_some_and(|l| !l.required && l.due_at.is_none()),
        );
        changes
    }
}

/// Is a device active now that was not active before?
fn has_new_device(before: Option<&UserLine>, now: Option<&UserLine>) -> bool {
    let active = |line: Option<&UserLine>| {
        let devices = line.into_iter().flat_map(|line| &line.devices);
        let devices = devices.filter(|device| device.state == "active");
        devices.map(|d| (d.created_at, d.device.clone())).collect::<Vec<_>>()
    };
    let before = active(before);
    active(now).iter().any(|device| !before.contains(device))
}

/// A word of [`Difference::between`] as the text output has it.
fn describe(change: &str) -> &str {
    match change {
        "unprotected" => "newly without MFA",
        "new_device" => "new device active",
        "new_password" => "must choose a new password",
        "bypass" => "has a bypass code",
        "weak" => "weak kinds of devices only",
        "overdue" => "MFA is overdue",
        "recovery_low" => "few recovery codes left",
        "not_required" => "MFA is no longer required",
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
        let changes: Vec<&str> = self.changes.iter().map(|change| describe(change)).collect();
        let mut text = format!("{}: {}", self.user, changes.join(", "));
        match (self.was, self.is) {
            (Some(was), Some(is)) if was != is => {
                _ = write!(text, "; {} before, {} now", was.label(), is.label());
            }
            (None, Some(is)) => _ = write!(text, "; {} now", is.label()),
            _ => {}
        }
        if let (Some(verb), Some(at), Some(uid)) = (&self.verb, self.at, self.operator_uid) {
            let (name, claim) = (self.operator_name.as_deref(), self.operator_claim.as_deref());
            _ = write!(text, "; {verb} by {} at {at}", operator_in_words(uid, name, claim));
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
    use crate::domain::password::PasswordChange;
    use crate::domain::policy::strong::StrongKinds;
    use crate::domain::policy::{Policy, Scope};
    use crate::domain::secret::Id;
    use crate::domain::time::Span;
    use crate::domain::user::User;

    #[expect(clippy::unnecessary_wraps, reason = "the table also has users who do not exist")]
    fn line(change: impl Fn(&mut UserLine)) -> Option<UserLine> {
        let at = Timestamp::from_unix(1000).unwrap();
        let user = User::new(Id::new([1; 16]), UserName::parse("alice").unwrap(), at);
        assert_eq!(user.password_change, PasswordChange::NotRequired);
        let policy = Policy {
            scope: Scope::Nobody,
            except_groups: Vec::new(),
            since: None,
            grace: Span(0),
            strong: StrongKinds::default(),
        };
        let mut line = UserLine::of(&user, &policy, at);
        change(&mut line);
        Some(line)
    }

    fn with_status(status: Status) -> Option<UserLine> {
        line(|line| line.status = status)
    }

    #[test]
    fn every_change_has_its_word() {
        use Status::{Disabled, Enabled, NotEnabled, Pending};
        let codes = |left| line(|line| (line.status, line.recovery_codes_left) = (Enabled, left));
        let weak =
            |is_required| line(|l| (l.status, l.weak, l.required) = (Enabled, true, is_required));
        for (before, now, expected) in [
            (with_status(Enabled), with_status(Enabled), &[][..]),
            (with_status(Enabled), with_status(NotEnabled), &["unprotected"]),
            (with_status(Enabled), with_status(Pending), &["unprotected"]),
            (with_status(Enabled), with_status(Disabled), &["disabled", "unprotected"]),
            (with_status(NotEnabled), with_status(Pending), &[]),
            (with_status(Pending), with_status(Enabled), &["enabled"]),
            (None, with_status(NotEnabled), &["added", "unprotected"]),
            (None, with_status(Enabled), &["added", "enabled"]),
            (with_status(Enabled), None, &["removed"]),
            (None, None, &[]),
            (codes(3), codes(2), &["recovery_low"]),
            (codes(2), codes(1), &[]),
            (with_status(NotEnabled), line(|l| l.locked = true), &["locked"]),
            (line(|l| l.locked = true), with_status(NotEnabled), &[]),
            (
                with_status(NotEnabled),
                line(|l| l.password_change_required = true),
                &["new_password"],
            ),
            (with_status(NotEnabled), line(|l| l.has_unexpired_bypass = true), &["bypass"]),
            (with_status(NotEnabled), line(|l| l.required = true), &["overdue"]),
            (with_status(Enabled), weak(false), &["weak"]),
            (with_status(Pending), weak(true), &["enabled", "weak", "overdue"]),
            (weak(false), with_status(Enabled), &[]),
            (line(|l| l.required = true), with_status(NotEnabled), &["not_required"]),
        ] {
            assert_eq!(
                Difference::between(before.as_ref(), now.as_ref(), CutOff::default()),
                expected
            );
        }
        let (before, now) = (with_status(Enabled), with_status(Enabled));
        let cut_off = CutOff { reset: true, deleted: false };
        assert_eq!(Difference::between(before.as_ref(), now.as_ref(), cut_off), ["reset"]);
    }
}
