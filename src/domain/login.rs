//! The rule that a login service applies before the code: which users are rejected whatever code they
//! submit, and which need none.

use crate::domain::policy::Demand;
use crate::domain::spare::Presented;
use crate::domain::throttle::Gate;
use crate::domain::time::Timestamp;
use crate::domain::user::{PasswordChange, Status, User};
use crate::domain::verify::candidates;

/// What to answer for users who have no MFA and need none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Without {
    Accept,
    #[default]
    Refuse,
}

/// How a login is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Way {
    /// By the submitted code.
    Prove,
    /// The user is let in without a code.
    Pass,
    /// The user is rejected whatever the code; the word is for the audit log.
    TurnAway(&'static str),
}

/// How the login of this user with this submitted code is decided.
pub fn way(
    user: &User,
    presented: &Presented,
    demand: Demand,
    not_enabled: Without,
    now: Timestamp,
) -> Way {
    if user.password_change != PasswordChange::NotRequired {
        return Way::TurnAway("password_change_required");
    }
    let is_excused = is_excused(user, presented, demand, not_enabled, now);
    let candidates = candidates(user, None, presented, now);
    if candidates.is_ok() && !is_excused {
        return Way::Prove;
    }
    if user.throttle.gate(now) != Gate::Open {
        return Way::TurnAway("locked");
    }
    match candidates {
        _ if is_excused => Way::Pass,
        Err(refusal) => Way::TurnAway(refusal.code.word()),
        Ok(_) => Way::Prove,
    }
}

/// Whether this user is let in without a code. A user with a pending device may submit its first code,
/// which confirms it, or nothing.
#[must_use]
pub fn is_excused(
    user: &User,
    presented: &Presented,
    demand: Demand,
    not_enabled: Without,
    now: Timestamp,
) -> bool {
    not_enabled == Without::Accept
        && !demand.is_in_force(now)
        && user.status() != Status::Enabled
        && (matches!(presented, Presented::NotACode)
            || candidates(user, None, presented, now).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::{Active, Device, Kind, Pending, State};
    use crate::domain::name::{Label, UserName};
    use crate::domain::secret::{Id, Sealed};
    use crate::domain::throttle::{Failure, Limits, Throttle};
    use crate::domain::totp::Parameters;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    fn user(state: Option<State>) -> User {
        let mut user = User::new(Id::new([1; 16]), UserName::parse("alice").unwrap(), at(0));
        user.devices.extend(state.map(|state| Device {
            id: Id::new([2; 16]),
            label: Label::parse("phone").unwrap(),
            kind: Kind::Totp,
            parameters: Parameters::COMMON,
            secret: Sealed(Vec::new()),
            state,
            last_step: None,
            created_at: at(0),
            last_used_at: None,
        }));
        user
    }

    fn active() -> User {
        user(Some(State::Active(Active { confirmed_at: at(0) })))
    }

    fn pending() -> User {
        let expires_at = at(5000);
        let pending = Pending { expires_at, first_proof: None, replaces: Vec::new() };
        user(Some(State::Pending(pending)))
    }

    fn disabled() -> User {
        let mut user = active();
        user.devices = user.devices.into_iter().map(Device::disabled).collect();
        user
    }

    fn locked(mut user: User) -> User {
        let failed = |t: Throttle, _| t.failed(Failure::Code, at(1000), Limits::DEFAULT);
        user.throttle = (0..5).fold(Throttle::default(), failed);
        user
    }

    const REQUIRED: fn() -> Demand = || Demand::From(at(10));
    const DUE: fn() -> Demand = || Demand::From(at(9000));

    #[test]
    fn required_mfa_comes_before_the_option() {
        let way = |user: &User, typed: &[u8], demand, not_enabled| {
            way(user, &Presented::read(typed), demand, not_enabled, at(1000))
        };
        let code = b"123456".as_slice();
        for (user, typed, demand, not_enabled, expected) in [
            (active(), code, Demand::Optional, Without::Accept, Way::Prove),
            (active(), b"x", Demand::Optional, Without::Accept, Way::Prove),
            (active(), code, REQUIRED(), Without::Refuse, Way::Prove),
            (user(None), code, Demand::Optional, Without::Refuse, Way::TurnAway("not_enabled")),
            (user(None), code, Demand::Optional, Without::Accept, Way::Pass),
            (user(None), code, DUE(), Without::Accept, Way::Pass),
            (user(None), code, REQUIRED(), Without::Accept, Way::TurnAway("not_enabled")),
            (disabled(), code, Demand::Optional, Without::Refuse, Way::TurnAway("disabled")),
            (disabled(), code, Demand::Optional, Without::Accept, Way::Pass),
            (disabled(), code, REQUIRED(), Without::Accept, Way::TurnAway("disabled")),
            (pending(), code, Demand::Optional, Without::Refuse, Way::Prove),
            (pending(), code, Demand::Optional, Without::Accept, Way::Prove),
            (pending(), b"", Demand::Optional, Without::Accept, Way::Pass),
            (pending(), b"", REQUIRED(), Without::Accept, Way::Prove),
            (pending(), b"x", Demand::Optional, Without::Refuse, Way::Prove),
        ] {
            let case = format!("{:?} {typed:?} {demand:?} {not_enabled:?}", user.status());
            assert_eq!(way(&user, typed, demand, not_enabled), expected, "{case}");
        }
    }

    #[test]
    fn neither_a_lock_nor_a_required_password_change_is_skipped() {
        for not_enabled in [Without::Accept, Without::Refuse] {
            let way =
                |user: &User| way(user, &Presented::read(b""), Demand::Optional, not_enabled, at(1000));
            assert_ne!(way(&locked(user(None))), Way::Pass);
            assert_ne!(way(&locked(disabled())), Way::Pass);
            assert_ne!(way(&locked(pending())), Way::Pass);
            for change in [PasswordChange::Required, PasswordChange::RequiredOldOpens] {
                for mut user in [active(), user(None), disabled(), pending()] {
                    user.password_change = change;
                    assert_eq!(way(&user), Way::TurnAway("password_change_required"));
                }
            }
        }
    }
}
