//! What a recovery code, a bypass code or a code of a printed list is worth, in words.

use crate::domain::backup_code::BackupCodeKind;
use crate::domain::name::UserName;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;

/// What a code of letters is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// It would be accepted. `left` are the uses left, or the unused codes of the set.
    Good {
        left: u64,
        until: Option<Timestamp>,
    },
    NotYet {
        from: Timestamp,
    },
    Expired {
        at: Timestamp,
    },
    /// `at` is when the last one was used.
    Used {
        at: Option<Timestamp>,
    },
    /// None of the user's unused ones, of which there are `left`. `at` is when the last one was used.
    Unknown {
        left: u64,
        at: Option<Timestamp>,
    },
}

impl Spare {
    #[must_use]
    pub fn sentence(self, kind: BackupCodeKind, name: &UserName) -> String {
        let code = kind.word();
        let used = |at: Option<Timestamp>| {
            at.map_or_else(String::new, |at| format!("; the last one was used on {at}"))
        };
        match (self, kind) {
            (Self::Good { left, until }, BackupCodeKind::Bypass) => {
                let until = until.map_or_else(String::new, |until| format!(" until {until}"));
                format!(
                    "this is a bypass code, and it is good for {}{until}: sign in with it in place of the code",
                    counted(left, "use")
                )
            }
            (Self::Good { left, .. }, BackupCodeKind::Recovery) => format!(
                "this is a recovery code, and it is good, one of {left} unused: sign in with it in place of the code"
            ),
            (Self::Good { left, .. }, BackupCodeKind::Paper) => format!(
                "this is a code of a printed list, and it is good, one of {left} unused: sign in with it"
            ),
            (Self::NotYet { from }, _) => {
                format!("this is the {code} code of {name}, but it is good only from {from} on")
            }
            (Self::Expired { at }, _) => {
                format!("this is a {code} code, and it expired on {at}")
            }
            (Self::Used { .. }, BackupCodeKind::Paper) => format!(
                "this is a code of a printed list of {name}, and it was used before: each is good once, so use one \
                 that is not crossed out"
            ),
            (Self::Used { at }, _) => {
                let when = at.map_or_else(String::new, |at| format!(" on {at}"));
                format!(
                    "this is a {code} code, but {name} has none left: the last one was used{when}"
                )
            }
            (Self::Unknown { left: 0, .. }, _) => {
                format!("this has the form of a {code} code, but {name} has none")
            }
            (Self::Unknown { at, .. }, BackupCodeKind::Bypass) => {
                format!(
                    "this has the form of a bypass code, but it is not that of {name}{}",
                    used(at)
                )
            }
            (Self::Unknown { left, at }, BackupCodeKind::Recovery) => format!(
                "this has the form of a recovery code, but it is none of the {left} unused ones: used already, of an \
                 earlier set, or mistyped{}",
                used(at)
            ),
            (Self::Unknown { left, at }, BackupCodeKind::Paper) => format!(
                "this has the form of a code of a printed list, but it is none of {name}'s lists, of which \
                 {left} codes are left: of another list, or mistyped{}",
                used(at)
            ),
        }
    }
}
