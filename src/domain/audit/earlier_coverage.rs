//! Who was covered at an earlier time: an active device of a strong kind, by what the log keeps of devices and groups.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::domain::audit::history::ABSENT;
use crate::domain::device::Device;
use crate::domain::policy::strong::{KINDS, StrongKinds};
use crate::domain::secret::Id;
use crate::domain::user::{Status, User};

/// What decides whether a user is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Protection {
    /// Those that have strong kinds of their own.
    groups: Vec<String>,
    /// Of the active devices.
    kinds: Vec<&'static str>,
}

/// The protection of all users, led back event by event from the newest to the oldest. Earlier times are judged by the
/// present strong kinds, as the lists of earlier users are.
pub struct EarlierCoverage {
    strong: StrongKinds,
    users: HashMap<Id, Protection>,
}

/// Whether a user was there, had MFA enabled, and was covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedUser {
    pub exists: bool,
    pub is_enabled: bool,
    pub is_covered: bool,
}

/// What an event says about a user.
#[derive(Clone, Copy)]
pub struct CoverageChange<'e> {
    pub user: Option<Id>,
    pub is_removal: bool,
    pub was_status: &'e str,
    pub status: &'e str,
    /// The earlier values; see [`crate::domain::audit::history`].
    pub was: Option<&'e str>,
}

impl EarlierCoverage {
    #[must_use]
    pub fn new(strong: StrongKinds) -> Self {
        Self { strong, users: HashMap::new() }
    }

    /// Enters a user as they are now.
    pub fn enter(&mut self, user: &User) {
        let active = user.devices.iter().filter(|device| Device::is_active(device));
        let kinds = active.map(|device| device.factor.kind()).collect();
        let groups = self.judged_groups(user.profile.groups.iter().cloned());
        self.users.insert(user.id, Protection { groups, kinds });
    }

    /// The user before and after the next older event. Without earlier values, as of users who were erased, the status
    /// decides, because nothing says by which kinds it was.
    pub fn take_back(&mut self, change: CoverageChange<'_>) -> (CountedUser, CountedUser) {
        let by_status = |status: &str, exists| {
            let is_enabled = exists && status == Status::Enabled.word();
            CountedUser { exists, is_enabled, is_covered: is_enabled }
        };
        let mut after = by_status(change.status, !change.is_removal);
        let mut before = by_status(change.was_status, change.was_status != ABSENT);
        let was = change.was.and_then(|was| serde_json::from_str::<Map<String, Value>>(was).ok());
        let Some((user, was)) = change.user.zip(was) else { return (before, after) };
        let known = self.users.remove(&user);
        if let Some(known) = &known {
            after.is_covered &= self.is_covered(known);
        }
        if was.contains_key(ABSENT) {
            return (before, after);
        }
        let groups = was.get("groups").and_then(Value::as_array).map(|groups| {
            self.judged_groups(groups.iter().filter_map(Value::as_str).map(str::to_owned))
        });
        let kinds = was.get("devices").and_then(Value::as_array).map(|devices| active(devices));
        let earlier = match known {
            Some(known) => Some(Protection {
                groups: groups.unwrap_or(known.groups),
                kinds: kinds.unwrap_or(known.kinds),
            }),
            None => groups.zip(kinds).map(|(groups, kinds)| Protection { groups, kinds }),
        };
        if let Some(earlier) = earlier {
            before.is_covered &= self.is_covered(&earlier);
            self.users.insert(user, earlier);
        }
        (before, after)
    }

    fn is_covered(&self, protection: &Protection) -> bool {
        let strong = self.strong.of_groups(&protection.groups);
        protection.kinds.iter().any(|kind| strong.contains(kind))
    }

    fn judged_groups(&self, groups: impl Iterator<Item = String>) -> Vec<String> {
        groups.filter(|group| self.strong.names_group(group)).collect()
    }
}

/// The kinds of the active devices, as an event lists them.
fn active(devices: &[Value]) -> Vec<&'static str> {
    let active = devices.iter().filter(|device| device[3] == "active");
    active.filter_map(|device| KINDS.into_iter().find(|kind| device[2] == *kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Id = Id::new([1; Id::LENGTH]);

    fn coverage(kinds: &[&'static str], groups: &[&str]) -> EarlierCoverage {
        let by_group = vec![("admins".to_owned(), vec!["yubikey"])];
        let mut coverage = EarlierCoverage::new(StrongKinds { by_group, ..StrongKinds::default() });
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        coverage.users.insert(USER, Protection { groups, kinds: kinds.to_vec() });
        coverage
    }

    fn change<'e>(
        was_status: &'e str,
        status: &'e str,
        was: Option<&'e str>,
    ) -> CoverageChange<'e> {
        CoverageChange { user: Some(USER), is_removal: false, was_status, status, was }
    }

    fn covered((before, after): (CountedUser, CountedUser)) -> (bool, bool) {
        assert!(before.is_enabled >= before.is_covered && after.is_enabled >= after.is_covered);
        (before.is_covered, after.is_covered)
    }

    #[test]
    fn devices_and_groups_are_led_back_event_by_event() {
        let mut users = coverage(&["paper"], &[]);
        let phone = r#"{"devices":[["id","phone","totp","active",1,1],["id","k","yubikey","disabled",1,1]]}"#;
        assert_eq!(
            covered(users.take_back(change("enabled", "enabled", Some(phone)))),
            (true, false)
        );
        let admin = r#"{"groups":["staff","admins"]}"#;
        assert_eq!(
            covered(users.take_back(change("enabled", "enabled", Some(admin)))),
            (false, true)
        );
        let none = r#"{"devices":[]}"#;
        let enabled = users.take_back(change("not_enabled", "enabled", Some(none)));
        assert_eq!(covered(enabled), (false, false), "weak as an admin");
        assert!(enabled.1.is_enabled && !enabled.0.is_enabled);
        let added = users.take_back(change(ABSENT, "not_enabled", Some(r#"{"absent":true}"#)));
        assert_eq!((added.0.exists, added.1.exists), (false, true));
    }

    #[test]
    fn a_removed_user_was_covered_by_their_devices_and_an_erased_one_by_their_status() {
        for (kind, is_covered) in [("totp", true), ("external", false)] {
            let mut users = EarlierCoverage::new(StrongKinds::default());
            let was = format!(r#"{{"groups":[],"devices":[["id","d","{kind}","active",1,1]]}}"#);
            let removal =
                CoverageChange { is_removal: true, ..change("enabled", "enabled", Some(&was)) };
            let (before, after) = users.take_back(removal);
            assert_eq!((before.is_covered, after), (is_covered, CountedUser::default()));
        }
        let mut users = EarlierCoverage::new(StrongKinds::default());
        let removal = CoverageChange { is_removal: true, ..change("enabled", "enabled", None) };
        assert_eq!(covered(users.take_back(removal)), (true, false));
        assert_eq!(covered(users.take_back(change("pending", "enabled", None))), (false, true));
        let broken = users.take_back(change("enabled", "disabled", Some("{")));
        assert_eq!(covered(broken), (true, false), "a damaged event");
    }
}
