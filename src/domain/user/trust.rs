//! Which changes of a user end what is remembered of their logins.

use crate::domain::password::PasswordChange;
use crate::domain::remembered::RememberedLogins;
use crate::domain::user::User;

/// What is remembered after a change: all of it, or after one that takes trust away only what the change itself added.
#[must_use]
pub fn remembered_after(before: &User, after: &User) -> RememberedLogins {
    if takes_trust_away(before, after) {
        after.remembered.new_since(&before.remembered)
    } else {
        after.remembered.clone()
    }
}

/// Whether a change says that whoever logged in before may be somebody else: a device in use that is so no longer,
/// another password, a new one that is due, a lock.
fn takes_trust_away(before: &User, after: &User) -> bool {
    let in_use = |user: &User, id| user.devices.iter().any(|d| d.id == id && d.is_active());
    let has_lost = before.devices.iter().any(|d| d.is_active() && !in_use(after, d.id));
    let is_locked = after.throttle.lock.is_some() && after.throttle.lock != before.throttle.lock;
    has_lost
        || is_locked
        || before.password != after.password
        || after.password_change != PasswordChange::NotRequired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
    use crate::domain::lockout::{FailedFactor, Limits};
    use crate::domain::name::Label;
    use crate::domain::remembered::LoginPlace;
    use crate::domain::secret::Sealed;
    use crate::domain::time::Span;

    /// What a change is, and the change.
    type Case<'c> = (&'c str, &'c dyn Fn(&mut User));

    fn place(host: &str) -> LoginPlace {
        let (host, service) = (host.parse().unwrap(), "sshd".to_owned());
        LoginPlace { host, service, span: Span::hours(12) }
    }

    #[test]
    fn whatever_takes_trust_away_voids_what_was_remembered_before() {
        let here = place("192.0.2.1");
        let mut before = with_phone(alice(), active_state());
        before.password = Some(Sealed(vec![1]));
        before.remembered.remember(&here, at(1000));
        let device = before.devices[0].clone();
        let of = |change: &dyn Fn(&mut User)| {
            let mut after = before.clone();
            change(&mut after);
            remembered_after(&before, &after).has(&here, at(1000))
        };
        let harmless: [Case<'_>; 6] = [
            ("nothing", &|_| {}),
            ("a code", &|user| user.devices[0].position = Some(99)),
            ("a name", &|user| user.profile.display_name = Some("Alice".into())),
            ("another device", &|user| *user = with_phone(user.clone(), pending_state(5000))),
            ("another label", &|user| user.devices[0].label = Label::default()),
            ("a failure", &|user| {
                user.throttle =
                    user.throttle.clone().failed(FailedFactor::Code, at(1000), Limits::DEFAULT);
            }),
        ];
        for (what, change) in harmless {
            assert!(of(change), "{what}");
        }
        let harmful: [Case<'_>; 8] = [
            ("disabled", &|user| user.devices[0] = device.clone().disabled()),
            ("revoked", &|user| user.devices[0] = device.clone().revoked(at(1000))),
            ("gone", &|user| user.devices.clear()),
            ("a new password", &|user| user.password = Some(Sealed(vec![2]))),
            ("no password", &|user| user.password = None),
            ("a new password is due", &|user| user.password_change = PasswordChange::Required),
            ("so too", &|user| user.password_change = PasswordChange::RequiredOldOpens),
            ("a lock", &|user| {
                for _ in 0..5 {
                    let throttle = user.throttle.clone();
                    user.throttle = throttle.failed(FailedFactor::Code, at(1000), Limits::DEFAULT);
                }
            }),
        ];
        for (what, change) in harmful {
            assert!(!of(change), "{what}");
            let mut after = before.clone();
            change(&mut after);
            let there = place("192.0.2.9");
            after.remembered.remember(&there, at(1001));
            let left = remembered_after(&before, &after);
            assert!(left.has(&there, at(1001)) && !left.has(&here, at(1001)), "{what}");
        }
    }
}
