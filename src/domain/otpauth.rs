//! The key URI that a QR code carries: `otpauth://totp/ISSUER:ACCOUNT?secret=…`, or `otpauth://hotp/…` with a counter.
//!
//! Written so that every known app reads it: the issuer in both places, `%20` and never `+`,
//! a literal colon between issuer and account, and every setting, even at its default.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::domain::apps;
use crate::domain::apps::Setting;
use crate::domain::device::Device;
use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::factor::{Factor, hotp};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::text::prose_line;

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In characters.
const LONGEST_ISSUER: usize = 40;

/// Validates the issuer, the organisation's name that an app shows above the code. A colon is refused,
/// because apps truncate the name there.
pub fn issuer(text: &str) -> Result<String, Refusal> {
    // It comes from a file.
    let issuer = prose_line("issuer", text, LONGEST_ISSUER).map_err(Refusal::unquoted)?;
    if issuer.contains(':') {
        return Err(Refusal::bad_input("issuer", "may not contain a colon"));
    }
    Ok(issuer)
}

/// The issuer of a machine whose configuration names none.
pub const NAMELESS: &str = "mfactl";

/// The issuer where the configuration names none: the first part of the machine's name. Several apps overwrite an entry
/// of the same issuer and account, so two machines must not have the same one.
#[must_use]
pub fn issuer_of_host(host_name: &str) -> String {
    let short = host_name.split('.').next().unwrap_or_default();
    let short: String = short.chars().take(LONGEST_ISSUER).collect();
    // A machine that was given no name is called localhost.
    let own = issuer(&short).ok().filter(|issuer| issuer != "localhost");
    own.unwrap_or_else(|| NAMELESS.to_owned())
}

/// What an app computes its codes by, beside the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppSettings {
    Totp(Parameters),
    /// With the counter of the next code.
    Hotp(hotp::CodeForm, u64),
}

impl AppSettings {
    /// Of a device whose secret an app takes from a QR code; `None` for a hardware token, which came with its secret,
    /// and for a kind that is no app.
    #[must_use]
    pub const fn of(device: &Device) -> Option<Self> {
        match device.factor {
            _ if device.serial.is_some() => None,
            Factor::Totp(parameters) => Some(Self::Totp(parameters)),
            Factor::Hotp(parameters) => {
                Some(Self::Hotp(parameters, hotp::next_counter(device.position)))
            }
            Factor::TotpToken(..) | Factor::Yubikey | Factor::Paper(_) | Factor::External(_) => {
                None
            }
        }
    }

    /// The factor of a new device with these settings.
    #[must_use]
    pub const fn factor(self) -> Factor {
        match self {
            Self::Totp(p) => Factor::Totp(p),
            Self::Hotp(p, _) => Factor::Hotp(p),
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Hotp(..) => "hotp",
        }
    }

    /// The hash function.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Totp(p) => p.algorithm,
            Self::Hotp(p, _) => p.algorithm,
        }
    }

    /// The digits of a code.
    #[must_use]
    pub const fn digits(self) -> u8 {
        match self {
            Self::Totp(p) => p.digits,
            Self::Hotp(p, _) => p.digits,
        }
    }

    /// Whether every app supports them.
    #[must_use]
    pub fn are_common(self) -> bool {
        match self {
            Self::Totp(p) => p.is_common(),
            Self::Hotp(p, _) => p.is_common(),
        }
    }

    /// What is uncommon about them, so that an app may not do it.
    #[must_use]
    pub fn uncommon(self) -> Vec<Setting> {
        match self {
            Self::Totp(p) => Setting::of_steps(p),
            Self::Hotp(p, _) => Setting::of_counted(p),
        }
    }

    /// Such as "Duo Mobile may fail with SHA256, 6 digits, 30 s"; `None` where no app is known to fail.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        let settings = match self {
            Self::Totp(p) => p.to_string(),
            Self::Hotp(p, _) => format!("{p}, counted codes"),
        };
        let apps = apps::that_may_fail(&self.uncommon());
        (!apps.is_empty()).then(|| format!("{} may fail with {settings}", apps.join(", ")))
    }

    /// The name and value of what moves: the period, or the counter.
    const fn moving(self) -> (&'static str, u64) {
        match self {
            Self::Totp(p) => ("period", p.period),
            Self::Hotp(_, counter) => ("counter", counter),
        }
    }
}

/// The key URI. It contains the secret, so it is wiped when dropped.
#[must_use]
pub fn uri(
    issuer: &str,
    account: &str,
    secret: &Secret,
    settings: AppSettings,
) -> Zeroizing<String> {
    let issuer = utf8_percent_encode(issuer, RESERVED);
    let account = utf8_percent_encode(account, RESERVED);
    let (moving, value) = settings.moving();
    Zeroizing::new(format!(
        "otpauth://{}/{issuer}:{account}?secret={}&issuer={issuer}&algorithm={}&digits={}&{moving}={value}",
        settings.kind(),
        secret.base32().as_str(),
        settings.algorithm().as_str(),
        settings.digits(),
    ))
}

/// Shorter forms of the URI, for a code that must fit a small terminal, each a little shorter: without the settings
/// that every app assumes, then with less of the account, at last with the issuer in one place. The name that a phone
/// shows is cut; its codes are the same. A counter stays, because the format demands it.
#[must_use]
pub fn shorter_uris(
    issuer: &str,
    account: &str,
    secret: &Secret,
    settings: AppSettings,
) -> Vec<Zeroizing<String>> {
    let mut uris: Vec<Zeroizing<String>> = Vec::new();
    for (most_issuer, is_twice) in [(usize::MAX, true), (16, false), (8, false)] {
        for most_account in [usize::MAX, 24, 16, 12] {
            let issuer = cut(issuer, most_issuer);
            let account = cut(account, most_account);
            let mut uri = Zeroizing::new(format!(
                "otpauth://{}/{issuer}:{account}?secret={}",
                settings.kind(),
                secret.base32().as_str()
            ));
            if is_twice {
                uri.push_str("&issuer=");
                uri.push_str(&issuer);
            }
            let common = Parameters::COMMON;
            if settings.algorithm() != common.algorithm {
                uri.push_str("&algorithm=");
                uri.push_str(settings.algorithm().as_str());
            }
            if settings.digits() != common.digits {
                let _ = write!(uri, "&digits={}", settings.digits());
            }
            let (moving, value) = settings.moving();
            if (moving, value) != ("period", common.period) {
                let _ = write!(uri, "&{moving}={value}");
            }
            if uris.last().is_none_or(|last| uri.len() < last.len()) {
                uris.push(uri);
            }
        }
    }
    uris
}

/// The first characters, as a URI has them.
fn cut(text: &str, characters: usize) -> String {
    let kept: String = text.chars().take(characters).collect();
    utf8_percent_encode(&kept, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: AppSettings = AppSettings::Totp(Parameters::COMMON);

    fn secret() -> Secret {
        Secret::new(Zeroizing::new(b"mfactl-sample-alice!".to_vec()))
    }

    #[test]
    fn a_counter_stands_in_every_form_of_the_uri() {
        let settings = AppSettings::Hotp(hotp::CodeForm::COMMON, 7);
        let whole = uri("mfactl", "alice", &secret(), settings);
        assert_eq!(
            whole.as_str(),
            "otpauth://hotp/mfactl:alice?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB&issuer=mfactl\
             &algorithm=SHA1&digits=6&counter=7"
        );
        let shorter = shorter_uris("mfactl", "alice", &secret(), settings);
        assert_eq!(shorter.len(), 2);
        for uri in shorter {
            assert!(uri.starts_with("otpauth://hotp/") && uri.ends_with("&counter=7"));
            assert!(!uri.contains("period") && !uri.contains("digits"));
        }
    }

    #[test]
    fn d2_shorter_uris_keep_the_secret_and_every_uncommon_setting() {
        let secret = secret();
        let rare = Parameters { digits: 8, ..Parameters::COMMON };
        for (parameters, settings) in [(Parameters::COMMON, ""), (rare, "&digits=8")] {
            let uris = shorter_uris("mfactl", "alice", &secret, AppSettings::Totp(parameters));
            let uris: Vec<&str> = uris.iter().map(|uri| uri.as_str()).collect();
            let start = "otpauth://totp/mfactl:alice?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB";
            assert_eq!(
                uris,
                [format!("{start}&issuer=mfactl{settings}"), format!("{start}{settings}"),]
            );
        }
        let long = "a".repeat(255);
        let uris = shorter_uris(&"i".repeat(40), &long, &secret, COMMON);
        assert!(uris.iter().is_sorted_by(|longer, shorter| longer.len() > shorter.len()));
        assert!(uris.last().unwrap().starts_with("otpauth://totp/iiiiiiii:aaaaaaaaaaaa?secret="));
    }

    #[test]
    fn the_uri_has_the_form_that_all_apps_read() {
        assert_eq!(
            uri("Exemple & Co", "éloïse.dupré@exemple.fr", &secret(), COMMON).as_str(),
            "otpauth://totp/Exemple%20%26%20Co:%C3%A9lo%C3%AFse.dupr%C3%A9%40exemple.fr\
             ?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB&issuer=Exemple%20%26%20Co\
             &algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn w15_the_issuer_of_a_host_is_its_short_name() {
        for (host_name, expected) in [
            ("web1", "web1"),
            ("web1.example.com", "web1"),
            ("localhost", "mfactl"),
            ("localhost.localdomain", "mfactl"),
            ("", "mfactl"),
            (".example.com", "mfactl"),
            ("a:b", "mfactl"),
            ("a\u{1b}[2J", "mfactl"),
            (
                "ip-10-0-0-1-0123456789-0123456789-0123456789-eu",
                "ip-10-0-0-1-0123456789-0123456789-012345",
            ),
        ] {
            assert_eq!(issuer_of_host(host_name), expected, "{host_name:?}");
        }
    }

    #[test]
    fn an_issuer_with_a_colon_is_refused() {
        assert!(issuer("a:b").is_err());
        assert!(issuer(" ").is_err());
        assert!(issuer("Société Générale").is_ok());
    }
}
