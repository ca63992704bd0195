//! OpenVPN 2.6: `auth-user-pass-verify` by file or by environment, with or without a static challenge,
//! and `client-crresponse` for the second prompt.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::authenticate::services::{
    EnvLookup, HandedName, ServiceInput, Typed, bytes, line, missing, said,
};
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::Refusal;
use crate::texts::{Text, Texts};

/// Bytes; more than OpenVPN writes: a name and a password of at most 4 KiB each.
pub const LARGEST_FILE: u64 = 16 * 1024;

/// The script type of the call that brings the answer to a second prompt.
const SECOND_CALL: &str = "client-crresponse";

/// The reason that the client gets for every rejection.
#[must_use]
pub fn rejection(texts: Texts) -> &'static str {
    texts.text(Text::ServiceRefused)
}

/// Time for the user to find their phone; after that the client has to connect again.
const PROMPT_SECONDS: u32 = 60;

/// What OpenVPN calls the script for.
#[derive(Debug)]
pub enum ScriptCall {
    /// Is this password right?
    Verify(ServiceInput),
    /// There is no code yet, and the client can show a second prompt for it.
    AskFirst(ServiceInput),
    /// Is this answer to the second prompt right? The verdict goes into `auth_control_file`.
    Response(ServiceInput),
}

/// Is this the call that brings the answer to a second prompt, with the verdict read from a file?
pub fn is_second_call(variables: EnvLookup<'_>) -> bool {
    variables("script_type").is_some_and(|kind| kind == SECOND_CALL)
}

/// Parses a call; `file` is the content of the file named in the last argument. A call that does not
/// come from OpenVPN is `usage`.
pub fn read(
    variables: EnvLookup<'_>,
    file: Option<Zeroizing<Vec<u8>>>,
) -> Result<ScriptCall, Refusal> {
    let kind = variables("script_type").ok_or_else(|| missing("script_type"))?;
    // A client that renegotiates is trusted already.
    let address = ["untrusted_ip", "untrusted_ip6", "trusted_ip", "trusted_ip6"];
    let origin = AttemptOrigin::of("openvpn").said("", &said(variables, &address), "");
    if kind == SECOND_CALL {
        let name = bytes(variables("username").ok_or_else(|| missing("username"))?);
        let answer = line(file.ok_or_else(|| missing("the file with the answer"))?);
        // Invalid base64 becomes an empty answer, which is refused.
        let answer = Zeroizing::new(BASE64.decode(&answer).unwrap_or_default());
        return Ok(ScriptCall::Response(ServiceInput {
            name: HandedName::of(&name),
            typed: Typed::OneField(answer),
            origin,
        }));
    }
    if kind != "user-pass-verify" {
        return Err(missing("script_type=user-pass-verify"));
    }
    let [name, password] = match file {
        Some(file) => lines(&file).ok_or_else(|| missing("a file of two lines"))?,
        None => [
            bytes(variables("username").ok_or_else(|| missing("username"))?),
            bytes(variables("password").ok_or_else(|| missing("password"))?),
        ],
    };
    let asked = ServiceInput { name: HandedName::of(&name), typed: typed(password), origin };
    let may_ask = asked.typed.code().is_empty()
        && variables("auth_pending_file").is_some()
        && variables("IV_SSO")
            .is_some_and(|can| can.to_string_lossy().split(',').any(|method| method == "crtext"));
    Ok(if may_ask { ScriptCall::AskFirst(asked) } else { ScriptCall::Verify(asked) })
}

/// The content of `auth_pending_file`: timeout in seconds, method, and prompt. `R` requires an answer, `E`
/// echoes it.
#[must_use]
pub fn pending_file(texts: Texts) -> String {
    let question = texts.text(Text::ServiceCode);
    format!("{PROMPT_SECONDS}\ncrtext\nCR_TEXT:R,E:{question}\n")
}

/// Splits a file of exactly two lines: name and password.
fn lines(file: &[u8]) -> Option<[Zeroizing<Vec<u8>>; 2]> {
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    let mut lines = file.split(|byte| *byte == b'\n');
    let (name, password) = (lines.next()?, lines.next()?);
    let copy = |text: &[u8]| Zeroizing::new(text.to_vec());
    lines.next().is_none().then(|| [name, password].map(copy))
}

/// Parses `SCRV1:password:code`, both parts in base64. Anything else is a single field; a malformed
/// `SCRV1:` text is later refused as a wrong code.
fn typed(password: Zeroizing<Vec<u8>>) -> Typed {
    let decode = |text: &[u8]| BASE64.decode(text).ok().map(Zeroizing::new);
    let both = password.strip_prefix(b"SCRV1:").and_then(|rest| {
        let mut parts = rest.split(|byte| *byte == b':');
        let (password, code) = (decode(parts.next()?)?, decode(parts.next()?)?);
        parts.next().is_none().then_some(Typed::TwoFields { password, code })
    });
    both.unwrap_or(Typed::OneField(password))
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::CodeAtEnd;
    use crate::authenticate::services::openvpn::*;
    use crate::domain::site_names::SiteNames;
    use proptest::prelude::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    fn call(variables: &[(&str, &str)], file: Option<&[u8]>) -> Result<ScriptCall, Refusal> {
        let find = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.into())
        };
        read(&find, file.map(|file| Zeroizing::new(file.to_vec())))
    }

    fn user(asked: &ServiceInput) -> Option<String> {
        asked.name.user(&SiteNames::default()).map(|user| user.to_string())
    }

    const VERIFY: (&str, &str) = ("script_type", "user-pass-verify");

    fn verified(file: &str) -> ServiceInput {
        match call(&[VERIFY], Some(file.as_bytes())).unwrap() {
            ScriptCall::Verify(asked) => asked,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_has_a_name_and_a_password() {
        let asked = verified("alice\n123456\n");
        assert_eq!(user(&asked).as_deref(), Some("alice"));
        assert_eq!(asked.typed.code(), b"123456");
        assert_eq!(user(&verified("eve;id $(x) é\np\"w é$()\n")), None);
        for file in ["", "alice", "alice\n", "alice\n123456\nmore\n", "alice\n123456\n\n"] {
            assert!(call(&[VERIFY], Some(file.as_bytes())).is_err(), "{file:?}");
        }
    }

    #[test]
    fn a_static_challenge_separates_password_and_code() {
        let asked = verified("alice\nSCRV1:aHVudGVyMg==:MTIzNDU2\n");
        assert_eq!(asked.typed.code(), b"123456");
        assert_eq!(
            asked.typed.split(CodeAtEnd { digits: 6, may_be_yubico: false }),
            Some((b"hunter2".as_slice(), b"123456".as_slice()))
        );
        assert_eq!(verified("alice\nSCRV1::MTIzNDU2\n").typed.code(), b"123456");
        for broken in ["SCRV1:", "SCRV1:a:MTIzNDU2", "SCRV1::MTIzNDU2:x", "SCRV1:aHVu"] {
            let asked = verified(&format!("alice\n{broken}\n"));
            assert_eq!(asked.typed.code(), broken.as_bytes());
        }
    }

    #[test]
    fn without_a_file_the_environment_has_name_and_password() {
        let variables = [VERIFY, ("username", "alice"), ("password", "123456")];
        assert!(
            matches!(call(&variables, None), Ok(ScriptCall::Verify(a)) if a.typed.code() == b"123456")
        );
        assert!(call(&variables[..2], None).is_err());
        assert!(call(&variables[1..], None).is_err(), "who calls?");
        let other = [("script_type", "client-connect"), variables[1], variables[2]];
        assert!(call(&other, None).is_err());
    }

    #[test]
    fn only_a_client_with_a_second_prompt_gets_one() {
        let able = [VERIFY, ("IV_SSO", "webauth,crtext"), ("auth_pending_file", "/x")];
        let asks = |variables: &[(&str, &str)], file: &str| {
            matches!(call(variables, Some(file.as_bytes())), Ok(ScriptCall::AskFirst(_)))
        };
        assert!(asks(&able, "alice\n\n"));
        assert!(asks(&able, "alice\nSCRV1:aHVudGVyMg==:\n"));
        assert!(!asks(&able, "alice\n123456\n"), "there is a code");
        assert!(!asks(&able[..2], "alice\n\n"));
        assert!(!asks(&[VERIFY, ("IV_SSO", "crtexts"), able[2]], "alice\n\n"));
    }

    #[test]
    fn an_answer_comes_in_base64() {
        let variables = [("script_type", "client-crresponse"), ("username", "alice")];
        let answered = |file: &str| match call(&variables, Some(file.as_bytes())).unwrap() {
            ScriptCall::Response(asked) => asked.typed.code().to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(answered("MTIzNDU2\n"), b"123456");
        assert_eq!(answered("123456!\n"), b"");
        assert!(call(&variables, None).is_err());
        assert!(call(&variables[..1], Some(b"MTIzNDU2\n")).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(name: Vec<u8>, file: Vec<u8>, crresponse: bool) {
            let kind = if crresponse { "client-crresponse" } else { "user-pass-verify" };
            let find = |wanted: &str| match wanted {
                "script_type" => Some(OsString::from(kind)),
                _ => Some(OsString::from_vec(name.clone())),
            };
            let _ = read(&find, Some(Zeroizing::new(file)));
            let _ = read(&find, None);
        }

        #[test]
        fn what_openvpn_encodes_is_decoded(password: Vec<u8>, code: Vec<u8>) {
            let text = format!("SCRV1:{}:{}", BASE64.encode(&password), BASE64.encode(&code));
            match typed(Zeroizing::new(text.into_bytes())) {
                Typed::TwoFields { password: p, code: c } => prop_assert_eq!((&*p, &*c), (&password, &code)),
                Typed::OneField(_) => prop_assert!(false),
            }
        }
    }
}
