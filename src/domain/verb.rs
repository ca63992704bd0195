//! The attributes of a verb, and the rules that follow from them. The table itself is in `commands`.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use crate::domain::notice::NoticeKind;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::role::{Role, Roles};
use crate::domain::undo_record::Undoable;
use crate::domain::user::User;

/// The groups in the output of `mfactl help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Enrolment,
    Helpdesk,
    SignIn,
    Audit,
    Store,
}

impl Group {
    pub const ALL: [Self; 5] =
        [Self::Enrolment, Self::Helpdesk, Self::SignIn, Self::Audit, Self::Store];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Enrolment => "Enrolment",
            Self::Helpdesk => "Helpdesk",
            Self::SignIn => "Sign-in",
            Self::Audit => "Audit",
            Self::Store => "Store",
        }
    }
}

/// Which of `--ticket` and `--proof` a verb takes, and `[helpdesk]` may therefore require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOptions {
    None,
    Ticket,
    TicketAndProof,
}

/// By what a verb's user may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressed {
    /// By the exact name: a login service, a user or a script asks, or there is no such user yet.
    Name,
    /// By the name, or by an e-mail address without a question, because the verb only looks.
    NameOrMail,
    /// By the name; an operator at a terminal may give an e-mail address, or search, and is asked.
    Person,
}

/// A verb with everything that other parts of the program must know about it.
#[derive(Clone, Copy, Debug)]
pub struct VerbSpec {
    pub name: &'static str,
    pub alias: Option<&'static str>,
    pub group: Group,
    /// The roles that may run it besides `admin`; `None` if it touches no store and needs no role.
    pub roles: Option<&'static [Role]>,
    /// Everybody may run it about themselves. The roles are those that may run it about others, which the verb checks.
    pub is_for_oneself: bool,
    /// The system user may run it whatever the roles: it answers with what that user owns.
    pub is_of_system_user: bool,
    /// It changes an existing user, so it can be made to need a second operator.
    pub changes_user: bool,
    /// It takes away what a user has, so an operator must name exactly who is stored; see [`SiteNames::is_shortened`].
    ///
    /// [`SiteNames::is_shortened`]: crate::domain::site_names::SiteNames::is_shortened
    pub takes_away: bool,
    pub case_options: CaseOptions,
    pub addressed: Addressed,
    /// An option, by its name in the arguments, that only an admin may use, or two operators together.
    pub guarded_option: Option<&'static str>,
    /// What `undo` calls its change, if that can be undone.
    pub undo: Option<Undoable>,
    /// The notice that a changed user gets.
    pub notice: Option<NoticeKind>,
    /// It writes pages for users, in one language or in two.
    pub writes_pages: bool,
    /// What it does for which there is a verb too.
    pub does_too: &'static [DoesToo],
}

/// A part of a verb for which there is a verb too, so that whoever may not run that one can't have it from this one: the
/// roles, the required options and the second operator of both count.
#[derive(Clone, Copy, Debug)]
pub struct DoesToo {
    pub verb: &'static str,
    /// The option, by its name in the arguments, without which the verb doesn't do that.
    pub option: Option<&'static str>,
}

/// Finds a verb in the table by its name. The table is in `commands`, which the rooms below must not
/// import, so it is handed down to them as this function.
pub type FindVerb = fn(&str) -> Option<&'static VerbSpec>;

impl VerbSpec {
    /// A verb for admins, with no other attribute.
    pub const ADMIN: Self = Self {
        name: "",
        alias: None,
        group: Group::Store,
        roles: Some(&[]),
        is_for_oneself: false,
        is_of_system_user: false,
        changes_user: false,
        takes_away: false,
        case_options: CaseOptions::None,
        addressed: Addressed::Name,
        guarded_option: None,
        undo: None,
        notice: None,
        writes_pages: false,
        does_too: &[],
    };

    /// A verb that touches no store and needs no role.
    pub const FREE: Self = Self { roles: None, ..Self::ADMIN };

    /// Whether this word is the verb's name or alias.
    #[must_use]
    pub fn is_called(&self, word: impl AsRef<OsStr>) -> bool {
        let word = word.as_ref();
        word == self.name || self.alias.is_some_and(|alias| word == alias)
    }

    #[must_use]
    pub const fn takes_ticket(&self) -> bool {
        !matches!(self.case_options, CaseOptions::None)
    }

    #[must_use]
    pub const fn takes_proof(&self) -> bool {
        matches!(self.case_options, CaseOptions::TicketAndProof)
    }

    /// The roles that may run the verb, the most powerful last. Empty if it needs no role.
    fn allowed_roles(&self, configured: &Roles) -> BTreeSet<Role> {
        let Some(usual) = self.roles else { return BTreeSet::new() };
        let roles = configured.verbs.get(self.name).map_or(usual, Vec::as_slice);
        roles.iter().copied().chain([Role::Admin]).collect()
    }

    /// Refuses the verb if none of the operator's roles may run it.
    pub fn permit(&self, configured: &Roles, own: &BTreeSet<Role>) -> Result<(), Refusal> {
        let allowed = self.allowed_roles(configured);
        if self.roles.is_none() || !allowed.is_disjoint(own) {
            return Ok(());
        }
        let allowed: Vec<_> = allowed.into_iter().map(Role::word).collect();
        let own: Vec<_> = own.iter().map(|role| role.word()).collect();
        let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
        let (verb, allowed) = (self.name, allowed.join(" or "));
        let message = format!("{verb} needs the role {allowed}; you have {own}");
        Err(Refusal::new(ErrorCode::NotPermitted, message)
            .hint("roles are assigned in the configuration, under [roles]"))
    }

    /// The notice about a change of this user; `None` if the user need not be notified.
    #[must_use]
    pub fn notice_for(&self, after: &User) -> Option<NoticeKind> {
        // A bypass code that was revoked weakens nothing.
        self.notice.filter(|kind| *kind != NoticeKind::Bypass || after.bypass.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_verb_is_for_its_roles_and_for_admins() {
        let configured = Roles {
            verbs: BTreeMap::from([
                ("bypass".to_owned(), vec![]),
                ("verify".to_owned(), vec![Role::Service, Role::Helpdesk]),
            ]),
            ..Roles::default()
        };
        let verb = |name, roles| VerbSpec { name, roles, ..VerbSpec::ADMIN };
        let helpdesk: Option<&[Role]> = Some(&[Role::Helpdesk]);
        let service: Option<&[Role]> = Some(&[Role::Service]);
        for (name, roles, role, expected) in [
            ("reset", helpdesk, Role::Helpdesk, true),
            ("reset", helpdesk, Role::Auditor, false),
            ("reset", helpdesk, Role::Service, false),
            ("backup", Some(&[]), Role::Helpdesk, false),
            ("verify", service, Role::Auditor, false),
            ("verify", service, Role::Helpdesk, true),
            ("bypass", helpdesk, Role::Helpdesk, false),
            ("help", None, Role::Auditor, true),
        ] {
            let may_run = |role| verb(name, roles).permit(&configured, &BTreeSet::from([role]));
            assert_eq!(may_run(role).is_ok(), expected, "{name} by {}", role.word());
            assert!(may_run(Role::Admin).is_ok(), "{name}");
        }
        let refusal = verb("reset", helpdesk).permit(&configured, &BTreeSet::from([Role::Auditor]));
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.code, ErrorCode::NotPermitted);
        assert_eq!(refusal.problem, "reset needs the role helpdesk or admin; you have auditor");
        let refusal = verb("backup", Some(&[])).permit(&configured, &BTreeSet::new()).unwrap_err();
        assert_eq!(refusal.problem, "backup needs the role admin; you have none");
    }
}
