//! Codes of letters, as people type them. Backup codes replace the code of a device: recovery codes (look-up secrets in
//! NIST SP 800-63B-4) and bypass codes. The codes of a printed list are those of a device.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::domain::otp::Otp;
use crate::domain::yubico_otp::YubicoOtp;

/// Crockford's base 32: without I, L, O and U, so that a code can be read aloud. It reads any case, O
/// as 0, I and L as 1.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    specification.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    #[expect(clippy::expect_used, reason = "a constant, which every test of a code builds")]
    specification.encoding().expect("32 symbols")
});

/// Bytes of the longest code.
const BYTES: usize = 10;

/// The kind of a code of letters; each has its own length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupCodeKind {
    /// 80 bits; NIST SP 800-63B-4, section 4.2.1.1 asks for 64.
    Recovery,
    /// 60 bits; valid for hours and a few uses.
    Bypass,
    /// 50 bits; a code of a printed list, see [`crate::domain::factor::paper`].
    Paper,
}

impl BackupCodeKind {
    const ALL: [Self; 3] = [Self::Recovery, Self::Bypass, Self::Paper];

    /// Letters in a code of this kind, without hyphens.
    #[must_use]
    pub const fn letters(self) -> usize {
        match self {
            Self::Recovery => 16,
            Self::Bypass => 12,
            Self::Paper => 10,
        }
    }

    /// Letters between two hyphens.
    const fn group(self) -> usize {
        match self {
            Self::Recovery | Self::Bypass => 4,
            Self::Paper => 5,
        }
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Bypass => "bypass",
            Self::Paper => "paper",
        }
    }
}

/// A code of letters: upper-case letters and digits of [`CROCKFORD`], no hyphens.
#[derive(Clone)]
pub struct BackupCode {
    pub kind: BackupCodeKind,
    letters: Zeroizing<String>,
}

impl BackupCode {
    #[must_use]
    pub fn new(kind: BackupCodeKind, random: &[u8; BYTES]) -> Self {
        let mut letters = Zeroizing::new(CROCKFORD.encode(random));
        letters.truncate(kind.letters());
        Self { kind, letters }
    }

    /// Parses a typed code: any case, with or without hyphens and spaces; O counts as 0, I and L as 1.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let letters = || text.iter().copied().filter(|byte| !matches!(byte, b'-' | b' '));
        let mut kinds = BackupCodeKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.letters() == letters().count())?;
        // Only whole bytes can be decoded, so that a shorter code is filled up with zeros.
        let mut typed = Zeroizing::new([b'0'; BackupCodeKind::Recovery.letters()]);
        typed.iter_mut().zip(letters()).for_each(|(place, letter)| *place = letter);
        let mut bytes = Zeroizing::new([0; BYTES]);
        CROCKFORD.decode_mut(&*typed, &mut *bytes).ok()?;
        Some(Self::new(kind, &bytes))
    }

    /// The letters, for the keyed hash.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.letters
    }

    /// Groups of four with hyphens, or on paper of five, for display.
    #[must_use]
    pub fn grouped(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(20));
        for (n, letter) in self.letters.chars().enumerate() {
            if n > 0 && n % self.kind.group() == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }
}

impl fmt::Debug for BackupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupCode({}, ..)", self.kind.word())
    }
}

/// What was submitted where a code is asked for.
#[derive(Debug)]
pub enum Submitted {
    Otp(Otp),
    BackupCode(BackupCode),
    Yubico(YubicoOtp),
    /// Not a code in any form; counts as a wrong code.
    NotACode,
}

impl Submitted {
    /// Parses what was submitted; one line end and the NUL of `pam_exec` are removed.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        if let Some(code) = Otp::read(bytes) {
            return Self::Otp(code);
        }
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if let Some(code) = BackupCode::read(bytes) {
            return Self::BackupCode(code);
        }
        YubicoOtp::read(bytes).map_or(Self::NotACode, Self::Yubico)
    }

    #[must_use]
    pub const fn otp(&self) -> Option<&Otp> {
        match self {
            Self::Otp(code) => Some(code),
            _ => None,
        }
    }

    /// Whether it has the form of a device's code.
    #[must_use]
    pub const fn is_of_device(&self) -> bool {
        match self {
            Self::Otp(_) | Self::Yubico(_) => true,
            Self::BackupCode(code) => matches!(code.kind, BackupCodeKind::Paper),
            Self::NotACode => false,
        }
    }

    #[must_use]
    pub const fn backup_code(&self) -> Option<&BackupCode> {
        match self {
            Self::BackupCode(code) => Some(code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::backup_code::*;

    #[test]
    fn a_code_is_read_in_every_way_people_type_it() {
        let random = [0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf];
        let code = BackupCode::new(BackupCodeKind::Recovery, &random);
        assert_eq!(code.grouped().as_str(), "0123-4567-89AB-CDEF");
        for text in
            ["0123-4567-89AB-CDEF", "0123456789abcdef", "o1 23 456789abcdef", "oi23-4567-89ab-cdef"]
        {
            assert_eq!(
                BackupCode::read(text.as_bytes()).unwrap().letters(),
                code.letters(),
                "{text}"
            );
        }
        assert_eq!(BackupCode::read(b"0123-4567-89AB").unwrap().kind, BackupCodeKind::Bypass);
        let code = BackupCode::new(BackupCodeKind::Paper, &random);
        assert_eq!(code.grouped().as_str(), "01234-56789");
        for text in ["01234-56789", "o1234 567 89", "0123456789", "oi2345-6789"] {
            let read = BackupCode::read(text.as_bytes()).unwrap();
            assert_eq!(
                (read.kind, read.letters()),
                (BackupCodeKind::Paper, code.letters()),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_not_a_code() {
        for text in [
            "",
            "0123",
            "0123-4567-89AB-CDEFG",
            "0123-4567-89AB-CDEU",
            "0123-4567-89A",
            "é123456789ab",
        ] {
            assert!(BackupCode::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(matches!(Submitted::read(b"123456\n"), Submitted::Otp(_)));
        assert!(matches!(Submitted::read(b"0123-4567-89ab\r\n\0"), Submitted::BackupCode(_)));
        assert!(matches!(Submitted::read(b"0123-4567-89ab\n\n"), Submitted::NotACode));
    }
}
