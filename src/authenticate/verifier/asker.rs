//! Who may ask the verifier about whom.

use crate::app::App;
use crate::domain::name::UserName;
use crate::files::file_trust::system_uid;
use crate::operate::{groups_of, permits, uid_of};

/// The verb that a client would run itself, so that its roles count here too.
const VERB: &str = "verify";

/// About whom a client may ask.
#[derive(Clone, Debug)]
pub enum Rights {
    Anybody,
    /// This user, who is the client's own.
    Own(UserName),
    Nobody,
}

impl Rights {
    /// The rights of a uid that needs no look-up of names.
    pub fn known(uid: u32) -> Option<Self> {
        (uid == 0 || Some(uid) == system_uid()).then_some(Self::Anybody)
    }

    /// The rights of any uid. Asks the system for its name and groups, which may take as long as a directory does.
    pub fn of(app: &App<'_>, uid: u32) -> Self {
        let config = &app.config;
        let is_member = config.verifier_group.is_some_and(|group| groups_of(uid).contains(&group));
        let is_service = config.roles.is_some() && permits(config, app.find_verb, VERB, uid);
        if is_member || is_service {
            return Self::Anybody;
        }
        let name = (app.env.user_name)(uid);
        let own = name.and_then(|name| config.names.read(&name).ok());
        own.filter(|own| !is_of_another(own, uid, &uid_of)).map_or(Self::Nobody, Self::Own)
    }

    /// The user to decide about; `None` if the client may not ask about them. For the client's own user it is the name
    /// that the system knows: no spelling of it is looked up that the client chose.
    pub fn permitted<'n>(&'n self, asked: &'n UserName) -> Option<&'n UserName> {
        match self {
            Self::Anybody => Some(asked),
            Self::Own(own) => Some(own).filter(|own| *own == asked),
            Self::Nobody => None,
        }
    }
}

/// Whether another account of the machine has the name of this user: to the system `ALICE` and `alice` are two people.
fn is_of_another(own: &UserName, uid: u32, uid_of: &dyn Fn(&str) -> Option<u32>) -> bool {
    own.spellings().filter_map(uid_of).any(|other| other != uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::site_names::SiteNames;

    #[test]
    fn everybody_may_ask_about_themselves_in_any_spelling_and_about_nobody_else() {
        let site = SiteNames::new(&["CORP".into()], &["corp.example".into()]);
        let name = |typed: &str| site.read(typed).unwrap();
        let own = Rights::Own(name("alice"));
        for typed in ["alice", "ALICE", "CORP\\alice", "ａlice", "alice@corp.example"] {
            let asked = name(typed);
            let permitted = own.permitted(&asked).unwrap();
            assert_eq!(permitted.spellings().collect::<Vec<_>>(), ["alice"], "{typed}");
        }
        for typed in ["bob", "alice2", "alic", "alice@other.example", "álice", "alice.x"] {
            assert!(own.permitted(&name(typed)).is_none(), "{typed}");
            assert!(Rights::Nobody.permitted(&name(typed)).is_none(), "{typed}");
            assert_eq!(Rights::Anybody.permitted(&name(typed)), Some(&name(typed)), "{typed}");
        }
        assert!(matches!(Rights::known(0), Some(Rights::Anybody)));
        assert!(Rights::known(u32::MAX).is_none());
    }

    #[test]
    fn an_account_whose_name_only_looks_like_that_of_another_is_nobody() {
        let own = UserName::parse("ALICE").unwrap();
        for (known, uid, expected) in [
            (Some(("alice", 1000)), 1000, false),
            (Some(("alice", 1000)), 1001, true),
            (Some(("bob", 1000)), 1001, false),
            (None, 1001, false),
        ] {
            let uid_of = |name: &str| known.filter(|(other, _)| *other == name).map(|(_, uid)| uid);
            assert_eq!(is_of_another(&own, uid, &uid_of), expected, "{known:?} {uid}");
        }
    }
}
