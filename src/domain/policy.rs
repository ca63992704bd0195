//! Which users need MFA, from when, and by which kinds of devices.

pub mod strong;

use crate::domain::device::Device;
use crate::domain::name::is_same_group;
use crate::domain::policy::strong::StrongKinds;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// The MFA requirement in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub scope: Scope,
    /// Groups whose members the requirement never applies to, such as that of service accounts.
    pub except_groups: Vec<String>,
    /// When the requirement begins; for users created later, it begins at their creation.
    pub since: Option<Timestamp>,
    /// How long a user has to enrol once the requirement applies to them.
    pub grace: Span,
    /// The kinds of devices that meet the requirement.
    pub strong: StrongKinds,
}

/// Which users the requirement applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    Nobody,
    Groups(Vec<String>),
    Everybody,
}

/// The MFA requirement for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    Optional,
    /// Required from this time on.
    From(Timestamp),
}

impl Requirement {
    /// Whether MFA is required now.
    #[must_use]
    pub fn is_in_force(self, now: Timestamp) -> bool {
        matches!(self, Self::From(from) if from <= now)
    }

    /// Whether a user still has to enrol; see [`Policy::is_covered`].
    #[must_use]
    pub fn enrolment_due(self, is_covered: bool, now: Timestamp) -> Option<EnrolmentDue> {
        match self {
            Self::From(from) if !is_covered => Some(if from <= now {
                EnrolmentDue::Overdue(from)
            } else {
                EnrolmentDue::Upcoming(from)
            }),
            _ => None,
        }
    }
}

/// A user without MFA of a strong kind who needs it, now or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentDue {
    Upcoming(Timestamp),
    Overdue(Timestamp),
}

impl Scope {
    fn includes(&self, user: &User) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Groups(groups) => is_in_any(user, groups),
        }
    }
}

/// Whether the user is in one of these groups.
#[must_use]
pub fn is_in_any(user: &User, groups: &[String]) -> bool {
    user.profile.groups.iter().any(|group| has_group(groups, group))
}

/// Whether this group is one of these, in any spelling.
#[must_use]
pub fn has_group(groups: &[String], group: &str) -> bool {
    groups.iter().any(|other| is_same_group(other, group))
}

impl Policy {
    /// Whether the configuration requires MFA of this user. An operator may require it beside that.
    #[must_use]
    pub fn applies_to(&self, user: &User) -> bool {
        self.scope.includes(user) && !is_in_any(user, &self.except_groups)
    }

    /// Whether the configuration requires MFA of the members of this group as such.
    #[must_use]
    pub fn requires_group(&self, group: &str) -> bool {
        matches!(&self.scope, Scope::Groups(groups) if has_group(groups, group))
    }

    /// Whether an active device of the user is of a kind that is strong for them. A code of any other device lets them
    /// in just the same; only lists and checks make a difference.
    #[must_use]
    pub fn is_covered(&self, user: &User) -> bool {
        let is_strong = |device: &&Device| {
            self.strong.of_groups(&user.profile.groups).contains(&device.factor.kind())
        };
        user.devices.iter().filter(|device| device.is_active()).any(|device| is_strong(&device))
    }

    /// Whether MFA is enabled, but only by devices of weak kinds.
    #[must_use]
    pub fn is_weak(&self, user: &User) -> bool {
        user.status() == Status::Enabled && !self.is_covered(user)
    }

    /// Whether the configuration excepts the members of this group from what it requires.
    #[must_use]
    pub fn excepts_group(&self, group: &str) -> bool {
        self.scope != Scope::Nobody && has_group(&self.except_groups, group)
    }

    /// Updates a user whose groups were changed. If the new groups make MFA required, the grace period
    /// begins now.
    #[must_use]
    pub fn after_group_change(&self, before: &User, user: User, now: Timestamp) -> User {
        if user.required {
            return user;
        }
        let required_from = match (self.applies_to(before), self.applies_to(&user)) {
            (false, true) if self.grace > Span(0) => Some(now.plus(self.grace)),
            (_, true) => user.required_from,
            (_, false) => None,
        };
        User { required_from, ..user }
    }

    /// The requirement for a user: from the configuration or an operator, whichever begins earlier.
    #[must_use]
    pub fn requirement(&self, user: &User) -> Requirement {
        let applies = self.applies_to(user);
        let since = self.since.map_or(user.created_at, |since| since.max(user.created_at));
        let from = since.plus(self.grace);
        // Without `required` this date is the end of the grace period after joining a group; with it,
        // the date an operator set.
        let joined = user.required_from.filter(|_| !user.required);
        let configured = applies.then(|| joined.map_or(from, |joined| from.max(joined)));
        let by_operator = user.required.then(|| user.required_from.unwrap_or(user.created_at));
        configured
            .into_iter()
            .chain(by_operator)
            .min()
            .map_or(Requirement::Optional, Requirement::From)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{active_state, pending_state, with_phone};
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
        Policy {
            scope,
            except_groups: Vec::new(),
            since: since.map(at),
            grace: Span(100),
            strong: StrongKinds::default(),
        }
    }

    #[test]
    fn the_grace_period_begins_when_the_policy_first_applies_to_the_user() {
        let all = |since| policy(Scope::Everybody, since).requirement(&user(&[]));
        assert_eq!(all(None), Requirement::From(at(1100)));
        assert_eq!(all(Some(5000)), Requirement::From(at(5100)));
        assert_eq!(all(Some(5)), Requirement::From(at(1100)));
        let staff = policy(Scope::Groups(vec!["staff".into()]), None);
        assert_eq!(staff.requirement(&user(&["staff", "x"])), Requirement::From(at(1100)));
        assert_eq!(staff.requirement(&user(&["x"])), Requirement::Optional);
    }

    #[test]
    fn members_of_an_excepted_group_need_mfa_only_if_an_operator_says_so() {
        let everybody =
            Policy { except_groups: vec!["service".into()], ..policy(Scope::Everybody, None) };
        let of = |user: &User| everybody.requirement(user);
        assert_eq!(of(&user(&["staff"])), Requirement::From(at(1100)));
        assert_eq!(of(&user(&["staff", "service"])), Requirement::Optional);
        let mut asked = user(&["service"]);
        (asked.required, asked.required_from) = (true, Some(at(50)));
        assert_eq!(of(&asked), Requirement::From(at(50)));
        let staff = Policy {
            except_groups: vec!["service".into()],
            ..policy(Scope::Groups(vec!["staff".into()]), Some(5))
        };
        let both = user(&["staff", "service"]);
        assert_eq!(staff.requirement(&both), Requirement::Optional);
        let left = staff.after_group_change(&both, user(&["staff"]), at(7000));
        assert_eq!(staff.requirement(&left), Requirement::From(at(7100)), "a grace of their own");
    }

    #[test]
    fn an_operator_can_require_mfa_earlier_but_not_later_than_the_policy() {
        let mut asked = user(&[]);
        (asked.required, asked.required_from) = (true, Some(at(50)));
        assert_eq!(policy(Scope::Everybody, None).requirement(&asked), Requirement::From(at(50)));
        assert_eq!(policy(Scope::Nobody, None).requirement(&asked), Requirement::From(at(50)));
        asked.required_from = Some(at(9000));
        assert_eq!(policy(Scope::Everybody, None).requirement(&asked), Requirement::From(at(1100)));
    }

    #[test]
    fn the_grace_period_of_a_new_group_member_begins_when_they_join() {
        let staff = policy(Scope::Groups(vec!["staff".into(), "it".into()]), Some(5));
        let old = user(&["x"]);
        let joined = staff.after_group_change(&old, user(&["x", "staff"]), at(7000));
        assert_eq!(staff.requirement(&joined), Requirement::From(at(7100)));
        let both = User { profile: user(&["it", "staff"]).profile, ..joined.clone() };
        let both = staff.after_group_change(&joined, both, at(7050));
        assert_eq!(
            staff.requirement(&both),
            Requirement::From(at(7100)),
            "a further group starts no new grace period"
        );
        let left = User { profile: user(&[]).profile, ..both.clone() };
        let left = staff.after_group_change(&both, left, at(7060));
        assert_eq!((left.required_from, staff.requirement(&left)), (None, Requirement::Optional));
        let mut asked = User { required: true, required_from: Some(at(50)), ..old };
        asked.profile.groups.push("staff".into());
        assert_eq!(staff.after_group_change(&user(&["x"]), asked.clone(), at(7000)), asked);
        let later = policy(Scope::Groups(vec!["staff".into()]), Some(9000));
        assert_eq!(later.requirement(&joined), Requirement::From(at(9100)));
    }

    #[test]
    fn a_user_with_mfa_has_nothing_to_enrol() {
        let requirement = Requirement::From(at(100));
        assert_eq!(requirement.enrolment_due(true, at(200)), None);
        let overdue = Some(EnrolmentDue::Overdue(at(100)));
        assert_eq!(requirement.enrolment_due(false, at(200)), overdue);
        let upcoming = Some(EnrolmentDue::Upcoming(at(100)));
        assert_eq!(requirement.enrolment_due(false, at(99)), upcoming);
        assert_eq!(Requirement::Optional.enrolment_due(false, at(0)), None);
        assert!(requirement.is_in_force(at(100)) && !requirement.is_in_force(at(99)));
    }

    #[test]
    fn a_user_whose_active_devices_are_all_of_weak_kinds_is_weak() {
        let any = policy(Scope::Everybody, None);
        let keys_of = |groups: &[&str]| StrongKinds {
            by_group: groups.iter().map(|g| ((*g).to_owned(), vec!["yubikey"])).collect(),
            ..StrongKinds::default()
        };
        let keys = Policy { strong: keys_of(&["admins"]), ..any.clone() };
        let judged = |policy: &Policy, user: &User| (policy.is_covered(user), policy.is_weak(user));
        for (state, by_any, by_keys) in [
            (active_state(), (true, false), (false, true)),
            (pending_state(9000), (false, false), (false, false)),
        ] {
            let admin = with_phone(user(&["admins"]), state.clone());
            assert_eq!((judged(&any, &admin), judged(&keys, &admin)), (by_any, by_keys));
            let clerk = with_phone(user(&["staff"]), state);
            assert_eq!(judged(&keys, &clerk), by_any, "in no such group");
        }
        assert_eq!(judged(&keys, &user(&["admins"])), (false, false), "not even a weak one");
    }
}
