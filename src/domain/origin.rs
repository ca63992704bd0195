//! Where an attempt came from, for the log: which login service asked, and what that said of its client.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::domain::text::shown;

/// Characters that are kept of what a service says; a host's whole name is no longer than twice as much.
const LONGEST: usize = 128;

/// Where an attempt came from. All of it but `uid` is the word of whoever asks, who may have it from the remote user: it
/// is recorded, and nothing is decided by it but the rules of the service, and these only where it is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptOrigin {
    /// The kind of login service: `pam`, `openvpn` or `radius`.
    pub from: Option<&'static str>,
    /// The service by the name that it gives itself, such as `sshd`.
    pub service: Option<String>,
    /// The host or the line that the remote user comes from.
    pub remote: Option<String>,
    pub terminal: Option<String>,
    /// Who asked the verifier of this machine; `None` where this process was asked.
    pub uid: Option<u32>,
    /// Whether whoever asks may ask about anybody: what others say of where they come from counts for nothing.
    pub is_believed: bool,
}

impl AttemptOrigin {
    /// For what no login service asked.
    pub const NONE: &'static Self = &Self {
        from: None,
        service: None,
        remote: None,
        terminal: None,
        uid: None,
        is_believed: false,
    };

    /// What a login service of this kind hands over to this process.
    #[must_use]
    pub fn of(from: &'static str) -> Self {
        Self { from: Some(from), is_believed: true, ..Self::default() }
    }

    /// With what the service says. An empty text says nothing, a long one is cut, and what no terminal may get is
    /// escaped.
    #[must_use]
    pub fn said(self, service: &str, remote: &str, terminal: &str) -> Self {
        let [service, remote, terminal] = [service, remote, terminal].map(kept);
        Self { service, remote, terminal, ..self }
    }

    /// The name under which the configuration has rules for the service; `None` where whoever asks is not believed. A
    /// RADIUS client can't take the name of a PAM service. A name that was cut is none, because others begin as it does.
    #[must_use]
    pub fn service_name(&self) -> Option<Cow<'_, str>> {
        let from = self.from.filter(|_| self.is_believed)?;
        let is_whole = |name: &&str| name.chars().count() < LONGEST;
        match (from, self.service.as_deref()) {
            ("pam", service) => service.filter(is_whole).map(Cow::Borrowed),
            ("radius", Some(client)) => {
                Some(client).filter(is_whole).map(|client| format!("radius:{client}").into())
            }
            (from, _) => Some(from.into()),
        }
    }

    /// The address of the remote host, where the service names an address and no host name: a name says what its owner
    /// wants. IPv4 within IPv6 is IPv4.
    #[must_use]
    pub fn remote_address(&self) -> Option<IpAddr> {
        let remote = self.remote.as_deref()?;
        remote.parse::<IpAddr>().ok().map(|address| address.to_canonical())
    }

    /// The fields of an event's detail.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("from", self.from),
            ("service", self.service.as_deref()),
            ("remote", self.remote.as_deref()),
            ("terminal", self.terminal.as_deref()),
        ];
        fields.into_iter().filter_map(|(name, text)| Some((name, text?)))
    }
}

fn kept(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(LONGEST).collect();
    (!text.is_empty()).then(|| shown(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_kept_short_and_printable() {
        let long = "h".repeat(1000);
        let origin = AttemptOrigin::of("pam").said(" sshd ", "evil\u{1b}[2J\u{202e}", &long);
        assert_eq!(origin.service.as_deref(), Some("sshd"));
        assert_eq!(origin.remote.as_deref(), Some("evil\\u{1b}[2J\\u{202e}"));
        assert_eq!(origin.terminal.as_ref().map(String::len), Some(LONGEST));
        let fields: Vec<_> = origin.fields().map(|(name, _)| name).collect();
        assert_eq!(fields, ["from", "service", "remote", "terminal"]);
        assert_eq!(AttemptOrigin::of("pam").said("", " ", ""), AttemptOrigin::of("pam"));
        assert_eq!(AttemptOrigin::NONE.fields().count(), 0);
    }
}
