//! A password as somebody chooses it (NIST SP 800-63B-4, section 3.1.1).

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::domain::refusal::Refusal;
use crate::domain::secret::Sealed;
use crate::domain::text::is_harmful;
use crate::domain::time::Timestamp;

/// Characters of the shortest password that any configuration may allow.
pub const SHORTEST: usize = 8;
/// Characters of the longest password; nothing is ever cut off.
pub const LONGEST: usize = 256;

/// A password in NFC, wiped when dropped; can be neither printed nor serialised.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// What a new password must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Characters.
    pub shortest: usize,
    /// The least score of `zxcvbn`, 0 to 4: 3 is safely unguessable from a slow hash.
    pub strength: u8,
    /// Words that no password may be, in lower case.
    pub forbidden: Vec<String>,
}

/// A random password that opens the door to choosing another, for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
    pub hash: Sealed,
    pub until: Timestamp,
}

impl Password {
    /// From one line that somebody typed; blanks at its ends belong to it.
    ///
    /// # Errors
    /// `bad_input` for an empty one, one that is too long, or one that no keyboard types.
    pub fn read(field: &str, text: &str) -> Result<Self, Refusal> {
        let text: Zeroizing<String> = Zeroizing::new(text.nfc().collect());
        if text.is_empty() {
            return Err(Refusal::bad_input(field, "is empty"));
        }
        if text.chars().count() > LONGEST {
            return Err(Refusal::bad_input(field, format!("is longer than {LONGEST} characters")));
        }
        if text.chars().any(|c| c.is_control() || (is_harmful(c) && !c.is_alphanumeric())) {
            return Err(Refusal::bad_input(field, "has a control character"));
        }
        Ok(Self(text))
    }

    /// The text, for the hash and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is it strong enough for a user who is known by these words?
    ///
    /// # Errors
    /// `bad_input`, with what to do about it.
    pub fn check(&self, field: &str, rules: &Rules, known: &[&str]) -> Result<(), Refusal> {
        let refuse = |problem: String| {
            Refusal::bad_input(field, problem)
                .hint("three or four words that have nothing to do with each other are strong")
        };
        let count = self.0.chars().count();
        if count < rules.shortest {
            return Err(refuse(format!("has {count} characters; {} are needed", rules.shortest)));
        }
        let lower = Zeroizing::new(self.0.to_lowercase());
        let is_known = known.iter().any(|word| *lower == word.to_lowercase());
        if is_known || rules.forbidden.contains(&*lower) {
            return Err(refuse("is one that would be tried first".to_owned()));
        }
        let guessed = zxcvbn::zxcvbn(&self.0, known);
        if u8::from(guessed.score()) < rules.strength {
            let why = guessed.feedback().and_then(zxcvbn::feedback::Feedback::warning);
            let why =
                why.map(|w| format!(" ({})", w.to_string().trim_end_matches('.').to_lowercase()));
            return Err(refuse(format!("is easy to guess{}", why.unwrap_or_default())));
        }
        Ok(())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules { shortest: 8, strength: 3, forbidden: vec!["helsingborg-harbour".into()] }
    }

    fn check(text: &str) -> Result<(), Refusal> {
        Password::read("password", text)?.check("password", &rules(), &["alice", "Alice Martin"])
    }

    #[test]
    fn a_password_is_taken_as_it_is() {
        let password = Password::read("password", " pa ss é ").unwrap();
        assert_eq!(password.expose(), " pa ss é ");
        assert_eq!(Password::read("p", "e\u{301}").unwrap().expose(), "é");
        assert_eq!(format!("{password:?}"), "Password(..)");
        let longest = "é".repeat(LONGEST);
        assert_eq!(Password::read("p", &longest).unwrap().expose(), longest);
        assert!(Password::read("p", &"é".repeat(LONGEST + 1)).is_err());
        for bad in ["", "a\nb", "a\0b", "a\u{202e}b"] {
            assert!(Password::read("p", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn weak_ones_are_refused_and_the_message_never_repeats_them() {
        for weak in [
            "Xk3$9v!",
            "password1",
            "12345678",
            "qwertyuiop",
            "Alice Martin",
            "alice2024",
            "Helsingborg-Harbour",
            "aaaaaaaaaaaa",
        ] {
            let refusal = check(weak).unwrap_err();
            assert!(!refusal.message.contains(weak), "{refusal}");
        }
        for strong in ["correct horse battery staple", "vurmel-taktor-93", "ß€łðøµ日本語xqz"]
        {
            assert_eq!(check(strong), Ok(()), "{strong}");
        }
    }
}
