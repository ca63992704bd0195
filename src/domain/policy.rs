//! Of whom MFA is required, and from when on.

use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// What the configuration asks of everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub scope: Scope,
    /// The day from which it applies; to users who are made later, from then on.
    pub since: Option<Timestamp>,
    /// How long a user has from the day it applies to him.
    pub grace: Span,
}

/// Whom the configuration requires MFA of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    Nobody,
    Groups(Vec<String>),
    Everybody,
}

/// What is asked of one user at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    Optional,
    /// Required from this moment on.
    From(Timestamp),
}

impl Demand {
    /// Is MFA required by now?
    #[must_use]
    pub fn is_in_force(self, now: Timestamp) -> bool {
        matches!(self, Self::From(from) if from <= now)
    }

    /// How it stands with a user under this demand.
    #[must_use]
    pub fn duty(self, status: Status, now: Timestamp) -> Option<Duty> {
        match self {
            Self::From(from) if status != Status::Enabled => {
                Some(if from <= now { Duty::Overdue(from) } else { Duty::Due(from) })
            }
            _ => None,
        }
    }
}

/// A user without MFA of whom it is, or will be, required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    Due(Timestamp),
    Overdue(Timestamp),
}

impl Scope {
    fn has(&self, user: &User) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Groups(named) => user.profile.groups.iter().any(|group| named.contains(group)),
        }
    }
}

impl Policy {
    /// A user whose groups were changed: where MFA is required of him by these from now on, the grace
    /// runs from now on.
    #[must_use]
    pub fn regrouped(&self, before: &User, user: User, now: Timestamp) -> User {
        if user.required {
            return user;
        }
        let required_from = match (self.scope.has(before), self.scope.has(&user)) {
            (false, true) if self.grace > Span(0) => Some(now.plus(self.grace)),
            (_, true) => user.required_from,
            (_, false) => None,
        };
        User { required_from, ..user }
    }

    /// The earlier of what the configuration and an operator ask.
    #[must_use]
    pub fn demand(&self, user: &User) -> Demand {
        let applies = self.scope.has(user);
        let since = self.since.map_or(user.created_at, |since| since.max(user.created_at));
        let from = since.plus(self.grace);
        // Without `required` this is when he came into a group; with it, an operator's date.
        let joined = user.required_from.filter(|_| !user.required);
        let configured = applies.then(|| joined.map_or(from, |joined| from.max(joined)));
        let asked = user.required.then(|| user.required_from.unwrap_or(user.created_at));
        configured.into_iter().chain(asked).min().map_or(Demand::Optional, Demand::From)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::UserName;
    use crate::domain::secret::Id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    fn user(groups: &[&str]) -> User {
        let mut user = User::new(Id::new([1; 16]), UserName::parse("alice").unwrap(), at(1000));
        user.profile.groups = groups.iter().map(|g| (*g).to_owned()).collect();
        user
    }

    fn policy(scope: Scope, since: Option<i64>) -> Policy {
        Policy { scope, since: since.map(at), grace: Span(100) }
    }

    #[test]
    fn the_grace_runs_from_the_day_it_applied_to_the_user() {
        let all = |since| policy(Scope::Everybody, since).demand(&user(&[]));
        assert_eq!(all(None), Demand::From(at(1100)));
        assert_eq!(all(Some(5000)), Demand::From(at(5100)));
        assert_eq!(all(Some(5)), Demand::From(at(1100)));
        let staff = policy(Scope::Groups(vec!["staff".into()]), None);
        assert_eq!(staff.demand(&user(&["staff", "x"])), Demand::From(at(1100)));
        assert_eq!(staff.demand(&user(&["x"])), Demand::Optional);
    }

    #[test]
    fn an_operator_may_ask_for_more_and_never_for_less() {
        let mut asked = user(&[]);
        (asked.required, asked.required_from) = (true, Some(at(50)));
        assert_eq!(policy(Scope::Everybody, None).demand(&asked), Demand::From(at(50)));
        assert_eq!(policy(Scope::Nobody, None).demand(&asked), Demand::From(at(50)));
        asked.required_from = Some(at(9000));
        assert_eq!(policy(Scope::Everybody, None).demand(&asked), Demand::From(at(1100)));
    }

    #[test]
    fn the_grace_of_who_comes_into_a_group_runs_from_then_on() {
        let staff = policy(Scope::Groups(vec!["staff".into(), "it".into()]), Some(5));
        let old = user(&["x"]);
        let came = staff.regrouped(&old, user(&["x", "staff"]), at(7000));
        assert_eq!(staff.demand(&came), Demand::From(at(7100)));
        let both = User { profile: user(&["it", "staff"]).profile, ..came.clone() };
        let both = staff.regrouped(&came, both, at(7050));
        assert_eq!(staff.demand(&both), Demand::From(at(7100)), "another group is no new grace");
        let left = User { profile: user(&[]).profile, ..both.clone() };
        let left = staff.regrouped(&both, left, at(7060));
        assert_eq!((left.required_from, staff.demand(&left)), (None, Demand::Optional));
        let mut asked = User { required: true, required_from: Some(at(50)), ..old };
        asked.profile.groups.push("staff".into());
        assert_eq!(staff.regrouped(&user(&["x"]), asked.clone(), at(7000)), asked);
        let later = policy(Scope::Groups(vec!["staff".into()]), Some(9000));
        assert_eq!(later.demand(&came), Demand::From(at(9100)));
    }

    #[test]
    fn who_has_mfa_owes_nothing() {
        let demand = Demand::From(at(100));
        assert_eq!(demand.duty(Status::Enabled, at(200)), None);
        assert_eq!(demand.duty(Status::Pending, at(200)), Some(Duty::Overdue(at(100))));
        assert_eq!(demand.duty(Status::Disabled, at(99)), Some(Duty::Due(at(100))));
        assert_eq!(Demand::Optional.duty(Status::NotEnabled, at(0)), None);
        assert!(demand.is_in_force(at(100)) && !demand.is_in_force(at(99)));
    }
}
