//! The key URI that a QR code carries: `otpauth://totp/ISSUER:ACCOUNT?secret=…`.
//!
//! Written so that every known app reads it: the issuer in both places, `%20` and never `+`,
//! a literal colon between issuer and account, and every setting, even at its default.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::domain::factor::totp::Parameters;
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

/// The key URI. It contains the secret, so it is wiped when dropped.
#[must_use]
pub fn uri(issuer: &str, account: &str, secret: &Secret, p: Parameters) -> Zeroizing<String> {
    let issuer = utf8_percent_encode(issuer, RESERVED);
    let account = utf8_percent_encode(account, RESERVED);
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm={}&digits={}&period={}",
        secret.base32().as_str(),
        p.algorithm.as_str(),
        p.digits,
        p.period,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_has_the_form_that_all_apps_read() {
        let secret = Secret::new(Zeroizing::new(b"mfactl-sample-alice!".to_vec()));
        assert_eq!(
            uri("Exemple & Co", "éloïse.dupré@exemple.fr", &secret, Parameters::COMMON).as_str(),
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
