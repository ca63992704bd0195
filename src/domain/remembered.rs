//! Logins that need no code for a while: after an accepted code of a device, the same user from the same host at the
//! same service.

use std::net::IpAddr;

use crate::domain::time::{Span, Timestamp};

/// The most logins that are remembered of one user; a further one takes the place of the oldest.
pub const MOST_REMEMBERED: usize = 16;
/// The longest time for which a service may remember.
pub const LONGEST_REMEMBERED: Span = Span::hours(30 * 24);

/// One login that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedLogin {
    pub host: IpAddr,
    /// By the name of its rules.
    pub service: String,
    /// When the code was accepted.
    pub since: Timestamp,
    pub until: Timestamp,
}

impl RememberedLogin {
    /// Until when it lasts at a service that remembers for so long. One that remembers for less time than it did counts
    /// from the code by that.
    #[must_use]
    pub fn end(&self, span: Span) -> Timestamp {
        self.until.min(self.since.plus(span))
    }

    /// Whether it counts now. What a clock that was ahead wrote would last for the whole jump, and does not count.
    #[must_use]
    pub fn counts(&self, span: Span, now: Timestamp) -> bool {
        now < self.end(span) && !self.since.is_ahead_of(now)
    }
}

/// Where a login comes from, at a service that remembers, and for how long that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPlace {
    pub host: IpAddr,
    pub service: String,
    pub span: Span,
}

/// The logins of one user that are remembered, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RememberedLogins(Vec<RememberedLogin>);

impl RememberedLogins {
    #[must_use]
    pub const fn of(logins: Vec<RememberedLogin>) -> Self {
        Self(logins)
    }

    #[must_use]
    pub fn logins(&self) -> &[RememberedLogin] {
        &self.0
    }

    /// Those that are not over, whether or not they count now: what a clock that was ahead wrote counts again when it
    /// is ahead again, and what its service no longer remembers when that does so again.
    pub fn lasting(&self, now: Timestamp) -> impl Iterator<Item = &RememberedLogin> {
        self.0.iter().filter(move |login| now < login.until)
    }

    /// Whether a login from there needs no code now.
    #[must_use]
    pub fn has(&self, place: &LoginPlace, now: Timestamp) -> bool {
        self.lasting(now).any(|login| {
            let is_there = login.host == place.host && login.service == place.service;
            is_there && login.counts(place.span, now)
        })
    }

    /// Remembers a login from there, and forgets what is over.
    pub fn remember(&mut self, place: &LoginPlace, now: Timestamp) -> Timestamp {
        let until = now.plus(place.span);
        let is_other =
            |login: &RememberedLogin| (login.host, &login.service) != (place.host, &place.service);
        self.0.retain(|login| is_other(login) && now < login.until);
        let oldest = (self.0.len() + 1).saturating_sub(MOST_REMEMBERED);
        self.0.drain(..oldest);
        let (host, service) = (place.host, place.service.clone());
        self.0.push(RememberedLogin { host, service, since: now, until });
        until
    }

    /// Forgets what is over.
    pub fn expire(&mut self, now: Timestamp) {
        self.0.retain(|login| now < login.until);
    }

    /// Those that the earlier ones don't have.
    #[must_use]
    pub fn new_since(&self, earlier: &Self) -> Self {
        Self(self.0.iter().filter(|login| !earlier.0.contains(login)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;

    fn place(host: &str, service: &str) -> LoginPlace {
        let (host, service) = (host.parse().unwrap(), service.to_owned());
        LoginPlace { host, service, span: Span::hours(12) }
    }

    #[test]
    fn a_login_is_remembered_for_its_host_its_service_and_its_time() {
        let mut logins = RememberedLogins::default();
        let here = place("192.0.2.1", "sshd");
        assert_eq!(logins.remember(&here, at(1000)), at(1000 + 12 * 3600));
        for (place, now, expected) in [
            (&here, 1000, true),
            (&here, 1000 + 12 * 3600 - 1, true),
            (&here, 1000 + 12 * 3600, false),
            (&here, 990, true),
            (&here, 939, false),
            (&LoginPlace { span: Span::hours(1), ..here.clone() }, 1000 + 3599, true),
            (&LoginPlace { span: Span::hours(1), ..here.clone() }, 1000 + 3600, false),
            (&LoginPlace { span: Span::hours(48), ..here.clone() }, 1000 + 12 * 3600, false),
            (&place("192.0.2.2", "sshd"), 1000, false),
            (&place("192.0.2.1", "sudo"), 1000, false),
            (&place("192.0.2.1", "SSHD"), 1000, false),
            (&place("::ffff:192.0.2.1", "sshd"), 1000, false),
        ] {
            assert_eq!(logins.has(place, at(now)), expected, "{place:?} {now}");
        }
        logins.expire(at(1000 + 12 * 3600));
        assert!(logins.logins().is_empty());
    }

    #[test]
    fn what_a_clock_that_was_ahead_wrote_does_not_count() {
        let mut logins = RememberedLogins::default();
        let here = place("192.0.2.1", "sshd");
        logins.remember(&here, at(1_000_000));
        assert!(!logins.has(&here, at(1000)) && !logins.has(&here, at(999_939)));
        assert!(logins.has(&here, at(999_940)), "clocks that differ by a minute");
        logins.remember(&here, at(1000));
        assert!(logins.has(&here, at(1000)), "it takes the place of the other");
    }

    #[test]
    fn no_more_than_the_newest_are_kept() {
        let mut logins = RememberedLogins::default();
        for n in 0..40 {
            logins.remember(&place(&format!("192.0.2.{n}"), "sshd"), at(1000 + n));
            assert!(logins.logins().len() <= MOST_REMEMBERED);
        }
        assert!(logins.has(&place("192.0.2.24", "sshd"), at(2000)));
        assert!(!logins.has(&place("192.0.2.23", "sshd"), at(2000)));
        for n in 0..3 {
            logins.remember(&place("192.0.2.39", "sshd"), at(2000 + n));
        }
        assert_eq!(logins.logins().len(), MOST_REMEMBERED, "once for each host and service");
    }
}
