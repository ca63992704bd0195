//! What tells a hardware token from all others: its serial, or for a YubiKey without one its public id.

use std::fmt;

use crate::domain::refusal::Refusal;
use crate::domain::text::quoted;

/// A serial number as it is printed on the token. Two that differ in case only are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(String);

impl Serial {
    /// The longest, in letters.
    pub const LONGEST: usize = 64;

    /// Parses letters, digits and `- _ . :`, with a letter or digit first: so that it is a formula in no spreadsheet and
    /// an option on no command line.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |problem: &str| {
            let hint = "a serial has letters, digits and - _ . : and begins with a letter or digit";
            Refusal::bad_input("SERIAL", format!("{} {problem}", quoted(text))).hint(hint)
        };
        if text.is_empty() || text.len() > Self::LONGEST {
            return Err(refuse(&format!("is not 1 to {} letters long", Self::LONGEST)));
        }
        let may_follow = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.chars().all(may_follow) {
            return Err(refuse("is no serial"));
        }
        Ok(Self(text.to_owned()))
    }

    /// One that was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which it is unique.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_text_that_is_printed_on_tokens() {
        for text in ["12345678", "GALT10280114", "ccccccnrhbfu", "00-04:0008.CFA5_a", "a"] {
            assert_eq!(Serial::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            " ",
            "=1+2",
            "+1",
            "-1",
            "@a",
            "a b",
            "a\tb",
            "a\u{7}",
            "é",
            "a,b",
            "a\"",
            "a/b",
            "a\n",
            &"a".repeat(65),
        ] {
            assert!(Serial::parse(text).is_err(), "{text:?}");
        }
        let folded = |text| Serial::parse(text).unwrap().folded();
        assert_eq!(folded("GALT1a"), folded("galt1A"));
        assert_ne!(folded("GALT1a"), folded("galt1b"));
    }
}
