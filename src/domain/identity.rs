//! Who a user is, in a few lines that an operator reads before a change.

use crate::domain::device::Device;
use crate::domain::text::{counted, shown};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// Groups that are named; the others are counted.
const MOST_GROUPS: usize = 6;

/// The user in lines, the first of which begins with the name. `resets` is the number of resets in the last 7 days:
/// repeated ones can be an impostor at the helpdesk. Without roles nobody is kept from changing a protected user.
#[must_use]
pub fn identity(user: &User, resets: u64, has_roles: bool, now: Timestamp) -> Vec<String> {
    let mut lines = vec![who(user)];
    if !user.profile.groups.is_empty() {
        lines.push(groups(&user.profile.groups));
    }
    lines.push(devices(user));
    let lock = match user.locked(now) {
        Some(Some(until)) => Some(format!("locked until {until}")),
        Some(None) => Some("locked until unlocked".to_owned()),
        None => None,
    };
    let resets = match resets {
        0 => None,
        1 => Some("warning: was reset once in the last 7 days".to_owned()),
        n => Some(format!("warning: was reset {n} times in the last 7 days")),
    };
    let protection =
        if has_roles { "protected: only an admin may change them" } else { "protected" };
    let protected = user.protected.then(|| protection.to_owned());
    let flags: Vec<String> = [lock, protected, resets].into_iter().flatten().collect();
    if !flags.is_empty() {
        lines.push(flags.join("; "));
    }
    lines
}

/// Name, display name and e-mail address, on one line.
#[must_use]
pub fn who(user: &User) -> String {
    let mut words = shown(user.name.as_str()).into_owned();
    for more in [&user.profile.display_name, &user.profile.email].into_iter().flatten() {
        words.push_str(", ");
        words.push_str(&shown(more));
    }
    words
}

fn groups(groups: &[String]) -> String {
    let named: Vec<_> = groups.iter().take(MOST_GROUPS).map(|group| shown(group)).collect();
    let kind = if groups.len() == 1 { "group" } else { "groups" };
    let more = match groups.len().saturating_sub(MOST_GROUPS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{kind}: {}{more}", named.join(", "))
}

fn devices(user: &User) -> String {
    let devices: Vec<&Device> = user.live().collect();
    if devices.is_empty() {
        return match user.last_verified_at {
            Some(last) => format!("no device; last code {last}"),
            None => "no device".to_owned(),
        };
    }
    let words = devices.iter().map(|device| {
        let last = match device.last_used_at {
            Some(last) => format!("last used {last}"),
            None => "never used".to_owned(),
        };
        format!("{} ({}, {last})", shown(device.label.as_str()), device.state.word())
    });
    let words: Vec<_> = words.collect();
    format!("{}: {}", counted(devices.len(), "device"), words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::accepted::Accepted;
    use crate::domain::device::{Active, DeviceState};
    use crate::domain::factor::Factor;
    use crate::domain::factor::totp::Parameters;
    use crate::domain::lockout::{FailedFactor, Limits};
    use crate::domain::name::{Label, UserName};
    use crate::domain::secret::{Id, Sealed};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    fn alice() -> User {
        let mut user = User::new(Id::new([1; 16]), UserName::parse("alice").unwrap(), at(0));
        user.profile.display_name = Some("Alice Martin".into());
        user.profile.email = Some("alice@example.com".into());
        user
    }

    #[test]
    fn d7_the_lines_say_who_it_is_and_what_is_unusual() {
        let mut user = alice();
        assert_eq!(
            identity(&user, 0, true, at(100)),
            ["alice, Alice Martin, alice@example.com", "no device"]
        );
        user.profile.groups = (0..8).map(|n| format!("g{n}")).collect();
        user.protected = true;
        user.devices.push(Device {
            id: Id::new([2; 16]),
            label: Label::parse("phone").unwrap(),
            factor: Factor::Totp(Parameters::COMMON),
            serial: None,
            secret: Sealed(Vec::new()),
            state: DeviceState::Active(Active { confirmed_at: at(0) }),
            position: None,
            accepted: Accepted::default(),
            created_at: at(0),
            last_used_at: Some(at(60)),
        });
        for _ in 0..5 {
            user.throttle = user.throttle.failed(FailedFactor::Code, at(100), Limits::DEFAULT);
        }
        assert_eq!(
            identity(&user, 2, true, at(100)),
            [
                "alice, Alice Martin, alice@example.com",
                "groups: g0, g1, g2, g3, g4, g5 and 2 more",
                "1 device: phone (active, last used 1970-01-01T00:01:00Z)",
                "locked until 1970-01-01T00:02:10Z; protected: only an admin may change them; \
                 warning: was reset 2 times in the last 7 days",
            ]
        );
    }

    #[test]
    fn d7_hostile_text_is_escaped() {
        let mut user = alice();
        user.profile.display_name = Some("a\u{1b}[2J\u{202e}b\nroot".into());
        user.profile.groups = vec!["x\u{9b}y".into()];
        let lines = identity(&user, 0, true, at(100)).concat();
        assert!(!lines.chars().any(crate::domain::text::is_harmful), "{lines:?}");
    }
}
