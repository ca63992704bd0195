//! A one-time code as submitted by a user.

use std::fmt;

use zeroize::Zeroizing;

/// Six to eight ASCII digits; leading zeros count (RFC 4226, section 5.3).
pub struct Otp(Zeroizing<String>);

/// Longer than any code; readers of standard input stop here.
pub const LONGEST_INPUT: usize = 256;

impl Otp {
    /// Parses a code after removing a final NUL and then one line end.
    ///
    /// `pam_exec` ends its input with a NUL on some releases and with nothing on others; a terminal
    /// ends it with LF, a Windows client with CRLF. Everything else but digits is refused: a code
    /// with two spellings could be used twice.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !(6..=8).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(bytes).ok().map(|s| Self(Zeroizing::new(s.to_owned())))
    }

    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Otp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Otp(..)")
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::otp::*;

    #[test]
    fn one_line_end_is_removed() {
        for bytes in ["123456", "123456\n", "123456\r\n", "123456\0", "123456\n\0", "12345678"] {
            assert!(Otp::read(bytes.as_bytes()).is_some(), "{bytes:?}");
        }
    }

    #[test]
    fn every_other_form_is_refused() {
        for bytes in [
            "",
            "1",
            "12345",
            "123456789",
            "+12345",
            "-12345",
            "0x1e240",
            "1e5",
            "12345.",
            "123 456",
            " 123456",
            "123456 ",
            "123456\n\n",
            "123456\0junk",
            "123456x",
            "123456\0\0",
            "\n",
            "١٢٣٤٥٦",
            "１２３４５６",
            "¹²³⁴⁵⁶",
            "123\u{a0}456",
            "\u{feff}123456",
        ] {
            assert!(Otp::read(bytes.as_bytes()).is_none(), "{bytes:?}");
        }
        assert!(Otp::read(&[0x08, 0x0a, 0x0d, 0x7f, b'I', b'N', b'C']).is_none());
    }
}
