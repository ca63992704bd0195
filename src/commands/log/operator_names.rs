//! The names of operators, which people read beside the uid that the log records.

use std::collections::BTreeMap;

use crate::app::App;
use crate::domain::text::shell_word;
use crate::report::Format;

/// The names of uids on this machine today, each looked up once. Another machine, or another day, may have others.
pub struct OperatorNames {
    /// `None` where programs read: the log records no names.
    look_up: Option<fn(u32) -> Option<String>>,
    known: BTreeMap<u32, Option<String>>,
}

impl OperatorNames {
    pub fn of(app: &App<'_>) -> Self {
        let is_for_people = app.options.format() == Format::Table;
        Self { look_up: is_for_people.then_some(app.env.user_name), known: BTreeMap::new() }
    }

    pub fn name(&mut self, uid: u32) -> Option<String> {
        let look_up = self.look_up?;
        self.known.entry(uid).or_insert_with(|| look_up(uid)).clone()
    }
}

/// An operator in words: the recorded uid, its name, and what `sudo` claimed.
pub fn operator(uid: u32, name: Option<&str>, claim: Option<&str>) -> String {
    let name = name.map_or_else(String::new, |name| format!(" {}", shell_word(name)));
    let claim = claim.map_or_else(String::new, |claim| format!(" (sudo: {})", shell_word(claim)));
    format!("uid {uid}{name}{claim}")
}

#[cfg(test)]
mod tests {
    use super::operator;

    #[test]
    fn d18_the_recorded_uid_stands_first_and_hostile_names_are_quoted() {
        assert_eq!(operator(999, Some("mfactl"), Some("hana")), "uid 999 mfactl (sudo: hana)");
        assert_eq!(operator(999, None, Some("hana")), "uid 999 (sudo: hana)");
        assert_eq!(operator(7, Some("a b"), Some("x) y")), "uid 7 'a b' (sudo: 'x) y')");
        assert_eq!(operator(7, None, None), "uid 7");
    }
}
