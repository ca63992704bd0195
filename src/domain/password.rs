//! Passwords as users choose them (NIST SP 800-63B-4, section 3.1.1).

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::domain::password_fault::PasswordFault;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Sealed;
use crate::domain::text::{counted, is_harmful};
use crate::domain::time::{Span, Timestamp};

/// The least minimum length that a configuration may set, in characters.
pub const SHORTEST: usize = 8;
/// The maximum length in characters. Passwords are never truncated.
pub const LONGEST: usize = 256;

/// A password in NFC. Wiped when dropped; can be neither printed nor serialised.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Requirements on a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Minimum length in characters.
    pub shortest: usize,
    /// Minimum `zxcvbn` score, 0 to 4; at 3 a slow hash protects against offline guessing.
    pub strength: u8,
    /// Forbidden passwords, in lower case.
    pub forbidden: Vec<String>,
}

/// A random password that is valid for a day and only for choosing a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryPassword {
    pub hash: Sealed,
    pub until: Timestamp,
}

impl TemporaryPassword {
    /// How long one is good.
    pub const LIFETIME: Span = Span::hours(24);

    /// Whether it is accepted now.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.until && !self.is_ahead_of(now)
    }

    /// Whether it was made while the clock was ahead of now. It would be good for longer than its lifetime.
    #[must_use]
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.until.minus(Self::LIFETIME).is_ahead_of(now)
    }

    /// The same after it was seen to have expired: a clock that is set back does not make it good again.
    #[must_use]
    pub fn ended(self) -> Self {
        Self { until: Timestamp::EARLIEST, ..self }
    }

    /// When it expires or expired; `None` once it was seen to have expired.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until).filter(|until| *until != Timestamp::EARLIEST)
    }
}

impl Password {
    /// Reads a typed line. Leading and trailing spaces are part of the password; control characters are
    /// refused.
    pub fn read(field: &str, text: &str) -> Result<Self, Refusal> {
        let text: Zeroizing<String> = Zeroizing::new(text.nfc().collect());
        if text.is_empty() {
            return Err(Refusal::bad_password(field, "is empty", PasswordFault::Empty));
        }
        if text.chars().count() > LONGEST {
            let problem = format!("is longer than {LONGEST} characters");
            let fault = PasswordFault::TooLong(counted_characters(LONGEST));
            return Err(Refusal::bad_password(field, problem, fault));
        }
        if text.chars().any(|c| c.is_control() || (is_harmful(c) && !c.is_alphanumeric())) {
            let fault = PasswordFault::ControlCharacter;
            return Err(Refusal::bad_password(field, "has a control character", fault));
        }
        Ok(Self(text))
    }

    /// The text, for the password hash only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Refuses a weak password; `known` are words about the user, such as their name.
    pub fn check(&self, field: &str, rules: &PasswordRules, known: &[&str]) -> Result<(), Refusal> {
        let refuse = |problem: String, fault| {
            Refusal::bad_password(field, problem, fault).hint("use three or four unrelated words")
        };
        let count = self.0.chars().count();
        if count < rules.shortest {
            let problem =
                format!("has {}; {} are needed", counted(count, "character"), rules.shortest);
            let has = counted_characters(count);
            let needed = counted_characters(rules.shortest);
            return Err(refuse(problem, PasswordFault::TooShort { has, needed }));
        }
        let lower = Zeroizing::new(self.0.to_lowercase());
        let is_known = known.iter().any(|word| *lower == word.to_lowercase());
        if is_known || rules.forbidden.contains(&*lower) {
            let problem = "is too easy to guess: it would be among the first tried".to_owned();
            return Err(refuse(problem, PasswordFault::Known));
        }
        let estimate = zxcvbn::zxcvbn(&self.0, known);
        if u8::from(estimate.score()) < rules.strength {
            let warning = estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning);
            let words = warning
                .map(|w| format!(" ({})", w.to_string().trim_end_matches('.').to_lowercase()));
            let problem = format!("is too easy to guess{}", words.unwrap_or_default());
            return Err(refuse(problem, PasswordFault::Guessable(warning)));
        }
        Ok(())
    }
}

fn counted_characters(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Whether the user must choose a new password, and which password lets them do so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordChange {
    #[default]
    NotRequired,
    /// Only a temporary password does.
    Required,
    /// The old password does.
    RequiredOldOpens,
}

impl PasswordChange {
    /// The stored word; `None` if no change is required.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::NotRequired => None,
            Self::Required => Some("required"),
            Self::RequiredOldOpens => Some("old_opens"),
        }
    }

    #[must_use]
    pub fn from_word(word: Option<&str>) -> Option<Self> {
        let all = [Self::NotRequired, Self::Required, Self::RequiredOldOpens];
        all.into_iter().find(|change| change.word() == word)
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

    fn rules() -> PasswordRules {
        PasswordRules { shortest: 8, strength: 3, forbidden: vec!["helsingborg-harbour".into()] }
    }

    fn check(text: &str) -> Result<(), Refusal> {
        Password::read("password", text)?.check("password", &rules(), &["alice", "Alice Martin"])
    }

    #[test]
    fn a_password_is_read_unchanged_but_for_nfc() {
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
    fn weak_passwords_are_refused_and_never_repeated_in_the_message() {
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
            assert!(!refusal.problem.contains(weak), "{refusal}");
        }
        for strong in ["correct horse battery staple", "vurmel-taktor-93", "ß€łðøµ日本語xqz"]
        {
            assert_eq!(check(strong), Ok(()), "{strong}");
        }
    }
}
