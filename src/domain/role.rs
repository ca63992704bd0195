//! Operators' roles, and who has which. `verb.rs` says which role may run which verb.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Helpdesk,
    Auditor,
    /// A program that verifies codes and passwords.
    Service,
    /// May run every verb.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Helpdesk, Self::Auditor, Self::Service, Self::Admin];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Helpdesk => "helpdesk",
            Self::Auditor => "auditor",
            Self::Service => "service",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// The uid whose roles count.
///
/// Only `sudo` can make root or the system user run this program for somebody else, so for these two
/// the uid that `sudo` names counts. `system` looks up the system user and is called only if needed.
#[must_use]
pub fn acting_uid(real: u32, sudo: Option<u32>, system: impl FnOnce() -> Option<u32>) -> u32 {
    sudo.filter(|_| real == 0 || Some(real) == system()).unwrap_or(real)
}

/// A user or group that the configuration gives a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    User(u32),
    Group(u32),
}

/// Who has which role, and which roles may run which verb.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    pub members: Vec<(Role, Member)>,
    /// Verbs whose roles the configuration changes.
    pub verbs: BTreeMap<String, Vec<Role>>,
    /// Verbs that need two operators when the user is protected.
    pub second_operator: Vec<String>,
}

impl Roles {
    /// The roles of an operator. Root is always an admin.
    #[must_use]
    pub fn of(&self, uid: u32, groups: &[u32]) -> BTreeSet<Role> {
        let is = |member: &Member| match member {
            Member::User(user) => *user == uid,
            Member::Group(group) => groups.contains(group),
        };
        let named = self.members.iter().filter(|(_, member)| is(member)).map(|(role, _)| *role);
        named.chain((uid == 0).then_some(Role::Admin)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        Roles {
            members: vec![
                (Role::Helpdesk, Member::Group(50)),
                (Role::Helpdesk, Member::User(1001)),
                (Role::Auditor, Member::User(1002)),
                (Role::Service, Member::User(1003)),
                (Role::Admin, Member::Group(60)),
            ],
            ..Roles::default()
        }
    }

    #[test]
    fn an_operator_has_the_roles_of_their_uid_and_groups() {
        let of = |uid, groups: &[u32]| roles().of(uid, groups).into_iter().collect::<Vec<_>>();
        assert_eq!(of(1000, &[]), []);
        assert_eq!(of(1000, &[7, 50]), [Role::Helpdesk]);
        assert_eq!(of(1001, &[]), [Role::Helpdesk]);
        assert_eq!(of(1002, &[60]), [Role::Auditor, Role::Admin]);
        assert_eq!(of(50, &[]), [], "a uid is not a gid");
        assert_eq!(of(0, &[]), [Role::Admin], "root is not locked out");
    }

    #[test]
    fn only_root_and_the_system_user_act_for_somebody_else() {
        for (real, sudo, expected) in [
            (0, None, 0),
            (0, Some(1000), 1000),
            (0, Some(0), 0),
            (900, Some(1000), 1000),
            (900, None, 900),
            (1001, Some(0), 1001),
        ] {
            assert_eq!(acting_uid(real, sudo, || Some(900)), expected, "{real} {sudo:?}");
        }
        assert_eq!(acting_uid(900, Some(0), || None), 900, "there is no system user");
    }
}
