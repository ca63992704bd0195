//! The rule that a login service applies before the code: which users are rejected whatever code they
//! submit, and which need none.

use crate::domain::authenticate::candidates;
use crate::domain::backup_code::Submitted;
use crate::domain::lockout::Lockout;
use crate::domain::password::PasswordChange;
use crate::domain::policy::Requirement;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

/// What to answer for users who have no MFA and need none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotEnabledPolicy {
    Accept,
    #[default]
    Refuse,
}

/// How a login is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum LoginRule {
    /// By the submitted code.
    CheckCode,
    /// The user is let in without a code.
    Exempt,
    /// The user is rejected whatever the code; the word is for the audit log.
    Reject(&'static str),
}

/// How the login of this user with this submitted code is decided.
pub fn login_rule(
    user: &User,
    submitted: &Submitted,
    requirement: Requirement,
    not_enabled: NotEnabledPolicy,
    now: Timestamp,
) -> LoginRule {
    if user.password_change != PasswordChange::NotRequired {
        return LoginRule::Reject("password_change_required");
    }
    let candidates = candidates(user, None, submitted, now);
    let may_be_exempt = may_be_exempt(user, requirement, not_enabled, now);
    match candidates {
        Ok(_) if !(may_be_exempt && matches!(submitted, Submitted::NotACode)) => {
            LoginRule::CheckCode
        }
        _ if user.throttle.lockout(now) != Lockout::Unlocked => LoginRule::Reject("locked"),
        _ if may_be_exempt => LoginRule::Exempt,
        Err(refusal) => LoginRule::Reject(refusal.code.word()),
        Ok(_) => LoginRule::CheckCode,
    }
}

/// Whether this user is let in without a code. A user with a pending device may submit its first code,
/// which confirms it, or nothing.
#[must_use]
pub fn is_exempt(
    user: &User,
    submitted: &Submitted,
    requirement: Requirement,
    not_enabled: NotEnabledPolicy,
    now: Timestamp,
) -> bool {
    may_be_exempt(user, requirement, not_enabled, now)
        && (matches!(submitted, Submitted::NotACode)
            || candidates(user, None, submitted, now).is_err())
}

fn may_be_exempt(
    user: &User,
    requirement: Requirement,
    not_enabled: NotEnabledPolicy,
    now: Timestamp,
) -> bool {
    not_enabled == NotEnabledPolicy::Accept
        && !requirement.is_in_force(now)
        && user.status() != Status::Enabled
}

#[cfg(test)]
mod tests {
    use crate::domain::device::{Device, DeviceState};
    use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
    use crate::domain::lockout::{FailedFactor, Limits, Throttle};
    use crate::domain::login_rule::*;

    fn user(state: Option<DeviceState>) -> User {
        state.map_or_else(alice, |state| with_phone(alice(), state))
    }

    fn active() -> User {
        user(Some(active_state()))
    }

    fn pending() -> User {
        user(Some(pending_state(5000)))
    }

    fn disabled() -> User {
        let mut user = active();
        user.devices = user.devices.into_iter().map(Device::disabled).collect();
        user
    }

    fn locked(mut user: User) -> User {
        let failed = |t: Throttle, _| t.failed(FailedFactor::Code, at(1000), Limits::DEFAULT);
        user.throttle = (0..5).fold(Throttle::default(), failed);
        user
    }

    const REQUIRED: fn() -> Requirement = || Requirement::From(at(10));
    const DUE: fn() -> Requirement = || Requirement::From(at(9000));

    #[test]
    fn required_mfa_comes_before_the_option() {
        let login_rule = |user: &User, typed: &[u8], requirement, not_enabled| {
            login_rule(user, &Submitted::read(typed), requirement, not_enabled, at(1000))
        };
        let code = b"123456".as_slice();
        for (user, typed, requirement, not_enabled, expected) in [
            (active(), code, Requirement::Optional, NotEnabledPolicy::Accept, LoginRule::CheckCode),
            (active(), b"x", Requirement::Optional, NotEnabledPolicy::Accept, LoginRule::CheckCode),
            (active(), code, REQUIRED(), NotEnabledPolicy::Refuse, LoginRule::CheckCode),
            (
                user(None),
                code,
                Requirement::Optional,
                NotEnabledPolicy::Refuse,
                LoginRule::Reject("not_enabled"),
            ),
            (user(None), code, Requirement::Optional, NotEnabledPolicy::Accept, LoginRule::Exempt),
            (user(None), code, DUE(), NotEnabledPolicy::Accept, LoginRule::Exempt),
            (
                user(None),
                code,
                REQUIRED(),
                NotEnabledPolicy::Accept,
                LoginRule::Reject("not_enabled"),
            ),
            (
                disabled(),
                code,
                Requirement::Optional,
                NotEnabledPolicy::Refuse,
                LoginRule::Reject("disabled"),
            ),
            (disabled(), code, Requirement::Optional, NotEnabledPolicy::Accept, LoginRule::Exempt),
            (disabled(), code, REQUIRED(), NotEnabledPolicy::Accept, LoginRule::Reject("disabled")),
            (
                pending(),
                code,
                Requirement::Optional,
                NotEnabledPolicy::Refuse,
                LoginRule::CheckCode,
            ),
            (
                pending(),
                code,
                Requirement::Optional,
                NotEnabledPolicy::Accept,
                LoginRule::CheckCode,
            ),
            (pending(), b"", Requirement::Optional, NotEnabledPolicy::Accept, LoginRule::Exempt),
            (pending(), b"", REQUIRED(), NotEnabledPolicy::Accept, LoginRule::CheckCode),
            (
                pending(),
                b"x",
                Requirement::Optional,
                NotEnabledPolicy::Refuse,
                LoginRule::CheckCode,
            ),
        ] {
            let case = format!("{:?} {typed:?} {requirement:?} {not_enabled:?}", user.status());
            assert_eq!(login_rule(&user, typed, requirement, not_enabled), expected, "{case}");
        }
    }

    #[test]
    fn neither_a_lock_nor_a_required_password_change_is_skipped() {
        for not_enabled in [NotEnabledPolicy::Accept, NotEnabledPolicy::Refuse] {
            let login_rule = |user: &User| {
                login_rule(
                    user,
                    &Submitted::read(b""),
                    Requirement::Optional,
                    not_enabled,
                    at(1000),
                )
            };
            assert_ne!(login_rule(&locked(user(None))), LoginRule::Exempt);
            assert_ne!(login_rule(&locked(disabled())), LoginRule::Exempt);
            assert_ne!(login_rule(&locked(pending())), LoginRule::Exempt);
            for change in [PasswordChange::Required, PasswordChange::RequiredOldOpens] {
                for mut user in [active(), user(None), disabled(), pending()] {
                    user.password_change = change;
                    assert_eq!(login_rule(&user), LoginRule::Reject("password_change_required"));
                }
            }
        }
    }
}
