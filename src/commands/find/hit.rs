//! A user who was found: as `list-status` has them, and for people with the e-mail address, which a caller can spell.

use serde::Serialize;

use crate::commands::list_status::UserLine;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::report::{Cell, Fields, Record};

#[derive(Serialize)]
#[serde(transparent)]
pub struct Hit(UserLine);

/// The place of the address, behind user and name.
const EMAIL: usize = 2;

impl Hit {
    pub fn of(user: &User, policy: &Policy, now: Timestamp) -> Self {
        Self(UserLine::of(user, policy, now))
    }
}

impl Record for Hit {
    const COLUMNS: &'static [&'static str] = UserLine::COLUMNS;

    const LESS_NEEDED: &'static [&'static str] =
        &["LAST CODE", "DEVICES", "FLAGS", "STATUS", "NAME", "E-MAIL"];

    fn fields(&self, f: &mut Fields) {
        self.0.fields(f);
    }

    fn sentence(&self) -> String {
        let UserLine { user, display_name, email, .. } = &self.0;
        let known = [Some(user), display_name.as_ref(), email.as_ref()].into_iter().flatten();
        let known: Vec<_> = known.map(String::as_str).collect();
        let status = self.0.sentence();
        let status = status.strip_prefix(user.as_str()).unwrap_or(&status);
        format!("{}{status}", known.join(", "))
    }

    fn header() -> &'static [&'static str] {
        &["USER", "NAME", "E-MAIL", "STATUS", "FLAGS", "DEVICES", "LAST CODE"]
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = self.0.cells();
        cells.insert(EMAIL, Cell::plain(self.0.email.as_deref().unwrap_or_default()));
        cells
    }
}
