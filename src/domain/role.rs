//! Operators' roles, and which role may run which verb.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::refusal::{ErrorCode, Refusal};

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

const HELPDESK: &[Role] = &[Role::Helpdesk];
const READERS: &[Role] = &[Role::Helpdesk, Role::Auditor];
const SERVICE: &[Role] = &[Role::Service];
const ADMIN: &[Role] = &[];

/// Every verb that needs a role, with the roles that may run it besides `admin`.
pub const VERBS: &[(&str, &[Role])] = &[
    ("add-user", HELPDESK),
    ("approve", HELPDESK),
    ("backup", ADMIN),
    ("bypass", HELPDESK),
    ("changes", READERS),
    ("check", READERS),
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
    ("list-status", READERS),
    ("log", READERS),
    ("metrics", READERS),
    ("recovery-codes", HELPDESK),
    ("remove-user", ADMIN),
    ("report", READERS),
    ("require-mfa", HELPDESK),
    ("reset", HELPDESK),
    ("restore", ADMIN),
    ("set-password", ADMIN),
    ("show-qr", HELPDESK),
    ("show-user", READERS),
    ("sign-in", SERVICE),
    ("undo", HELPDESK),
    ("unlock", HELPDESK),
    ("verify", SERVICE),
    ("verify-log", READERS),
];

/// Verbs that touch no store and need no role.
pub const FREE: &[&str] = &["completions", "help", "man"];

/// Verbs that change an existing user. These can be made to need a second operator.
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

    /// The roles that may run a verb, the most powerful last. An unlisted verb is for admins only.
    fn allowed_for(&self, verb: &str) -> Vec<Role> {
        let usual = || VERBS.iter().find(|(name, _)| *name == verb).map_or(ADMIN, |(_, r)| *r);
        let roles = self.verbs.get(verb).map_or_else(usual, Vec::as_slice);
        let all = roles.iter().copied().chain([Role::Admin]).collect::<BTreeSet<_>>();
        all.into_iter().collect()
    }

    /// Refuses a verb that none of these roles may run.
    pub fn permit(&self, verb: &str, roles: &BTreeSet<Role>) -> Result<(), Refusal> {
        let allowed = self.allowed_for(verb);
        if FREE.contains(&verb) || allowed.iter().any(|role| roles.contains(role)) {
            return Ok(());
        }
        let allowed: Vec<_> = allowed.into_iter().map(Role::word).collect();
        let own: Vec<_> = roles.iter().map(|role| role.word()).collect();
        let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
        let message = format!("{verb} needs the role {}; you have {own}", allowed.join(" or "));
        Err(Refusal::new(ErrorCode::NotPermitted, message)
            .hint("roles are assigned in the configuration, under [roles]"))
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
    fn each_verb_is_for_its_roles_and_for_admins() {
        let may_run = |verb: &str, role| roles().permit(verb, &BTreeSet::from([role])).is_ok();
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
            assert_eq!(may_run(verb, role), expected, "{verb} by {}", role.word());
            assert!(may_run(verb, Role::Admin), "{verb}");
        }
        let refusal = roles().permit("reset", &BTreeSet::from([Role::Auditor])).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::NotPermitted);
        assert_eq!(refusal.problem, "reset needs the role helpdesk or admin; you have auditor");
        let refusal = roles().permit("backup", &BTreeSet::new()).unwrap_err();
        assert_eq!(refusal.problem, "backup needs the role admin; you have none");
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
    fn every_verb_that_changes_a_user_has_roles() {
        for verb in CHANGES {
            assert!(VERBS.iter().any(|(name, _)| name == verb), "{verb}");
        }
    }
}
