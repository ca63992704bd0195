//! PAM through `pam_exec` with `expose_authtok`: the user is in `PAM_USER`, the typed text on standard
//! input.

use zeroize::Zeroizing;

use crate::authenticate::services::{
    EnvLookup, HandedName, ServiceInput, Typed, bytes, line, missing, said,
};
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::Refusal;

/// Parses a call of `pam_exec`. Any stack but `auth` is `usage`: the others hand over nothing to
/// check, and exit code 0 would grant something else.
pub fn read(variables: EnvLookup<'_>, input: Zeroizing<Vec<u8>>) -> Result<ServiceInput, Refusal> {
    if variables("PAM_TYPE").is_none_or(|kind| kind != "auth") {
        return Err(missing("PAM_TYPE=auth"));
    }
    let name = bytes(variables("PAM_USER").ok_or_else(|| missing("PAM_USER"))?);
    let says = |name| said(variables, &[name]);
    let origin =
        AttemptOrigin::of("pam").said(&says("PAM_SERVICE"), &says("PAM_RHOST"), &says("PAM_TTY"));
    Ok(ServiceInput { name: HandedName::of(&name), typed: Typed::OneField(line(input)), origin })
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::pam::*;
    use crate::domain::site_names::SiteNames;
    use proptest::prelude::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    fn user(asked: &ServiceInput) -> Option<String> {
        asked.name.user(&SiteNames::default()).map(|user| user.to_string())
    }

    fn asked(
        kind: Option<&str>,
        name: Option<&[u8]>,
        input: &[u8],
    ) -> Result<ServiceInput, Refusal> {
        let variables = |wanted: &str| match wanted {
            "PAM_TYPE" => kind.map(Into::into),
            "PAM_USER" => name.map(|n| OsString::from_vec(n.to_vec())),
            "PAM_SERVICE" => Some("sshd".into()),
            "PAM_RHOST" => Some("203.0.113.5".into()),
            "PAM_TTY" => None,
            other => panic!("{other} is not part of the interface"),
        };
        read(&variables, Zeroizing::new(input.to_vec()))
    }

    #[test]
    fn only_an_auth_stack_is_answered() {
        for kind in [None, Some(""), Some("account"), Some("open_session"), Some("AUTH")] {
            assert!(asked(kind, Some(b"alice"), b"123456").is_err(), "{kind:?}");
        }
        assert!(asked(Some("auth"), None, b"123456").is_err());
        let asked = asked(Some("auth"), Some(b"Alice"), b"123456\0").unwrap();
        assert_eq!(user(&asked).as_deref(), Some("alice"));
        assert_eq!(asked.typed.code(), b"123456");
        assert_eq!(asked.origin, AttemptOrigin::of("pam").said("sshd", "203.0.113.5", ""));
    }

    #[test]
    fn an_invalid_name_is_no_user() {
        let long = "a".repeat(300);
        for name in ["", "--help", "-V", "$(id)", "a b", "a\nb", "../x", long.as_str()] {
            let asked = asked(Some("auth"), Some(name.as_bytes()), b"123456").unwrap();
            assert_eq!(user(&asked), None, "{name}");
        }
        assert_eq!(user(&asked(Some("auth"), Some(b"\xff\xfe"), b"").unwrap()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(name: Vec<u8>, input: Vec<u8>) {
            let asked = asked(Some("auth"), Some(&name), &input).unwrap();
            prop_assert!(asked.typed.code().len() <= input.len());
            prop_assert!(input.len() - asked.typed.code().len() <= 2);
        }
    }
}
