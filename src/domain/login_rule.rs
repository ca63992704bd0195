//! The rule that a login service applies before the code: which users are rejected whatever code they
//! submit, and which need none.

use crate::domain::authenticate::candidates;
use crate::domain::backup_code::Submitted;
use crate::domain::lockout::Lockout;
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::PasswordChange;
use crate::domain::policy::Requirement;
use crate::domain::service_rules::{Exemption, NotEnabledPolicy, ServiceRules};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// What a login service submits for a user, and the rules that it is decided by.
#[derive(Clone, Copy, Debug)]
pub struct Login<'l> {
    pub submitted: &'l Submitted,
    /// Whether anything was submitted as a code.
    pub has_code: bool,
    pub requirement: Requirement,
    /// What the service wants for users without MFA, where its rules don't say it.
    pub without: NotEnabledPolicy,
    /// Of the service, where it has some.
    pub rules: Option<&'l ServiceRules>,
    pub origin: &'l AttemptOrigin,
    pub now: Timestamp,
}

impl Login<'_> {
    /// What to answer for users without MFA.
    #[must_use]
    pub fn not_enabled(&self) -> NotEnabledPolicy {
        self.rules.and_then(|rules| rules.not_enabled).unwrap_or(self.without)
    }

    /// Why the rules of the service ask this user for no code.
    #[must_use]
    pub fn exemption(&self, user: &User) -> Option<Exemption> {
        self.rules?.exemption(user, self.origin, self.now)
    }

    fn may_be_exempt(&self, user: &User) -> bool {
        self.not_enabled().lets_in(user.status()) && !self.requirement.is_in_force(self.now)
    }
}

/// How a login is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum LoginRule {
    /// By the submitted code.
    CheckCode,
    /// The user is let in, and no code is looked at.
    Exempt(Exemption),
    /// The user is rejected whatever the code; the word is for the audit log.
    Reject(&'static str),
    /// Nothing was submitted to a service that has rules: it only asks whether it has to ask for a code.
    AskForCode,
}

/// How the login of this user is decided. The rules of the service come before the code: a code that is not needed is
/// neither right nor wrong, and is not used up.
pub fn login_rule(user: &User, login: &Login<'_>) -> LoginRule {
    if let Some(exemption) = login.exemption(user) {
        return LoginRule::Exempt(exemption);
    }
    match rule_without_exemption(user, login) {
        exempt @ LoginRule::Exempt(_) => exempt,
        _ if !login.has_code && login.rules.is_some() => LoginRule::AskForCode,
        rule => rule,
    }
}

fn rule_without_exemption(user: &User, login: &Login<'_>) -> LoginRule {
    let Login { submitted, now, .. } = *login;
    if user.password_change != PasswordChange::NotRequired {
        return LoginRule::Reject("password_change_required");
    }
    let candidates = candidates(user, None, submitted, now);
    let may_be_exempt = login.may_be_exempt(user);
    match candidates {
        Ok(_) if !(may_be_exempt && matches!(submitted, Submitted::NotACode)) => {
            LoginRule::CheckCode
        }
        _ if user.throttle.lockout(now) != Lockout::Unlocked => LoginRule::Reject("locked"),
        _ if may_be_exempt => LoginRule::Exempt(Exemption::NotEnabled),
        Err(refusal) => LoginRule::Reject(refusal.code.word()),
        Ok(_) => LoginRule::CheckCode,
    }
}

/// Whether all that was typed in one line is a password. A user with a pending device may submit its first code, which
/// confirms it, or nothing. Who is exempt by a rule of the service types a code out of habit, where they have a device.
#[must_use]
pub fn types_password_only(user: &User, login: &Login<'_>) -> bool {
    if login.exemption(user).is_some() {
        return user.live().next().is_none();
    }
    login.may_be_exempt(user)
        && (matches!(login.submitted, Submitted::NotACode)
            || candidates(user, None, login.submitted, login.now).is_err())
}

#[cfg(test)]
mod tests {
    use crate::domain::device::{Device, DeviceState};
    use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
    use crate::domain::lockout::{FailedFactor, Limits, Throttle};
    use crate::domain::login_rule::*;
    use crate::domain::service_rules::Network;
    use crate::domain::user::Status;

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

    fn login(
        submitted: &Submitted,
        requirement: Requirement,
        without: NotEnabledPolicy,
    ) -> Login<'_> {
        let (has_code, rules, origin) = (true, None, AttemptOrigin::NONE);
        Login { submitted, has_code, requirement, without, rules, origin, now: at(1000) }
    }

    const EXEMPT: LoginRule = LoginRule::Exempt(Exemption::NotEnabled);
    const REQUIRED: fn() -> Requirement = || Requirement::From(at(10));
    const DUE: fn() -> Requirement = || Requirement::From(at(9000));

    #[test]
    fn required_mfa_comes_before_the_option() {
        let login_rule = |user: &User, typed: &[u8], requirement, not_enabled| {
            login_rule(user, &login(&Submitted::read(typed), requirement, not_enabled))
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
            (user(None), code, Requirement::Optional, NotEnabledPolicy::Accept, EXEMPT),
            (user(None), code, DUE(), NotEnabledPolicy::Accept, EXEMPT),
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
            (disabled(), code, Requirement::Optional, NotEnabledPolicy::Accept, EXEMPT),
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
            (pending(), b"", Requirement::Optional, NotEnabledPolicy::Accept, EXEMPT),
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
                let submitted = &Submitted::read(b"");
                login_rule(user, &login(submitted, Requirement::Optional, not_enabled))
            };
            assert_ne!(login_rule(&locked(user(None))), EXEMPT);
            assert_ne!(login_rule(&locked(disabled())), EXEMPT);
            assert_ne!(login_rule(&locked(pending())), EXEMPT);
            for change in [PasswordChange::Required, PasswordChange::RequiredOldOpens] {
                for mut user in [active(), user(None), disabled(), pending()] {
                    user.password_change = change;
                    assert_eq!(login_rule(&user), LoginRule::Reject("password_change_required"));
                }
            }
        }
    }

    /// A login from an exempt network by its rules, with what the service wants itself.
    fn by_rules<'l>(
        submitted: &'l Submitted,
        rules: &'l ServiceRules,
        origin: &'l AttemptOrigin,
    ) -> Login<'l> {
        let requirement = Requirement::Optional;
        Login {
            rules: Some(rules),
            origin,
            ..login(submitted, requirement, NotEnabledPolicy::Refuse)
        }
    }

    #[test]
    fn an_exemption_comes_before_the_code_and_before_the_requirement() {
        let rules = ServiceRules {
            exempt_networks: vec![Network::parse("10.0.0.0/8").unwrap()],
            ..ServiceRules::default()
        };
        let inside = AttemptOrigin::of("pam").said("sshd", "10.0.0.1", "");
        let outside = AttemptOrigin::of("pam").said("sshd", "192.0.2.1", "");
        for typed in [b"".as_slice(), b"x", b"123456", b"0123-4567-89ab"] {
            let submitted = &Submitted::read(typed);
            let rule = |user: &User, origin, requirement| {
                let login = Login {
                    requirement,
                    has_code: !typed.is_empty(),
                    ..by_rules(submitted, &rules, origin)
                };
                login_rule(user, &login)
            };
            for requirement in [Requirement::Optional, REQUIRED()] {
                for user in [active(), pending(), user(None)] {
                    let exempt = LoginRule::Exempt(Exemption::Network);
                    assert_eq!(rule(&user, &inside, requirement), exempt);
                    let expected = match typed {
                        b"" => LoginRule::AskForCode,
                        _ if user.status() == Status::NotEnabled => {
                            LoginRule::Reject("not_enabled")
                        }
                        _ => LoginRule::CheckCode,
                    };
                    assert_eq!(rule(&user, &outside, requirement), expected);
                }
                let must = User { password_change: PasswordChange::Required, ..active() };
                for user in [must, disabled(), locked(active()), locked(user(None))] {
                    let rule = rule(&user, &inside, requirement);
                    assert!(!matches!(rule, LoginRule::Exempt(_)), "{rule:?}");
                    assert_eq!(rule == LoginRule::AskForCode, typed.is_empty());
                }
            }
        }
    }

    #[test]
    fn the_rule_for_users_without_mfa_replaces_what_the_service_says() {
        let origin = &AttemptOrigin::of("pam").said("sshd", "", "");
        let rule = |user: &User, not_enabled, without, requirement| {
            let rules = ServiceRules { not_enabled, ..ServiceRules::default() };
            let submitted = &Submitted::read(b"x");
            let login = Login { requirement, without, ..by_rules(submitted, &rules, origin) };
            login_rule(user, &login)
        };
        let (accept, refuse) = (NotEnabledPolicy::Accept, NotEnabledPolicy::Refuse);
        let by_rule = Some(NotEnabledPolicy::AcceptUnlessDisabled);
        for optional in [Requirement::Optional, DUE()] {
            for without in [accept, refuse] {
                assert_eq!(rule(&user(None), by_rule, without, optional), EXEMPT);
                assert_eq!(rule(&pending(), by_rule, without, optional), EXEMPT);
                let off = rule(&disabled(), by_rule, without, optional);
                assert_eq!(off, LoginRule::Reject("disabled"));
                let none = rule(&user(None), Some(refuse), without, optional);
                assert_eq!(none, LoginRule::Reject("not_enabled"));
                let required = rule(&user(None), by_rule, without, REQUIRED());
                assert_eq!(required, LoginRule::Reject("not_enabled"));
                assert_eq!(rule(&active(), by_rule, without, optional), LoginRule::CheckCode);
            }
            assert_eq!(rule(&disabled(), None, accept, optional), EXEMPT, "as without rules");
        }
    }

    #[test]
    fn a_line_is_a_password_alone_where_no_code_can_be_meant() {
        let rules =
            ServiceRules { exempt_groups: vec!["robots".into()], ..ServiceRules::default() };
        let origin = &AttemptOrigin::of("pam").said("sshd", "", "");
        let in_group = |mut user: User| {
            user.profile.groups = vec!["robots".into()];
            user
        };
        let submitted = &Submitted::read(b"123456");
        let login = by_rules(submitted, &rules, origin);
        assert!(types_password_only(&in_group(user(None)), &login));
        assert!(!types_password_only(&in_group(active()), &login), "a code out of habit");
        assert!(!types_password_only(&user(None), &login));
        assert!(!types_password_only(&in_group(disabled()), &login));
    }
}
