//! The rules of a login service: who is let in there without a code, and why.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::origin::AttemptOrigin;
use crate::domain::password::PasswordChange;
use crate::domain::policy::is_in_any;
use crate::domain::remembered::LoginPlace;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// The rules for RADIUS clients that have none of their own.
const ANY_RADIUS: &str = "radius";

/// Addresses of the remote hosts that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or one address. What is not exactly one network is refused: a rule must not
    /// be wider than it looks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Self::of(address.into());
        }
        let network: IpNet =
            text.parse().map_err(|_| "is no network such as 10.0.0.0/8 or 2001:db8::/32")?;
        Self::of(network)
    }

    fn of(network: IpNet) -> Result<Self, &'static str> {
        if network != network.trunc() {
            return Err("has bits set behind its prefix; write the first address of the network");
        }
        if network.prefix_len() == 0 {
            return Err("is every address, so that nobody would be asked for a code");
        }
        match network {
            IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => {
                Err("is IPv4 within IPv6; write it as IPv4")
            }
            network => Ok(Self(network)),
        }
    }

    /// Whether the network has this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// What to answer for users who have no MFA and need none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotEnabledPolicy {
    /// They are let in, also where an operator switched their MFA off.
    Accept,
    /// They are let in unless their MFA was switched off.
    AcceptUnlessDisabled,
    #[default]
    Refuse,
}

impl NotEnabledPolicy {
    /// Whether a user with this status, of whom MFA is not required, is let in without a code.
    #[must_use]
    pub const fn lets_in(self, status: Status) -> bool {
        match self {
            Self::Accept => !matches!(status, Status::Enabled),
            Self::AcceptUnlessDisabled => matches!(status, Status::Pending | Status::NotEnabled),
            Self::Refuse => false,
        }
    }
}

/// The rules of one login service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceRules {
    /// From these no code is needed.
    pub exempt_networks: Vec<Network>,
    /// Members of these groups need none.
    pub exempt_groups: Vec<String>,
    /// What to answer for users without MFA, in place of what the service says itself.
    pub not_enabled: Option<NotEnabledPolicy>,
    /// For how long an accepted code of a device counts for its host.
    pub remember: Option<Span>,
}

/// The reason why somebody is let in without a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exemption {
    Network,
    Group,
    /// A code was accepted from the same host at the same service, not long ago.
    Remembered,
    /// The user has no MFA, and needs none.
    NotEnabled,
}

impl Exemption {
    /// The word for the audit log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Network => "exempt_network",
            Self::Group => "exempt_group",
            Self::Remembered => "remembered",
            Self::NotEnabled => "not_enabled",
        }
    }
}

impl ServiceRules {
    /// Why a user who comes from there needs no code. A user who is locked, whose MFA was switched off, or who has to
    /// choose a new password is let in by none of these rules. Whether the user has MFA, or must have it, makes no
    /// difference to networks and groups: the rule says that nobody asks.
    #[must_use]
    pub fn exemption(
        &self,
        user: &User,
        origin: &AttemptOrigin,
        now: Timestamp,
    ) -> Option<Exemption> {
        let is_barred = user.password_change != PasswordChange::NotRequired
            || user.locked(now).is_some()
            || user.status() == Status::Disabled;
        if is_barred {
            return None;
        }
        let remote = origin.remote_address();
        if remote.is_some_and(|host| self.exempt_networks.iter().any(|net| net.contains(host))) {
            return Some(Exemption::Network);
        }
        if is_in_any(user, &self.exempt_groups) {
            return Some(Exemption::Group);
        }
        let place = self.place(origin).filter(|_| user.status() == Status::Enabled)?;
        user.remembered.has(&place, now).then_some(Exemption::Remembered)
    }

    /// What the service remembers an accepted code by; `None` where it remembers nothing, or no host has an address.
    #[must_use]
    pub fn place(&self, origin: &AttemptOrigin) -> Option<LoginPlace> {
        let (span, host) = (self.remember?, origin.remote_address()?);
        Some(LoginPlace { host, service: origin.service_name()?.into_owned(), span })
    }
}

/// The rules of all login services, by their names.
#[derive(Clone, Debug, Default)]
pub struct Services(pub BTreeMap<String, ServiceRules>);

impl Services {
    /// What an accepted code is remembered by.
    #[must_use]
    pub fn place(&self, origin: &AttemptOrigin) -> Option<LoginPlace> {
        self.rules(origin)?.place(origin)
    }

    /// For how long the service with this name remembers; `None` where it does not.
    #[must_use]
    pub fn remembers(&self, service: &str) -> Option<Span> {
        let is_radius = service.strip_prefix(ANY_RADIUS).is_some_and(|rest| rest.starts_with(':'));
        let of_any = || is_radius.then(|| self.0.get(ANY_RADIUS)).flatten();
        self.0.get(service).or_else(of_any)?.remember
    }

    /// The rules for an attempt; `None` where there are none, and where whoever asks is not believed.
    #[must_use]
    pub fn rules(&self, origin: &AttemptOrigin) -> Option<&ServiceRules> {
        let name = origin.service_name()?;
        let of_client = self.0.get(&*name);
        of_client.or_else(|| {
            let is_radius = origin.from == Some("radius");
            is_radius.then(|| self.0.get(ANY_RADIUS)).flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::Device;
    use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
    use crate::domain::lockout::{FailedFactor, Limits, Throttle};

    fn from(remote: &str) -> AttemptOrigin {
        AttemptOrigin::of("pam").said("sshd", remote, "")
    }

    fn networks(texts: &[&str]) -> ServiceRules {
        let exempt_networks = texts.iter().map(|text| Network::parse(text).unwrap()).collect();
        ServiceRules { exempt_networks, ..ServiceRules::default() }
    }

    #[test]
    fn only_an_address_of_the_network_is_in_it() {
        let rules =
            networks(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "0.0.0.0/32", "fe80::/10"]);
        for (remote, is_in) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            (" 10.1.2.3 ", true),
            ("::ffff:10.1.2.3", true),
            ("::ffff:0a01:0203", true),
            ("192.0.2.7", true),
            ("2001:db8:ffff::1", true),
            ("2001:DB8::1", true),
            ("0.0.0.0", true),
            ("fe80::1", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("::ffff:11.0.0.0", false),
            ("::10.1.2.3", false),
            ("192.0.2.8", false),
            ("2001:db9::", false),
            ("", false),
            ("localhost", false),
            ("10.1.2.3.example.org", false),
            ("10.1.2", false),
            ("010.1.2.3", false),
            ("10.1.2.3:22", false),
            ("10.1.2.3/8", false),
            ("10.1.2.3,10.1.2.4", false),
            ("10.1.2.3\u{1b}", false),
            ("[2001:db8::1]", false),
            ("fe80::1%eth0", false),
            ("00-11-22-33-44-55", false),
            ("167838211", false),
        ] {
            let found = rules.exemption(&alice(), &from(remote), at(1000));
            assert_eq!(found, is_in.then_some(Exemption::Network), "{remote:?}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_network_is_refused() {
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/8 ",
            "10.0.0/8",
            "10.1.0.0/8",
            "2001:db8::1/32",
            "0.0.0.0/0",
            "::/0",
            "::ffff:10.0.0.0/104",
            "::ffff:10.0.0.1",
            "localhost",
            "example.org/8",
            "10.0.0.0/255.0.0.0",
        ] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Network::parse("10.1.0.0/8").unwrap_err().starts_with("has bits set"));
    }

    #[test]
    fn nobody_is_let_in_who_is_locked_or_switched_off_or_has_to_choose_a_password() {
        let all = ServiceRules {
            exempt_groups: vec!["robots".into()],
            not_enabled: Some(NotEnabledPolicy::AcceptUnlessDisabled),
            ..networks(&["10.0.0.0/8"])
        };
        let in_group = |mut user: User| {
            user.profile.groups = vec!["robots".into()];
            user
        };
        let users = [
            alice(),
            with_phone(alice(), active_state()),
            with_phone(alice(), pending_state(5000)),
            with_phone(alice(), pending_state(10)),
        ];
        for user in users {
            let exempt = |user: &User, remote| all.exemption(user, &from(remote), at(1000));
            assert_eq!(exempt(&user, "10.0.0.1"), Some(Exemption::Network));
            assert_eq!(exempt(&in_group(user.clone()), "192.0.2.1"), Some(Exemption::Group));
            assert_eq!(exempt(&in_group(user.clone()), ""), Some(Exemption::Group));
            assert_eq!(exempt(&user, "192.0.2.1"), None);
            let failed = |t: Throttle, _| t.failed(FailedFactor::Code, at(1000), Limits::DEFAULT);
            let locked = User {
                throttle: (0..5).fold(Throttle::default(), failed),
                ..in_group(user.clone())
            };
            assert_eq!(exempt(&locked, "10.0.0.1"), None);
            for change in [PasswordChange::Required, PasswordChange::RequiredOldOpens] {
                let must = User { password_change: change, ..in_group(user.clone()) };
                assert_eq!(exempt(&must, "10.0.0.1"), None);
            }
        }
        let mut off = in_group(with_phone(alice(), active_state()));
        off.devices = off.devices.into_iter().map(Device::disabled).collect();
        assert_eq!(all.exemption(&off, &from("10.0.0.1"), at(1000)), None);
    }

    #[test]
    fn a_remembered_login_counts_for_an_enabled_user_with_an_address() {
        let rules = ServiceRules { remember: Some(Span::hours(12)), ..ServiceRules::default() };
        let place = rules.place(&from("192.0.2.1")).unwrap();
        let with = |mut user: User| {
            user.remembered.remember(&place, at(1000));
            user
        };
        let active = with(with_phone(alice(), active_state()));
        let found = |user: &User, origin: &AttemptOrigin| {
            rules.exemption(user, origin, at(1000)).map(Exemption::word)
        };
        assert_eq!(found(&active, &from("192.0.2.1")), Some("remembered"));
        assert_eq!(found(&active, &from("::ffff:192.0.2.1")), Some("remembered"));
        for remote in ["192.0.2.2", "", "host", "192.0.2.1.example.org"] {
            assert_eq!(found(&active, &from(remote)), None, "{remote}");
            assert!(remote.starts_with("192.0.2.2") || rules.place(&from(remote)).is_none());
        }
        let other = AttemptOrigin::of("pam").said("sudo", "192.0.2.1", "");
        assert_eq!(found(&active, &other), None);
        let unbelieved = AttemptOrigin { is_believed: false, ..from("192.0.2.1") };
        assert_eq!(found(&active, &unbelieved), None);
        assert!(rules.place(&unbelieved).is_none());
        for user in [with(alice()), with(with_phone(alice(), pending_state(5000)))] {
            assert_eq!(found(&user, &from("192.0.2.1")), None, "no device in use");
        }
        let none = ServiceRules::default();
        assert_eq!(none.exemption(&active, &from("192.0.2.1"), at(1000)), None, "not any more");
    }

    #[test]
    fn a_service_is_known_by_what_hands_over_the_attempt() {
        let rules = |group: &str| ServiceRules {
            exempt_groups: vec![group.into()],
            ..ServiceRules::default()
        };
        let names = ["sshd", "openvpn", "radius", "radius:office"];
        let services = Services(names.map(|name| (name.to_owned(), rules(name))).into());
        let found = |from: &'static str, service: &str| {
            let origin = AttemptOrigin::of(from).said(service, "10.0.0.1", "");
            services.rules(&origin).map(|rules| rules.exempt_groups[0].clone())
        };
        let long = "s".repeat(200);
        for (from, service, expected) in [
            ("pam", "sshd", Some("sshd")),
            ("pam", "SSHD", None),
            ("pam", "sudo", None),
            ("pam", "", None),
            ("pam", &long, None),
            ("openvpn", "", Some("openvpn")),
            ("radius", "", Some("radius")),
            ("radius", "office", Some("radius:office")),
            ("radius", "sshd", Some("radius")),
            ("radius", "openvpn", Some("radius")),
            ("radius", &long, None),
        ] {
            assert_eq!(found(from, service).as_deref(), expected, "{from} {service}");
        }
        let sshd = || AttemptOrigin::of("pam").said("sshd", "10.0.0.1", "");
        assert!(services.rules(&AttemptOrigin { is_believed: false, ..sshd() }).is_none());
        assert!(services.rules(&AttemptOrigin { from: None, ..sshd() }).is_none());
        assert!(services.rules(AttemptOrigin::NONE).is_none());
    }
}
