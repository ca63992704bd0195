//! What is wrong with a code of a hardware token or a YubiKey, in words.

use crate::domain::code_source::CodeSource;
use crate::domain::diagnosis::advice;
use crate::domain::diagnosis::offset::about;
use crate::domain::diagnosis::{Diagnosis, DiagnosisWord};
use crate::domain::factor::external::Mark;
use crate::domain::hint::{Command, command};
use crate::domain::name::{Label, UserName};
use crate::domain::text::{counted, quoted};
use crate::domain::yubico_otp::{Misread, TypedOn, YubicoOtp};

/// Why a code of a token or a YubiKey fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFinding {
    /// A token's clock is off by more than is accepted; positive if it is ahead of this machine's.
    Drifted { device: Label, steps: i64, period: u64 },
    /// The code comes so many counters after the last that is accepted. One wrong code in `one_in` does by chance.
    CounterAhead { device: Label, ahead: u64, one_in: u64 },
    /// Of a YubiKey that is none of this user's.
    OtherKey { public_id: String },
    /// It has the public id of the user's YubiKey, but is none of its codes.
    Altered { device: Label },
    /// The user has no device that gives such a code.
    OtherKind { is_yubico: bool, has: CodeSource },
    /// The user's only device is one that another program verifies.
    NotVerifiedHere { device: Label, mark: Mark },
    /// Like what a YubiKey types, but no code.
    Misread(Misread),
    /// It begins with the public id of the user's YubiKey, and has too few or too many letters.
    Length { device: Label, letters: usize, right: usize },
}

/// What is worth saying of a right code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightNote {
    /// The token's clock is off, which is allowed for.
    Drift {
        steps: i64,
        period: u64,
    },
    Typed(TypedOn),
}

impl RightNote {
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Drift { steps, period } => {
                format!("its clock is {}, which is allowed for", steps_apart(steps, period))
            }
            Self::Typed(TypedOn::Capitals) => {
                "it was typed in capitals, as with caps lock, and is accepted so".to_owned()
            }
            Self::Typed(TypedOn::Dvorak) => {
                "it was typed on a Dvorak layout, and is accepted so".to_owned()
            }
            Self::Typed(TypedOn::MostLayouts) => "it was typed as usual".to_owned(),
        }
    }
}

/// Such as "4 steps (2 minutes) behind".
#[must_use]
pub fn steps_apart(steps: i64, period: u64) -> String {
    let way = if steps > 0 { "ahead" } else { "behind" };
    let seconds = steps.saturating_mul(period.cast_signed());
    format!("{} ({}) {way}", counted(steps.unsigned_abs(), "step"), about(seconds))
}

impl From<TokenFinding> for Diagnosis {
    fn from(finding: TokenFinding) -> Self {
        Self::Token(finding)
    }
}

impl TokenFinding {
    #[must_use]
    pub const fn finding(&self) -> DiagnosisWord {
        match self {
            Self::Drifted { .. } => DiagnosisWord::Drifted,
            Self::CounterAhead { .. } => DiagnosisWord::CounterAhead,
            Self::OtherKey { .. } => DiagnosisWord::OtherKey,
            Self::Altered { .. } | Self::Length { .. } => DiagnosisWord::AlteredCode,
            Self::OtherKind { .. } | Self::NotVerifiedHere { .. } => DiagnosisWord::OtherKind,
            Self::Misread(Misread::OtherLetters) => DiagnosisWord::NoModhex,
            Self::Misread(_) => DiagnosisWord::NoCode,
        }
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Drifted { device, .. }
            | Self::CounterAhead { device, .. }
            | Self::NotVerifiedHere { device, .. }
            | Self::Length { device, .. }
            | Self::Altered { device } => Some(device),
            Self::OtherKey { .. } | Self::OtherKind { .. } | Self::Misread(_) => None,
        }
    }

    #[must_use]
    pub fn sentence(&self, name: &UserName) -> String {
        match self {
            Self::Drifted { device, steps, period } => format!(
                "the clock of {device} is {}, further than is accepted: two codes in a row tell mfactl so",
                steps_apart(*steps, *period)
            ),
            Self::CounterAhead { device, ahead, one_in } => format!(
                "the code fits {device} {} beyond those that are accepted, as after many presses without a sign-in; \
                 one wrong code in {one_in} does so by chance: two codes in a row tell",
                counted(*ahead, "code")
            ),
            Self::OtherKey { public_id } => format!(
                "the code is of a YubiKey with the public id {public_id}, which is none of {name}'s: check that it \
                 is their own, and that they touch it as long as when it was set up"
            ),
            Self::Altered { device } => format!(
                "the code has the public id of {device}, but it was altered on its way, or the YubiKey was set up \
                 anew since: touch it again"
            ),
            Self::OtherKind { is_yubico: true, has } => format!(
                "this is what a YubiKey types, and {name} has none: {}",
                advice::instruction(*has)
            ),
            Self::OtherKind { is_yubico: false, .. } => format!(
                "this is a code of digits, and {name} has only a YubiKey: touch it, and send what it types"
            ),
            Self::NotVerifiedHere { mark, .. } => {
                format!("the only device is {}, which is not verified here", quoted(mark.as_str()))
            }
            Self::Misread(Misread::OtherLetters) => {
                "this is as long as what a YubiKey types, but has other letters than cbdefghijklnrtuv: another \
                 keyboard layout, or a fixed password in the slot that was touched"
                    .to_owned()
            }
            Self::Misread(Misread::Twice) => {
                "this is what a YubiKey types, twice: touch it once, and send that line alone".to_owned()
            }
            Self::Misread(Misread::Length(letters)) => {
                length_words("this is what a YubiKey types", *letters, YubicoOtp::USUAL_LENGTH)
            }
            Self::Length { device, letters, right } => {
                length_words(&format!("this is what {device} types"), *letters, *right)
            }
        }
    }

    /// When to run the next command, and the command.
    #[must_use]
    pub fn next(&self, name: &UserName) -> (&'static str, Command) {
        let plain = |verb: &'static str| command(verb).name(name);
        match self {
            Self::Drifted { device, .. } | Self::CounterAhead { device, .. } => {
                ("with these two codes", command("resync").device(device).name(name))
            }
            Self::OtherKey { .. } => ("to see the devices", plain("show-user")),
            Self::Altered { .. } => ("if that fails too", plain("diagnose")),
            Self::NotVerifiedHere { .. } => {
                ("for a device whose codes are verified", plain("enrol"))
            }
            Self::Misread(Misread::OtherLetters) => ("with the right layout", plain("diagnose")),
            Self::OtherKind { .. } | Self::Misread(_) | Self::Length { .. } => {
                ("then", plain("diagnose"))
            }
        }
    }
}

fn length_words(what: &str, letters: usize, right: usize) -> String {
    let how = if letters < right { "cut off" } else { "too long" };
    let touch = "touch it again, and send the whole line and nothing else";
    format!("{what}, but {how}: it has {letters} letters instead of {right}; {touch}")
}
