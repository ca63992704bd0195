//! Input from login services, and the replies that each understands.
//!
//! Parsing is pure and accepts any bytes: whatever a remote client sends arrives here first.

pub mod batch_input;
pub mod handover_file;
pub mod openvpn;
pub mod pam;
pub mod radius;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use zeroize::Zeroizing;

use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::site_names::SiteNames;
use crate::domain::yubico_otp;
use crate::domain::yubico_otp::YubicoOtp;

/// Looks up an environment variable as the service set it.
pub type EnvLookup<'v> = &'v dyn Fn(&str) -> Option<OsString>;

/// A user name, what was typed for it, and where that came from.
#[derive(Debug)]
pub struct ServiceInput {
    pub name: HandedName,
    pub typed: Typed,
    pub origin: AttemptOrigin,
}

/// A name as a service wrote it. People type passwords into that field, so it is wiped and never shown.
#[derive(Clone, Default)]
pub struct HandedName {
    /// `None` if the bytes can't be a user name.
    pub whole: Option<Zeroizing<String>>,
    /// What RADIUS left of it without its realm.
    pub stripped: Option<Zeroizing<String>>,
}

impl HandedName {
    fn of(name: &[u8]) -> Self {
        Self { whole: text(name), stripped: None }
    }

    /// Who is meant, by the rules of a site; `None` for a text that can't be a user name, which is later answered like
    /// an unknown one.
    #[must_use]
    pub fn user(&self, site: &SiteNames) -> Option<UserName> {
        let whole = self.whole.as_deref()?;
        match self.stripped.as_deref() {
            Some(stripped) => radius::stripped_user(whole, stripped, site),
            None => site.read(whole).ok(),
        }
    }
}

impl std::fmt::Debug for HandedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandedName(..)")
    }
}

fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(std::str::from_utf8(bytes).ok()?.to_owned()))
}

/// Digits of a code that follows a password, the longest first.
const CODE_LENGTHS: [usize; 3] = [8, 7, SHORTEST_CODE];
/// Digits of the shortest code.
pub const SHORTEST_CODE: usize = 6;

/// The code that follows a password in one field, where there can be one of two forms.
#[derive(Clone, Copy, Debug)]
pub struct CodeAtEnd {
    /// The most digits of a code.
    pub digits: usize,
    /// Whether it may be what a YubiKey types.
    pub may_be_yubico: bool,
}

/// What the user typed.
pub enum Typed {
    /// Into one field.
    OneField(Zeroizing<Vec<u8>>),
    /// Into two fields that the service keeps apart.
    TwoFields { password: Zeroizing<Vec<u8>>, code: Zeroizing<Vec<u8>> },
}

impl Typed {
    /// The code, or the whole input of a single field.
    #[must_use]
    pub fn code(&self) -> &[u8] {
        match self {
            Self::OneField(line) => line,
            Self::TwoFields { code, .. } => code,
        }
    }

    /// Whether anything was typed that can be checked: whoever types nothing attempts nothing, but a password without
    /// its code is an attempt. `may_need_none`: there are users who need no code.
    #[must_use]
    pub fn is_attempt(&self, has_password: bool, may_need_none: bool) -> bool {
        let needs_no_code = if has_password { !self.password().is_empty() } else { may_need_none };
        needs_no_code || !self.code().is_empty()
    }

    /// The password, or the whole input of a single field.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        match self {
            Self::OneField(line) => line,
            Self::TwoFields { password, .. } => password,
        }
    }

    /// Password and code. In a single field the code is at its end: 44 letters of a YubiKey, or the longest run of 6
    /// to 8 digits that is no longer than `digits`; `None` if there is none, or no password before it. A YubiKey types
    /// no digits, so no line ends in both.
    #[must_use]
    pub fn split(&self, at_end: CodeAtEnd) -> Option<(&[u8], &[u8])> {
        let line = match self {
            Self::TwoFields { password, code } => return Some((password, code)),
            Self::OneField(line) => line,
        };
        let length = if at_end.may_be_yubico && yubico_otp::ends_in_otp(line) {
            YubicoOtp::USUAL_LENGTH
        } else {
            let trailing = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            CODE_LENGTHS.into_iter().find(|n| *n <= at_end.digits.min(trailing))?
        };
        let (password, code) = line.split_at(line.len() - length);
        (!password.is_empty()).then_some((password, code))
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given(..)")
    }
}

/// Strips one NUL, LF or CRLF from the end.
fn line(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let ends: [&[u8]; 3] = [b"\0", b"\r\n", b"\n"];
    if let Some(end) = ends.into_iter().find(|end| bytes.ends_with(end)) {
        let length = bytes.len() - end.len();
        bytes.truncate(length);
    }
    bytes
}

/// The bytes of a variable, wiped on drop.
fn bytes(value: OsString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.into_vec())
}

/// A variable that only describes the attempt; empty if the service did not set it.
fn said(variables: EnvLookup<'_>, names: &[&str]) -> String {
    let found = names.iter().find_map(|name| variables(name));
    found.unwrap_or_default().to_string_lossy().into_owned()
}

/// The service did not set what it always sets: another program calls, or the service is misconfigured.
fn missing(what: &str) -> Refusal {
    Refusal::new(ErrorCode::Usage, format!("the login service did not hand over {what}"))
        .hint("see the service's page in docs/services")
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::*;
    use proptest::prelude::*;

    fn typed(text: &str) -> Typed {
        Typed::OneField(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_code_comes_last() {
        let split = |text: &str, digits| {
            let typed = typed(text);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let at_end = CodeAtEnd { digits, may_be_yubico: true };
            typed.split(at_end).map(|(password, code)| (text(password), text(code)))
        };
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(split("hunter2123456", 6), pair("hunter2", "123456"));
        assert_eq!(split("hunter2123456", 7), pair("hunter", "2123456"));
        assert_eq!(split("hunter_123456", 7), pair("hunter_", "123456"));
        assert_eq!(split("hunter12345678", 7), pair("hunter1", "2345678"));
        assert_eq!(split("hunter1234567", 6), pair("hunter1", "234567"));
        assert_eq!(split("hunter12345678", 8), pair("hunter", "12345678"));
        assert_eq!(split("hunter123456", 8), pair("hunter", "123456"));
        assert_eq!(split("hunter12345678", 6), pair("hunter12", "345678"));
        for line in ["", "123456", "hunter", "hunter12345", "123456hunter"] {
            assert_eq!(split(line, 6), None, "{line}");
        }
    }

    #[test]
    fn what_a_yubikey_types_comes_last_too() {
        const OTP: &str = "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv";
        let split = |text: &str, may_be_yubico| {
            let typed = typed(text);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let at_end = CodeAtEnd { digits: 6, may_be_yubico };
            typed.split(at_end).map(|(password, code)| (text(password), text(code)))
        };
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        let dvorak = |letter| match "cbdefghijklnrtuv".find(letter) {
            Some(place) => char::from(b"jxe.uidchtnbpygk"[place]),
            None => letter,
        };
        let dvorak: String = OTP.chars().map(dvorak).collect();
        for otp in [OTP.to_owned(), OTP.to_uppercase(), dvorak.clone(), dvorak.to_uppercase()] {
            for password in ["hunter2", "hunter123456", "c", "ccc", "p\u{e9}"] {
                let line = format!("{password}{otp}");
                assert_eq!(split(&line, true), pair(password, &otp), "{line}");
                assert_eq!(split(&line, false), None, "no YubiKey: all of it is a password");
            }
            assert_eq!(split(&otp, true), None, "no password");
            assert_eq!(split(&otp[1..], true), None);
            assert_eq!(split(&format!("hunter2{otp}z"), true), None);
            let digits = format!("hunter2{otp}123456");
            assert_eq!(split(&digits, true), pair(&format!("hunter2{otp}"), "123456"));
        }
        let mixed = format!("hunter2{}{}", OTP[..22].to_uppercase(), &OTP[22..]);
        assert_eq!(split(&mixed, true), None, "neither small letters nor capitals");
        let mixed = format!("hunter2{}{}", dvorak[..22].to_uppercase(), &dvorak[22..]);
        assert_eq!(split(&mixed, true), None, "the same on Dvorak");
        let neither = format!("hunter2{}{}", &dvorak[..43], "v");
        assert_eq!(split(&neither, true), None, "of two layouts");
        assert_eq!(split("hunter2123456", true), pair("hunter2", "123456"));
    }

    #[test]
    fn one_line_end_is_stripped() {
        for (typed, expected) in [
            ("123456", "123456"),
            ("123456\0", "123456"),
            ("123456\n", "123456"),
            ("123456\r\n", "123456"),
            ("123456\n\n", "123456\n"),
            ("123456\r", "123456\r"),
            ("123456\n\0", "123456\n"),
            ("\0", ""),
            ("", ""),
        ] {
            let line = line(Zeroizing::new(typed.as_bytes().to_vec()));
            assert_eq!(*line, expected.as_bytes(), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn both_parts_of_a_split_make_up_the_line(
            text in "[a-z0-9]{0,20}[0-9]{0,10}", digits in 0_usize..12,
        ) {
            let at_end = CodeAtEnd { digits, may_be_yubico: false };
            if let Some((password, code)) = typed(&text).split(at_end) {
                prop_assert_eq!([password, code].concat(), text.as_bytes());
                prop_assert!((6..=8).contains(&code.len()) && !password.is_empty());
            }
        }
    }
}
