//! What an operator decided about: who the user was, and what the consequences of a change depend on.

use crate::domain::name::{Label, UserName};
use crate::domain::password::PasswordChange;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// The state of a user at the time of a question. What attempts to sign in count is left out: they go on meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownState {
    id: Id,
    name: UserName,
    groups: Vec<String>,
    is_protected: bool,
    required: (bool, Option<Timestamp>),
    password_change: PasswordChange,
    has_password: bool,
    is_enrolment_barred: bool,
    devices: Vec<(Id, Label, &'static str)>,
    codes: Codes,
}

/// What can be used up or end meanwhile, which changes no answer; a new one does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Codes {
    recovery: Option<Id>,
    bypass: Option<Id>,
    temporary: Option<Timestamp>,
}

impl ShownState {
    #[must_use]
    pub fn of(user: &User) -> Self {
        // Every field is named, so that a new one is decided about.
        let User {
            id,
            name,
            profile,
            protected,
            required,
            required_from,
            password_change,
            password,
            temporary,
            enrolment_barred,
            recovery,
            bypass,
            undo: _,
            remembered: _,
            throttle: _,
            devices: _,
            created_at: _,
            last_verified_at: _,
            rev: _,
            stamp: _,
        } = user;
        Self {
            id: *id,
            name: name.clone(),
            groups: profile.groups.clone(),
            is_protected: *protected,
            required: (*required, *required_from),
            password_change: *password_change,
            has_password: password.is_some(),
            is_enrolment_barred: *enrolment_barred,
            devices: user.live().map(|d| (d.id, d.label.clone(), d.state.word())).collect(),
            codes: Codes {
                recovery: recovery.as_ref().map(|set| set.id),
                bypass: bypass.as_ref().map(|code| code.id),
                temporary: temporary.as_ref().map(|temporary| temporary.until),
            },
        }
    }

    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// Whether the user is still as they were shown.
    #[must_use]
    pub fn is_state_of(&self, user: &User) -> bool {
        self.is_same(&Self::of(user))
    }

    /// Whether this later state is still the same.
    #[must_use]
    pub fn is_same(&self, later: &Self) -> bool {
        let mut now = later.clone();
        let Codes { recovery, bypass, temporary } = &self.codes;
        now.codes.recovery = now.codes.recovery.or(*recovery);
        now.codes.bypass = now.codes.bypass.or(*bypass);
        now.codes.temporary = now.codes.temporary.or(*temporary);
        now == *self
    }
}

/// The refusal where somebody else has the name now, or the user is not as they were shown.
#[must_use]
pub fn changed_meanwhile(name: &UserName) -> Refusal {
    Refusal::new(ErrorCode::Busy, format!("{name} was changed meanwhile"))
        .hint("nothing was changed; look again")
}
