//! Where an attempt came from, for the log: which login service asked, and what that said of its client.

use crate::domain::text::shown;

/// Characters that are kept of what a service says; a host's whole name is no longer than twice as much.
const LONGEST: usize = 128;

/// Where an attempt came from. All of it but `from` and `uid` is the word of the service, which may have it from the
/// remote user: it is recorded, and nothing is decided by it.
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
}

impl AttemptOrigin {
    /// For what no login service asked.
    pub const NONE: &'static Self =
        &Self { from: None, service: None, remote: None, terminal: None, uid: None };

    #[must_use]
    pub fn of(from: &'static str) -> Self {
        Self { from: Some(from), ..Self::default() }
    }

    /// With what the service says. An empty text says nothing, a long one is cut, and what no terminal may get is
    /// escaped.
    #[must_use]
    pub fn said(self, service: &str, remote: &str, terminal: &str) -> Self {
        let [service, remote, terminal] = [service, remote, terminal].map(kept);
        Self { service, remote, terminal, ..self }
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
