//! FreeRADIUS 3.2 through `rlm_exec`: attributes in the environment, pairs on standard output.

use std::ffi::OsString;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::authenticate::services::{
    EnvLookup, HandedName, ServiceInput, Typed, bytes, missing, text,
};
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::Refusal;
use crate::domain::site_names::SiteNames;
use crate::texts::{Text, Texts};

/// Bytes of a `State` (RFC 2865, section 5.24).
pub const STATE_BYTES: usize = 16;

/// The reply for every rejection: one pair.
#[must_use]
pub fn rejection(texts: Texts) -> String {
    format!("Reply-Message := \"{}\"\n", texts.text(Text::ServiceRefused))
}

/// Parses a call of `rlm_exec`. A missing user or password is `usage`; CHAP, MS-CHAP and EAP have no
/// password to hand over.
///
/// Where the server took a realm off the name, the stripped name counts only if the configuration has that realm:
/// `alice` of another realm is another person. The user may be stored by either name; the whole one is looked for first.
pub fn read(variables: EnvLookup<'_>) -> Result<ServiceInput, Refusal> {
    let name = attribute(variables, "USER_NAME", "User-Name")?;
    let (quoted, raw) = ("STRIPPED_USER_NAME", "Stripped-User-Name");
    let is_stripped = variables(quoted).or_else(|| variables(raw)).is_some();
    let stripped = if is_stripped { Some(attribute(variables, quoted, raw)?) } else { None };
    let password = attribute(variables, "USER_PASSWORD", "User-Password")?;
    let name = match (name, stripped) {
        (Some(name), None) => HandedName::of(&name),
        (Some(name), Some(Some(stripped))) => {
            // Nobody is meant by a whole name without the other.
            let stripped = text(&stripped);
            HandedName { whole: text(&name).filter(|_| stripped.is_some()), stripped }
        }
        (None, _) | (_, Some(None)) => HandedName::default(),
    };
    let says = |quoted, raw| {
        let said = attribute(variables, quoted, raw).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    };
    let origin = AttemptOrigin::of("radius").said(
        &says("NAS_IDENTIFIER", "NAS-Identifier"),
        &says("CALLING_STATION_ID", "Calling-Station-Id"),
        &says("NAS_PORT_ID", "NAS-Port-Id"),
    );
    // FreeRADIUS does not write broken quotes; a single backslash is refused as a code.
    let typed = Typed::OneField(password.unwrap_or_else(|| Zeroizing::new(b"\\".to_vec())));
    Ok(ServiceInput { name, typed, origin })
}

/// The user whose name the server stripped. A stripped name that is no part of the whole one was written by another
/// module: nobody is meant.
#[must_use]
pub fn stripped_user(name: &str, stripped: &str, site: &SiteNames) -> Option<UserName> {
    let (whole, short) = (site.read(name).ok(), site.read(stripped).ok()?);
    if whole.as_ref() == Some(&short) {
        return whole;
    }
    let taken_off = name.strip_prefix(stripped).or_else(|| name.strip_suffix(stripped))?;
    if !site.may_take_off(taken_off) {
        return whole;
    }
    Some(match whole {
        Some(whole) => short.or_whole(&whole),
        None => short,
    })
}

/// The pairs of an Access-Challenge. The client returns the state, but nothing depends on it: each
/// decision reads the store.
#[must_use]
pub fn challenge(texts: Texts, state: [u8; STATE_BYTES]) -> String {
    let (state, question) = (HEXLOWER.encode(&state), texts.text(Text::ServiceCode));
    format!("State := 0x{state}, Reply-Message := \"{question}\"\n")
}

/// An attribute: in capitals and quoted if `shell_escape` is on, with its dictionary name and raw if it
/// is off. `None` for broken quotes.
fn attribute(
    variables: EnvLookup<'_>,
    quoted: &str,
    raw: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
    let found: (Option<OsString>, Option<OsString>) = (variables(quoted), variables(raw));
    match found {
        (Some(value), None) => Ok(unquoted(&bytes(value))),
        (None, Some(value)) => Ok(Some(bytes(value))),
        _ => Err(missing(&format!("either {quoted} or {raw}"))),
    }
}

/// Removes double quotes and undoes the escapes once.
fn unquoted(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        plain.push(match byte {
            b'"' => return None,
            b'\\' => escaped(&mut rest)?,
            other => other,
        });
    }
    Some(plain)
}

/// Reads an escape after its backslash.
fn escaped(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    match rest.next()? {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        same @ (b'\\' | b'"' | b'\'' | b'$' | b'`') => Some(same),
        b'x' => number([rest.next()?, rest.next()?], 16),
        first @ b'0'..=b'3' => number([first, rest.next()?, rest.next()?], 8),
        _ => None,
    }
}

fn number<const N: usize>(digits: [u8; N], radix: u32) -> Option<u8> {
    let value = digits
        .into_iter()
        .try_fold(0, |value, digit| Some(value * radix + char::from(digit).to_digit(radix)?))?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::radius::*;
    use crate::domain::user::Language;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt as _;

    fn user_of(asked: &ServiceInput) -> Option<UserName> {
        asked.name.user(&SiteNames::new(&["CORP".into()], &["corp.example".into()]))
    }

    fn asked(variables: &[(&str, &str)]) -> Result<ServiceInput, Refusal> {
        let find = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.into())
        };
        read(&find)
    }

    #[test]
    fn quoted_and_raw_attributes_are_read() {
        for variables in [
            [("USER_NAME", "\"alice\""), ("USER_PASSWORD", "\"123456\"")],
            [("User-Name", "alice"), ("User-Password", "123456")],
        ] {
            let asked = asked(&variables).unwrap();
            assert_eq!(user_of(&asked).unwrap().as_str(), "alice");
            assert_eq!(asked.typed.code(), b"123456");
        }
    }

    #[test]
    fn w5_a_stripped_name_counts_where_its_realm_is_configured() {
        let user = |name: &str, stripped: &str| {
            let variables =
                [("User-Name", name), ("Stripped-User-Name", stripped), ("User-Password", "1")];
            let user = user_of(&asked(&variables).unwrap());
            user.map(|user| user.spellings().map(str::to_owned).collect::<Vec<_>>().join(" "))
        };
        for (name, stripped, found) in [
            ("alice@corp.example", "alice", Some("alice@corp.example alice")),
            ("ALICE@Corp.example", "alice", Some("alice@corp.example alice")),
            ("CORP\\alice", "alice", Some("alice")),
            ("corp.example/alice", "alice", Some("alice")),
            ("alice%corp", "alice", Some("alice")),
            ("alice", "alice", Some("alice")),
            ("Alice", "alice", Some("alice")),
            ("alice@other.example", "alice@other.example", Some("alice@other.example")),
            // The realm is another one: only the whole name can be meant.
            ("alice@other.example", "alice", Some("alice@other.example")),
            (
                "alice@corp.example@other.example",
                "alice@corp.example",
                Some("alice@corp.example@other.example"),
            ),
            ("OTHER\\alice", "alice", None),
            ("other.example/alice", "alice", None),
            ("malice", "alice", Some("malice")),
            ("bob@corp.example", "alice", None),
            ("alice@corp.example", "", None),
        ] {
            let expected = found.map(str::to_owned);
            assert_eq!(user(name, stripped), expected, "{name} {stripped}");
        }
    }

    #[test]
    fn quotes_are_undone_once() {
        for (quoted, plain) in [
            (r#""p w\\x\"$""#, r#"p w\x"$"#),
            (r#""\\\\n""#, r"\\n"),
            (r#""a\nb\101\x41""#, "a\nbAA"),
            (r#""""#, ""),
            (r#""\"alice\"""#, r#""alice""#),
        ] {
            assert_eq!(
                unquoted(quoted.as_bytes()).unwrap().as_slice(),
                plain.as_bytes(),
                "{quoted}"
            );
        }
        for broken in ["", "\"", "alice", "\"alice", "\"a\"b\"", r#""\""#, r#""\q""#, r#""\777""#] {
            assert!(unquoted(broken.as_bytes()).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_missing_or_duplicate_attribute_is_refused() {
        let name = ("USER_NAME", "\"alice\"");
        assert!(asked(&[name]).is_err(), "CHAP");
        assert!(asked(&[("USER_PASSWORD", "\"1\"")]).is_err());
        let twice = [name, ("User-Name", "bob"), ("USER_PASSWORD", "\"123456\"")];
        assert!(asked(&twice).is_err(), "of whom?");
        let unquoted = asked(&[name, ("USER_PASSWORD", "123456")]).unwrap();
        assert_ne!(unquoted.typed.code(), b"123456");
        assert_eq!(
            user_of(&asked(&[("User-Name", "\"alice\""), ("User-Password", "1")]).unwrap()),
            None
        );
    }

    #[test]
    fn a_challenge_is_a_list_of_pairs() {
        let reply = challenge(Texts(Language::English), [0xab; STATE_BYTES]);
        let state = "ab".repeat(STATE_BYTES);
        assert_eq!(reply, format!("State := 0x{state}, Reply-Message := \"Verification code\"\n"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(name: Vec<u8>, password: Vec<u8>, quoted: bool) {
            let find = |wanted: &str| match (wanted, quoted) {
                ("USER_NAME", true) | ("User-Name", false) => Some(OsString::from_vec(name.clone())),
                ("USER_PASSWORD", true) | ("User-Password", false) => {
                    Some(OsString::from_vec(password.clone()))
                }
                _ => None,
            };
            let _ = read(&find);
        }

        #[test]
        fn what_is_quoted_comes_back(plain: Vec<u8>) {
            let mut quoted = vec![b'"'];
            for byte in &plain {
                match byte {
                    b'"' | b'\\' => quoted.extend([b'\\', *byte]),
                    b' '..=b'~' => quoted.push(*byte),
                    other => quoted.extend(format!("\\{other:03o}").bytes()),
                }
            }
            quoted.push(b'"');
            let unquoted = unquoted(&quoted).unwrap();
            prop_assert_eq!(&*unquoted, &plain);
        }
    }
}
