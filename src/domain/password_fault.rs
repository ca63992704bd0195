//! What is wrong with a password that somebody chose.

use zxcvbn::feedback::Warning;

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PasswordFault {
    Empty,
    /// It has more characters than this.
    TooLong(u16),
    ControlCharacter,
    TooShort {
        has: u16,
        needed: u16,
    },
    /// It is among those that are tried first.
    Known,
    Guessable(Option<Warning>),
    SameAsBefore,
}

// A warning is one of a list.
impl Eq for PasswordFault {}
