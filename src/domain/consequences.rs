//! What a change means for a user, said before it, after it, and in the log.

use crate::domain::authenticate::has_only_external;
use crate::domain::bypass::BypassCode;
use crate::domain::device::DeviceState;
use crate::domain::labels::label_once_confirmed;
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::policy::{Policy, Requirement};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

/// What a removal means for the user. Services refuse them as they refuse any name that nobody has.
pub const REMOVED: &str = "is refused as an unknown user";

/// What a required new password means for a user whose passwords are kept elsewhere, or who never had one.
pub const NO_PASSWORD: &str = "is refused until a password is set";

/// What a change means for the user, in clauses such as "can sign in with the password alone", which follow the user's
/// name. `before` is `None` for a new user.
///
/// How they sign in, and a lock, are said wherever the change has to do with signing in, also if they stay as they
/// were.
#[must_use]
pub fn consequences(
    before: Option<&User>,
    after: &User,
    policy: &Policy,
    now: Timestamp,
) -> Vec<String> {
    let required = policy.requirement(after);
    let required_before = before.map_or(Requirement::Optional, |before| policy.requirement(before));
    let mut said = group_words(before, after, [required_before, required], policy, now);
    let by_operator = |user: &User| (user.required, user.required_from.filter(|_| user.required));
    let is_set = before.is_some_and(|before| by_operator(before) != by_operator(after));
    let is_lifted = is_set && !after.required;
    if required != Requirement::Optional && (is_lifted || is_set && required == required_before) {
        said.push("MFA stays required by the configuration".to_owned());
    }
    let entry_of = |of: &User, requirement| match before {
        Some(before) if has_lost_every_password(before, of, now) => {
            "has no password that is good, until force-new-password is run again".to_owned()
        }
        _ => entry_words(of, requirement, now),
    };
    let entry = entry_of(after, required);
    let entry_before = before.map(|before| entry_of(before, required_before));
    let is_about_entry = required != required_before
        || before.is_none_or(|before| changes_entry(before, after, now));
    if entry_before.as_ref() != Some(&entry) || (is_about_entry && needs_no_code(after)) {
        said.push(entry);
    }
    let enrolment = enrolment_words(after, required, now);
    if enrolment != before.and_then(|before| enrolment_words(before, required_before, now))
        || is_about_entry
    {
        said.extend(enrolment);
    }
    said.extend(lock_words(before, after, is_about_entry, now));
    let is_new = |before: &User| before.temporary != after.temporary;
    if let Some(temporary) = temporary_in_force(after, now).filter(|_| before.is_none_or(is_new)) {
        said.push(format!("temporary password good until {}", temporary.until));
    }
    for device in after.live() {
        let is_new = before.is_none_or(|before| !before.devices.contains(device));
        let (DeviceState::Pending(pending), true) = (&device.state, is_new) else { continue };
        let then = match label_once_confirmed(&after.devices, device, &pending.replaces) {
            Some(label) => format!(", and is then called {label}"),
            None => String::new(),
        };
        said.push(if device.is_expired(now) {
            format!("{} was not confirmed in time", device.label)
        } else {
            format!("{} has to be confirmed by {}{then}", device.label, pending.expires_at)
        });
    }
    if let Some(before) = before {
        said.extend(loss_words(before, after, now));
    }
    said
}

/// The groups that the user leaves and joins, and the requirement that ends or begins with that.
fn group_words(
    before: Option<&User>,
    after: &User,
    [required_before, required]: [Requirement; 2],
    policy: &Policy,
    now: Timestamp,
) -> Vec<String> {
    let (old, new) = (before.map(|before| &before.profile.groups), &after.profile.groups);
    let none = Vec::new();
    let mut left = only(old.unwrap_or(&none), new);
    let mut joined = old.map(|old| only(new, old)).unwrap_or_default();
    let mut said = Vec::new();
    if let Some(words) = requirement_words(required_before, required, now) {
        // Leaving a group that must have MFA lifts the requirement, and so does joining an excepted one.
        let is_required = |group: &str| policy.requires_group(group);
        let is_excepted = |group: &str| policy.excepts_group(group);
        let (left, joined) = match required {
            Requirement::Optional => {
                (take_out(&mut left, is_required), take_out(&mut joined, is_excepted))
            }
            Requirement::From(_) => {
                (take_out(&mut left, is_excepted), take_out(&mut joined, is_required))
            }
        };
        let causes = [membership("left", &left), membership("joined", &joined)];
        let causes: Vec<String> = causes.into_iter().flatten().collect();
        said.push(match causes.as_slice() {
            [] => words,
            causes => format!("{words}: {}", causes.join(", ")),
        });
    }
    said.extend(membership("left", &left).into_iter().chain(membership("joined", &joined)));
    said
}

/// The groups among `these` that are not among `others`.
fn only<'g>(these: &'g [String], others: &[String]) -> Vec<&'g str> {
    these.iter().filter(|group| !others.contains(group)).map(String::as_str).collect()
}

fn membership(verb: &str, groups: &[&str]) -> Option<String> {
    let kind = if groups.len() == 1 { "group" } else { "groups" };
    (!groups.is_empty()).then(|| format!("{verb} {kind} {}", groups.join(", ")))
}

/// Moves the groups that pass the test out of the list.
fn take_out<'g>(groups: &mut Vec<&'g str>, test: impl Fn(&str) -> bool) -> Vec<&'g str> {
    let (taken, rest) = groups.drain(..).partition(|group| test(group));
    *groups = rest;
    taken
}

/// Whether the temporary password, which alone counts, is over.
fn has_lost_every_password(before: &User, after: &User, now: Timestamp) -> bool {
    let is_over = match &after.temporary {
        Some(temporary) => !temporary.is_good(now),
        None => before.temporary.is_some(),
    };
    after.password_change == PasswordChange::Required && after.password.is_some() && is_over
}

fn requirement_words(before: Requirement, after: Requirement, now: Timestamp) -> Option<String> {
    match after {
        _ if before == after => None,
        Requirement::Optional => Some("MFA is no longer required".to_owned()),
        Requirement::From(from) if from > now => Some(format!("MFA is required from {from} on")),
        Requirement::From(_) if before.is_in_force(now) => None,
        Requirement::From(_) => Some("MFA is required".to_owned()),
    }
}

/// How the user signs in, apart from a lock.
fn entry_words(user: &User, requirement: Requirement, now: Timestamp) -> String {
    let has_temporary = temporary_in_force(user, now).is_some();
    match user.password_change {
        // Login services refuse them, and `sign-in` has no password to compare with.
        PasswordChange::Required | PasswordChange::RequiredOldOpens
            if user.password.is_none() && !has_temporary =>
        {
            return NO_PASSWORD.to_owned();
        }
        PasswordChange::Required => {
            return "has to choose a new password at the next sign-in".to_owned();
        }
        PasswordChange::RequiredOldOpens => {
            return "has to choose a new password at the next sign-in, after the old one"
                .to_owned();
        }
        PasswordChange::NotRequired => {}
    }
    let status = user.status();
    if has_only_external(user) {
        return "is refused here, where no code of an external device is verified".to_owned();
    }
    if status == Status::Enabled {
        return "needs a code to sign in".to_owned();
    }
    let can_confirm = user.live().any(|d| d.is_pending() && !d.is_expired(now));
    let has_spare_code = user.recovery.as_ref().is_some_and(|set| set.left() > 0)
        || bypass_in_force(user, now).is_some();
    if requirement.is_in_force(now) {
        return match status {
            Status::Disabled => "is refused until MFA is enabled again",
            _ if has_spare_code && can_confirm => {
                "needs the new device's first code, or a recovery or bypass code, to sign in"
            }
            _ if has_spare_code => "needs a recovery or bypass code to sign in, until enrolled",
            _ if can_confirm => "is refused until a code confirms the new device",
            _ if user.enrolment_barred => "is refused until an operator enrols them",
            _ => "is refused until enrolled",
        }
        .to_owned();
    }
    match requirement {
        Requirement::From(from) => format!("can sign in with the password alone until {from}"),
        Requirement::Optional => "can sign in with the password alone".to_owned(),
    }
}

/// What comes after the new password, where MFA is required and no device is left.
fn enrolment_words(user: &User, requirement: Requirement, now: Timestamp) -> Option<String> {
    let is_due = user.password_change != PasswordChange::NotRequired
        && requirement.is_in_force(now)
        && user.status() == Status::NotEnabled;
    // A temporary password shows who it is, so that its user may enrol again by themselves. So may a user without a
    // password as soon as an operator has set one.
    let is_by_operator =
        user.password_change == PasswordChange::Required || user.password.is_none();
    is_due.then(|| {
        if is_by_operator || !user.enrolment_barred {
            "then has to enrol a device anew".to_owned()
        } else {
            "then is refused until an operator enrols a device anew".to_owned()
        }
    })
}

/// Whether the user signs in otherwise than with a code.
fn needs_no_code(user: &User) -> bool {
    user.status() != Status::Enabled || user.password_change != PasswordChange::NotRequired
}

/// Whether a change has to do with signing in.
///
/// What is over already counts as gone: a change of one user drops it, and the plan of a list doesn't.
fn changes_entry(before: &User, after: &User, now: Timestamp) -> bool {
    let devices = |user: &User| user.live().map(|d| (d.id, d.state.clone())).collect::<Vec<_>>();
    devices(before) != devices(after)
        || before.password_change != after.password_change
        || temporary_in_force(before, now) != temporary_in_force(after, now)
        || before.throttle != after.throttle
        || before.recovery != after.recovery
        || bypass_in_force(before, now) != bypass_in_force(after, now)
}

fn temporary_in_force(user: &User, now: Timestamp) -> Option<&TemporaryPassword> {
    user.temporary.as_ref().filter(|temporary| temporary.is_good(now))
}

fn bypass_in_force(user: &User, now: Timestamp) -> Option<&BypassCode> {
    user.bypass.as_ref().filter(|bypass| !bypass.is_over(now))
}

fn lock_words(
    before: Option<&User>,
    after: &User,
    is_about_entry: bool,
    now: Timestamp,
) -> Option<String> {
    // A change of nothing but the lock needs no further word that it is gone.
    let was_locked = |before: &&User| {
        let unlocked = User { throttle: after.throttle.clone(), ..(*before).clone() };
        before.locked(now).is_some() && unlocked != *after
    };
    match after.locked(now) {
        None => before.filter(was_locked).map(|_| "is not locked any more".to_owned()),
        Some(_) if !is_about_entry => None,
        Some(Some(end)) => Some(format!("is locked until {end}")),
        Some(None) => Some("is locked until unlocked".to_owned()),
    }
}

fn loss_words(before: &User, after: &User, now: Timestamp) -> Vec<String> {
    let has_bypass = |user| bypass_in_force(user, now).is_some();
    let clauses = [
        (before.recovery.is_some() && after.recovery.is_none(), "the recovery codes are void"),
        (has_bypass(before) && !has_bypass(after), "the bypass code is void"),
        (!before.protected && after.protected, "is protected now"),
        (before.protected && !after.protected, "is not protected any more"),
    ];
    clauses.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
    use crate::domain::lockout::{FailedFactor, Limits};
    use crate::domain::policy::Scope;
    use crate::domain::policy::strong::StrongKinds;
    use crate::domain::secret::Sealed;
    use crate::domain::time::Span;

    const NOW: i64 = 1_000_000;

    fn user(groups: &[&str]) -> User {
        let mut user = alice();
        user.profile.groups = groups.iter().map(|g| (*g).to_owned()).collect();
        user
    }

    fn active(groups: &[&str]) -> User {
        with_phone(user(groups), active_state())
    }

    fn said(before: Option<&User>, after: &User) -> Vec<String> {
        let scope = Scope::Groups(vec!["staff".into()]);
        let policy = Policy {
            scope,
            except_groups: Vec::new(),
            since: None,
            grace: Span(0),
            strong: StrongKinds::default(),
        };
        consequences(before, after, &policy, at(NOW))
    }

    #[test]
    fn s11_leaving_a_group_names_the_group_and_the_requirement_that_ends() {
        let before = active(&["it", "staff"]);
        assert_eq!(
            said(Some(&before), &active(&["vpn"])),
            ["MFA is no longer required: left group staff", "left group it", "joined group vpn"]
        );
        let before = user(&["staff"]);
        assert_eq!(
            said(Some(&before), &user(&[])),
            ["MFA is no longer required: left group staff", "can sign in with the password alone"]
        );
        assert_eq!(
            said(Some(&user(&["vpn"])), &user(&["staff", "vpn"])),
            ["MFA is required: joined group staff", "is refused until enrolled"]
        );
        assert_eq!(said(Some(&active(&[])), &active(&["it"])), ["joined group it"]);
    }

    #[test]
    fn w14_somebody_who_must_have_mfa_is_refused_without_a_device() {
        let (optional, required) = (active(&[]), active(&["staff"]));
        let deleted =
            |user: &User| user.clone().revoke(None, at(NOW)).unwrap().void_backup_codes().user;
        let disabled = |user: &User| user.clone().disable(None).unwrap().user;
        for (before, after, words) in [
            (&required, deleted(&required), "is refused until an operator enrols them"),
            (&required, disabled(&required), "is refused until MFA is enabled again"),
            (&optional, deleted(&optional), "can sign in with the password alone"),
            (&optional, disabled(&optional), "can sign in with the password alone"),
        ] {
            assert_eq!(said(Some(before), &after), [words]);
            assert_eq!(said(Some(&after), before), ["needs a code to sign in"]);
        }
    }

    #[test]
    fn w14_a_lock_that_stays_is_said() {
        let mut before = User { password: Some(Sealed(Vec::new())), ..active(&[]) };
        for _ in 0..5 {
            before.throttle = before.throttle.failed(FailedFactor::Code, at(NOW), Limits::DEFAULT);
        }
        let end = before.locked(at(NOW)).unwrap().unwrap();
        let after = User { password_change: PasswordChange::Required, ..before.clone() };
        assert_eq!(
            said(Some(&before), &after),
            [
                "has to choose a new password at the next sign-in".to_owned(),
                format!("is locked until {end}")
            ]
        );
        let unlocked = User { throttle: before.throttle.clone().cleared(), ..before.clone() };
        assert_eq!(said(Some(&before), &unlocked), [""; 0], "a change of the lock alone");
        let reset = User { password_change: PasswordChange::Required, ..unlocked };
        assert_eq!(said(Some(&before), &reset)[1], "is not locked any more");
        let mut renamed = before.clone();
        renamed.profile.email = Some("a@example.com".into());
        assert_eq!(said(Some(&before), &renamed), [""; 0]);
    }

    #[test]
    fn w13_the_lives_of_a_temporary_password_and_of_a_pending_device_are_said() {
        let mut after = with_phone(user(&["staff"]), pending_state(NOW + 60));
        let phone = format!("phone has to be confirmed by {}", at(NOW + 60));
        let refused = "is refused until a code confirms the new device".to_owned();
        assert_eq!(said(None, &after), ["MFA is required".to_owned(), refused, phone.clone()]);
        let before = after.clone();
        after.temporary =
            Some(TemporaryPassword { hash: Sealed(Vec::new()), until: at(NOW + 600) });
        after.password_change = PasswordChange::Required;
        assert_eq!(
            said(Some(&before), &after),
            [
                "has to choose a new password at the next sign-in".to_owned(),
                format!("temporary password good until {}", at(NOW + 600))
            ]
        );
    }

    #[test]
    fn w6_lifting_a_requirement_leaves_that_of_the_configuration() {
        let lifted = |groups: &[&str]| {
            let before = User { required: true, ..active(groups) };
            said(Some(&before), &active(groups))
        };
        assert_eq!(lifted(&["staff"]), ["MFA stays required by the configuration"]);
        assert_eq!(lifted(&[]), ["MFA is no longer required"]);
    }
}
