//! Who may do what: operators, their roles, and the verbs that are for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::refusal::{Code, Refusal};

/// What an operator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Helpdesk,
    Auditor,
    /// A program that asks about codes and passwords.
    Service,
    /// May do everything.
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

const HELPDESK: &[Role] = &[Role::Helpdesk];
const LOOKING: &[Role] = &[Role::Helpdesk, Role::Auditor];
const SERVICE: &[Role] = &[Role::Service];
const ADMIN: &[Role] = &[];

/// Every verb that takes a role, with the roles that have it beside `admin`.
pub const VERBS: &[(&str, &[Role])] = &[
    ("add-user", HELPDESK),
    ("approve", HELPDESK),
    ("backup", ADMIN),
    ("bypass", HELPDESK),
    ("changes", LOOKING),
    ("check", LOOKING),
    ("copy-store", ADMIN),
    ("delete", HELPDESK),
    ("diagnose", HELPDESK),
    ("disable", HELPDESK),
    ("doctor", ADMIN),
    ("edit-user", HELPDESK),
    ("enable", HELPDESK),
    ("enrol", HELPDESK),
    ("force-new-password", HELPDESK),
    ("init", ADMIN),
    ("list-status", LOOKING),
    ("log", LOOKING),
    ("metrics", LOOKING),
    ("recovery-codes", HELPDESK),
    ("remove-user", ADMIN),
    ("report", LOOKING),
    ("require-mfa", HELPDESK),
    ("reset", HELPDESK),
    ("restore", ADMIN),
    ("set-password", ADMIN),
    ("show-qr", HELPDESK),
    ("show-user", LOOKING),
    ("sign-in", SERVICE),
    ("undo", HELPDESK),
    ("unlock", HELPDESK),
    ("verify", SERVICE),
    ("verify-log", LOOKING),
];

/// Verbs that touch no store.
pub const FREE: &[&str] = &["completions", "help", "man"];

/// Verbs that change a user who is there, and that a second operator can be asked to carry out.
pub const CHANGES: &[&str] = &[
    "bypass",
    "delete",
    "disable",
    "edit-user",
    "enable",
    "enrol",
    "force-new-password",
    "recovery-codes",
    "remove-user",
    "require-mfa",
    "reset",
    "set-password",
    "show-qr",
    "undo",
    "unlock",
];

/// The uid that counts: root and the system user act for the one that `sudo` names, for nobody else
/// can make them run us. The system user is looked up where that decides.
#[must_use]
pub fn acting_uid(real: u32, sudo: Option<u32>, system: impl FnOnce() -> Option<u32>) -> u32 {
    sudo.filter(|_| real == 0 || Some(real) == system()).unwrap_or(real)
}

/// Whom the configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    User(u32),
    Group(u32),
}

/// Who has which role, and which verb takes which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    pub members: Vec<(Role, Member)>,
    /// Verbs that the configuration gives to other roles.
    pub verbs: BTreeMap<String, Vec<Role>>,
    /// Verbs that take two operators where the user is protected.
    pub second_operator: Vec<String>,
}

impl Roles {
    /// The roles of an operator. Root is an admin whatever the configuration says.
    #[must_use]
    pub fn of(&self, uid: u32, groups: &[u32]) -> BTreeSet<Role> {
        let is = |member: &Member| match member {
            Member::User(user) => *user == uid,
            Member::Group(group) => groups.contains(group),
        };
        let named = self.members.iter().filter(|(_, member)| is(member)).map(|(role, _)| *role);
        named.chain((uid == 0).then_some(Role::Admin)).collect()
    }

    /// The roles that may run a verb, the most powerful last; a verb that nobody thought of is for
    /// admins.
    #[must_use]
    pub fn that_may(&self, verb: &str) -> Vec<Role> {
        let usual = || VERBS.iter().find(|(name, _)| *name == verb).map_or(ADMIN, |(_, r)| *r);
        let named = self.verbs.get(verb).map_or_else(usual, Vec::as_slice);
        let all = named.iter().copied().chain([Role::Admin]).collect::<BTreeSet<_>>();
        all.into_iter().collect()
    }

    /// # Errors
    /// `not_permitted`, with the roles that may.
    pub fn permit(&self, verb: &str, roles: &BTreeSet<Role>) -> Result<(), Refusal> {
        let may = self.that_may(verb);
        if FREE.contains(&verb) || may.iter().any(|role| roles.contains(role)) {
            return Ok(());
        }
        let may: Vec<_> = may.into_iter().map(Role::word).collect();
        let message = format!("{verb} is for {}, and you are none of these", may.join(" and "));
        let message = match roles.iter().map(|r| r.word()).collect::<Vec<_>>()[..] {
            [] => message,
            ref own => {
                format!("{verb} is for {}, and you are {}", may.join(" and "), own.join(", "))
            }
        };
        Err(Refusal::new(Code::NotPermitted, message)
            .hint("who has which role stands in the configuration, under [roles]"))
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
            verbs: BTreeMap::from([
                ("bypass".to_owned(), vec![]),
                ("verify".to_owned(), vec![Role::Service, Role::Helpdesk]),
            ]),
            second_operator: vec![],
        }
    }

    #[test]
    fn an_operator_has_the_roles_of_his_uid_and_of_his_groups() {
        let of = |uid, groups: &[u32]| roles().of(uid, groups).into_iter().collect::<Vec<_>>();
        assert_eq!(of(1000, &[]), []);
        assert_eq!(of(1000, &[7, 50]), [Role::Helpdesk]);
        assert_eq!(of(1001, &[]), [Role::Helpdesk]);
        assert_eq!(of(1002, &[60]), [Role::Auditor, Role::Admin]);
        assert_eq!(of(50, &[]), [], "a uid is no gid");
        assert_eq!(of(0, &[]), [Role::Admin], "root is not locked out");
    }

    #[test]
    fn each_verb_is_for_its_roles_and_for_admins() {
        let may = |verb: &str, role| roles().permit(verb, &BTreeSet::from([role])).is_ok();
        for (verb, role, expected) in [
            ("reset", Role::Helpdesk, true),
            ("reset", Role::Auditor, false),
            ("reset", Role::Service, false),
            ("remove-user", Role::Helpdesk, false),
            ("show-user", Role::Auditor, true),
            ("backup", Role::Helpdesk, false),
            ("verify", Role::Auditor, false),
            ("verify", Role::Helpdesk, true),
            ("bypass", Role::Helpdesk, false),
            ("help", Role::Auditor, true),
            ("a-verb-of-tomorrow", Role::Helpdesk, false),
        ] {
            assert_eq!(may(verb, role), expected, "{verb} by {}", role.word());
            assert!(may(verb, Role::Admin), "{verb}");
        }
        let refusal = roles().permit("reset", &BTreeSet::from([Role::Auditor])).unwrap_err();
        assert_eq!(refusal.code, Code::NotPermitted);
        assert_eq!(refusal.message, "reset is for helpdesk and admin, and you are auditor");
        let refusal = roles().permit("backup", &BTreeSet::new()).unwrap_err();
        assert_eq!(refusal.message, "backup is for admin, and you are none of these");
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

    #[test]
    fn what_can_be_asked_of_a_second_operator_is_a_verb_with_roles() {
        for verb in CHANGES {
            assert!(VERBS.iter().any(|(name, _)| name == verb), "{verb}");
        }
    }
}
