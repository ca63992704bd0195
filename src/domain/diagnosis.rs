//! Why a code fails, in words: the finding, its reason, and the one command to run next.

mod advice;
mod offset;
mod spare;
mod token;
mod word;

use crate::domain::apps;
use crate::domain::backup_code::BackupCodeKind;
use crate::domain::code_source::CodeSource;
use crate::domain::diagnosis::offset::{about, remedy};
use crate::domain::factor::totp::Parameters;
use crate::domain::hint::{Command, command};
use crate::domain::name::{Label, UserName};
use crate::domain::serial::Serial;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;

pub use offset::apart;
pub use spare::Spare;
pub use token::{RightNote, TokenFinding, steps_apart};
pub use word::DiagnosisWord;

/// The reason why a code fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// It does not fail: it would be accepted.
    Right {
        device: Label,
        pending: bool,
        source: CodeSource,
        note: Option<RightNote>,
    },
    /// `at` is when the device's last code was accepted. It was this one, or if `by_later` a later one.
    AlreadyUsed {
        device: Label,
        at: Option<Timestamp>,
        by_later: bool,
        source: CodeSource,
    },
    /// It is right, but a code was accepted while the clock was ahead: until then no code is later than that.
    ClockWasAhead {
        device: Label,
        until: Timestamp,
        /// Whether the codes of a time ahead are remembered, which `resync` needs.
        can_resync: bool,
    },
    /// The phone's clock is off by `steps` time steps of `period` seconds; positive if it is ahead.
    ClockOff {
        device: Label,
        steps: i64,
        period: u64,
    },
    /// The same, so far off that one wrong code in `one_in` fits by chance, and no second code has confirmed it.
    MaybeClockOff {
        device: Label,
        steps: i64,
        period: u64,
        one_in: u64,
    },
    /// The codes of other users fit a time that is as far off, so it is this machine's clock rather than the
    /// phones'. `seconds` is positive if the phones are ahead of it.
    ServerClock {
        device: Label,
        seconds: i64,
        others: u64,
    },
    /// The app computes codes with other settings than those it was given.
    OtherSettings {
        device: Label,
        given: Parameters,
        used: Parameters,
    },
    /// `None`: all of the user's devices are switched off, and the code is of none of them.
    Disabled {
        device: Option<Label>,
    },
    Revoked {
        device: Label,
        at: Timestamp,
        source: CodeSource,
    },
    /// Never confirmed. A token of the inventory has a serial.
    Expired {
        device: Label,
        at: Option<Timestamp>,
        serial: Option<Serial>,
    },
    /// There is nothing to compare it with. `taken` is the newest change that took a device away, and when.
    NoDevice {
        taken: Option<(String, Timestamp)>,
    },
    /// It matches none of the user's devices. `only` is the user's device if there is one only.
    Unknown {
        only: Option<Label>,
        source: CodeSource,
    },
    /// It does not have the form of a code.
    NoCode,
    Spare {
        kind: BackupCodeKind,
        spare: Spare,
    },
    Token(TokenFinding),
    /// So many codes were diagnosed while the user was locked that no more are compared until then.
    TooMany {
        until: Timestamp,
    },
}

impl Diagnosis {
    #[must_use]
    pub const fn finding(&self) -> DiagnosisWord {
        match self {
            Self::Right { .. } => DiagnosisWord::Right,
            Self::AlreadyUsed { .. } => DiagnosisWord::AlreadyUsed,
            Self::ClockWasAhead { .. } => DiagnosisWord::ClockWasAhead,
            Self::ClockOff { .. } => DiagnosisWord::ClockOff,
            Self::MaybeClockOff { .. } => DiagnosisWord::MaybeClockOff,
            Self::ServerClock { .. } => DiagnosisWord::ServerClock,
            Self::OtherSettings { .. } => DiagnosisWord::OtherSettings,
            Self::Disabled { .. } => DiagnosisWord::Disabled,
            Self::Revoked { .. } => DiagnosisWord::Revoked,
            Self::Expired { .. } => DiagnosisWord::Expired,
            Self::NoDevice { .. } => DiagnosisWord::NoDevice,
            Self::Unknown { .. } => DiagnosisWord::Unknown,
            Self::NoCode => DiagnosisWord::NoCode,
            Self::TooMany { .. } => DiagnosisWord::TooManyDiagnoses,
            Self::Token(finding) => finding.finding(),
            Self::Spare { kind: BackupCodeKind::Recovery, spare: Spare::Good { .. } } => {
                DiagnosisWord::RecoveryCode
            }
            Self::Spare { kind: BackupCodeKind::Recovery, .. } => {
                DiagnosisWord::RecoveryCodeUnknown
            }
            Self::Spare { kind: BackupCodeKind::Bypass, spare } => match spare {
                Spare::Good { .. } => DiagnosisWord::BypassCode,
                Spare::NotYet { .. } => DiagnosisWord::BypassCodeNotYet,
                Spare::Expired { .. } => DiagnosisWord::BypassCodeExpired,
                Spare::Used { .. } => DiagnosisWord::BypassCodeUsed,
                Spare::Unknown { .. } => DiagnosisWord::BypassCodeUnknown,
            },
            Self::Spare { kind: BackupCodeKind::Paper, spare } => match spare {
                Spare::Good { .. } => DiagnosisWord::PaperCode,
                Spare::Used { .. } => DiagnosisWord::PaperCodeUsed,
                _ => DiagnosisWord::PaperCodeUnknown,
            },
        }
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Right { device, .. }
            | Self::AlreadyUsed { device, .. }
            | Self::ClockWasAhead { device, .. }
            | Self::ServerClock { device, .. }
            | Self::ClockOff { device, .. }
            | Self::MaybeClockOff { device, .. }
            | Self::OtherSettings { device, .. }
            | Self::Revoked { device, .. }
            | Self::Expired { device, .. } => Some(device),
            Self::Disabled { device } => device.as_ref(),
            Self::Token(finding) => finding.device(),
            Self::NoDevice { .. }
            | Self::Unknown { .. }
            | Self::NoCode
            | Self::Spare { .. }
            | Self::TooMany { .. } => None,
        }
    }

    /// Whether the code would be accepted but for a lock.
    #[must_use]
    pub const fn fits(&self) -> bool {
        matches!(self, Self::Right { .. } | Self::Spare { spare: Spare::Good { .. }, .. })
    }

    /// When right codes are accepted again.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::ClockWasAhead { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// By how many seconds the phone's clock is ahead of this machine's, where that is no chance.
    #[must_use]
    pub fn seconds_off(&self) -> Option<i64> {
        match self {
            Self::ClockOff { steps, period, .. } => Some(steps * period.cast_signed()),
            Self::ServerClock { seconds, .. } => Some(*seconds),
            _ => None,
        }
    }

    /// A right code, with what is worth saying of it.
    #[must_use]
    pub fn with_note(self, note: Option<RightNote>) -> Self {
        match self {
            Self::Right { device, pending, source, .. } => {
                Self::Right { device, pending, source, note }
            }
            same => same,
        }
    }

    /// The finding, given how many other users' codes were as far off lately.
    #[must_use]
    pub fn with_others(self, others: u64) -> Self {
        match self.seconds_off() {
            Some(seconds) if others > 0 => match self {
                Self::ClockOff { device, .. } => Self::ServerClock { device, seconds, others },
                same => same,
            },
            _ => self,
        }
    }

    /// The finding of a second code, given that of the code before it: what fitted by chance once does not fit again.
    #[must_use]
    pub fn after(self, first: &Self) -> Self {
        /// The second code may be typed a step late, or by a clock that was just corrected.
        const SAME: u64 = 2;
        let Self::MaybeClockOff { device, steps, period, .. } = self else { return self };
        let is_same = matches!(first, Self::MaybeClockOff { device: before, steps: earlier, .. }
            if *before == device && earlier.abs_diff(steps) <= SAME);
        if is_same {
            Self::ClockOff { device, steps, period }
        } else {
            Self::Unknown { only: None, source: CodeSource::App }
        }
    }

    /// The reason and the remedy in one sentence.
    #[must_use]
    pub fn sentence(&self, name: &UserName, now: Timestamp) -> String {
        match self {
            Self::Right { device, note, .. } => {
                let note = note.map_or_else(String::new, |note| format!("; {}", note.words()));
                format!("the code of {device} is right: sign in with the next one{note}")
            }
            Self::AlreadyUsed { device, at, by_later, source } => {
                used(device, *at, *by_later, now) + advice::after_used(*source)
            }
            Self::Token(finding) => finding.sentence(name),
            Self::ClockWasAhead { device, until, .. } => format!(
                "the code of {device} is right, but codes are refused until {until}: one was accepted while this \
                 server's clock was ahead, or the clock is behind now"
            ),
            Self::ServerClock { seconds, others, .. } => {
                let way = if *seconds > 0 { "behind" } else { "ahead" };
                format!(
                    "this server's clock may be about {} {way}: within an hour the codes of {} were as far off",
                    about(*seconds),
                    counted(others + 1, "user")
                )
            }
            Self::ClockOff { device, steps, period } => {
                let seconds = steps * period.cast_signed();
                format!("the clock of {device} is about {}: {}", apart(seconds), remedy(seconds))
            }
            Self::MaybeClockOff { device, steps, period, one_in } => format!(
                "the code fits {device} by a clock that is about {}, but one wrong code in {one_in} does so by \
                 chance: ask for the next code",
                apart(steps * period.cast_signed())
            ),
            Self::OtherSettings { device, given, used } => format!(
                "the app of {device} uses {used} instead of {given}{}: set the device up again with {used}",
                as_apps_do(*given, *used)
            ),
            Self::Disabled { device: Some(device) } => {
                format!("the code belongs to {device}, which is switched off")
            }
            Self::Disabled { device: None } => {
                "MFA is switched off, so no code is accepted, and this one belongs to no device of the user"
                    .to_owned()
            }
            Self::Revoked { device, at, source } if *source != CodeSource::App => format!(
                "the code belongs to {device}, which was revoked on {at}: use the code of the new device"
            ),
            Self::Revoked { device, at, .. } => format!(
                "the code belongs to {device}, which was revoked on {at}: remove the old account from the app, and \
                 use the code of the new one"
            ),
            Self::Expired { device, at, serial } => {
                let why = at.map_or_else(
                    || "was made while the clock was ahead".to_owned(),
                    |at| format!("was not confirmed in time by {at}"),
                );
                let again = if serial.is_some() { "take it back and assign it" } else { "set it up" };
                format!("{device} {why}: {again} again")
            }
            Self::NoDevice { taken } => match taken {
                Some((verb, at)) => {
                    format!("{name} has no device, so no code can be right: {} on {at}", taken_by(verb))
                }
                None => format!("{name} has no device and never had one, so no code can be right"),
            },
            Self::Unknown { source, .. } if *source != CodeSource::App => {
                "the code belongs to none of this user's devices: check that they use their own".to_owned()
            }
            Self::Unknown { .. } => "the code belongs to none of this user's devices: check that the app shows the \
                 right account"
                .to_owned(),
            Self::NoCode => {
                "this is not a code: a code has 6 to 8 digits, that of a YubiKey 44 letters, one of a printed list \
                 10 letters and digits, a bypass code 12, a recovery code 16"
                    .to_owned()
            }
            Self::Spare { kind, spare } => spare.sentence(*kind, name),
            Self::TooMany { until } => format!(
                "{name} is locked, and enough codes were diagnosed meanwhile: no more are compared until {until}"
            ),
        }
    }

    /// When to run the next command, and the command.
    #[must_use]
    pub fn next(&self, name: &UserName) -> (&'static str, Command) {
        let plain = |verb: &'static str| command(verb).name(name);
        let of = |verb: &'static str, device: &Label| command(verb).device(device).name(name);
        match self {
            Self::Right { device, pending: true, source: CodeSource::App, .. } => {
                ("to confirm the device", of("show-qr", device))
            }
            Self::Token(finding) => finding.next(name),
            Self::Right { .. } | Self::Spare { spare: Spare::Good { .. }, .. } => (
                "if that fails",
                command("log").option("--last", "10").option("--user", name.as_str()),
            ),
            Self::AlreadyUsed { .. } => ("if that fails too", plain("diagnose")),
            Self::ClockWasAhead { device, can_resync: false, .. } => {
                ("if the clock is right, only a new QR code ends that", of("reset", device))
            }
            Self::ClockWasAhead { device, .. } => {
                ("if the clock is right, two codes in a row end that", of("resync", device))
            }
            Self::ClockOff { .. } => ("if the next code fails", plain("diagnose")),
            Self::MaybeClockOff { .. } | Self::Revoked { .. } => ("then", plain("diagnose")),
            Self::ServerClock { .. } => ("to look", command("check").operand("clock")),
            Self::OtherSettings { device, used, .. } => {
                ("to do so", with_settings(command("reset").device(device), used).name(name))
            }
            Self::Disabled { device: Some(device) } => ("to switch it on", of("enable", device)),
            Self::Disabled { device: None } => ("to switch it on", plain("enable")),
            Self::Expired { serial: Some(serial), .. } => {
                ("to take it back", command("unassign").name(serial.as_str()))
            }
            Self::Expired { device, .. } => ("to do so", of("enrol", device)),
            Self::NoDevice { .. } => ("to set one up", plain("enrol")),
            Self::Unknown { only: Some(device), source: CodeSource::App } => {
                ("if it does", of("reset", device))
            }
            Self::Unknown { .. } => ("to see the devices", plain("show-user")),
            Self::NoCode => ("ask for the code again", plain("diagnose")),
            Self::Spare { kind: BackupCodeKind::Recovery, .. } => {
                ("for new ones", plain("recovery-codes"))
            }
            Self::Spare { kind: BackupCodeKind::Paper, .. } => {
                ("for a new list", command("enrol").option("--kind", "paper").name(name))
            }
            Self::Spare { spare: Spare::NotYet { .. }, .. } => ("to look", plain("show-user")),
            Self::Spare { kind: BackupCodeKind::Bypass, .. } => {
                ("for a new one", command("bypass").option("--for", "1h").name(name))
            }
            Self::TooMany { .. } => ("to end the lock", plain("unlock")),
        }
    }
}

/// Which apps are known to do so, to help to guess which one the user has.
fn as_apps_do(given: Parameters, used: Parameters) -> String {
    match apps::that_use_instead(given, used).as_slice() {
        [] => String::new(),
        [app] => format!(", as {app} does"),
        [others @ .., last] => format!(", as {} and {last} do", others.join(", ")),
    }
}

/// The options of a new device with these settings.
fn with_settings(command: Command, settings: &Parameters) -> Command {
    let common = Parameters::COMMON;
    let mut command = command;
    if settings.algorithm != common.algorithm {
        command = command.option("--algorithm", settings.algorithm.as_str());
    }
    if settings.digits != common.digits {
        command = command.option("--digits", &settings.digits.to_string());
    }
    if settings.period != common.period {
        command = command.option("--period", &settings.period.to_string());
    }
    if settings.is_common() { command } else { command.flag("--allow-incompatible") }
}

/// What the verb did to the devices.
fn taken_by(verb: &str) -> String {
    match verb {
        "reset" => "MFA was reset".to_owned(),
        "delete" => "the MFA setup was deleted".to_owned(),
        "force-new-password" => "a new password was forced, which cut the devices off".to_owned(),
        verb => format!("the last change was {verb}"),
    }
}

/// Ends in a colon, for what to do.
fn used(device: &Label, at: Option<Timestamp>, by_later: bool, now: Timestamp) -> String {
    let ago = |at: Timestamp| match now.since(at).0 {
        0 => "just now".to_owned(),
        _ => format!("{} ago", now.since(at)),
    };
    match (at, by_later) {
        (None, _) => format!("the code of {device} was already used: "),
        (Some(at), false) => format!("the code of {device} was already used {}: ", ago(at)),
        (Some(at), true) => {
            format!("the code of {device} is used up, since a later one was accepted {}: ", ago(at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::factor::totp::Algorithm;

    #[test]
    fn d11_the_command_for_other_settings_sets_these_up() {
        let device = Label::default();
        let used = Parameters::new(Algorithm::Sha256, 8, 30).unwrap();
        let name = UserName::parse("martin").unwrap();
        let of = |given, used| {
            let found = Diagnosis::OtherSettings { device: device.clone(), given, used };
            found.next(&name).1.to_string()
        };
        assert_eq!(
            of(Parameters::COMMON, used),
            "mfactl reset --device phone --algorithm SHA256 --digits 8 --allow-incompatible -- martin"
        );
        assert_eq!(of(used, Parameters::COMMON), "mfactl reset --device phone -- martin");
    }

    #[test]
    fn the_apps_that_are_known_to_ignore_the_settings_are_named() {
        let given = Parameters::new(Algorithm::Sha256, 6, 30).unwrap();
        let words = |given, used| {
            let found = Diagnosis::OtherSettings { device: Label::default(), given, used };
            let now = Timestamp::from_unix(1_767_225_600).unwrap();
            found.sentence(&UserName::parse("martin").unwrap(), now)
        };
        assert_eq!(
            words(given, Parameters::COMMON),
            "the app of phone uses SHA1, 6 digits, 30 s instead of SHA256, 6 digits, 30 s, as Google Authenticator, \
             Microsoft Authenticator and Duo Mobile do: set the device up again with SHA1, 6 digits, 30 s"
        );
        // No app is known to make SHA256 of SHA1.
        let other = words(Parameters::COMMON, given);
        assert!(other.contains("instead of SHA1, 6 digits, 30 s: set"), "{other}");
    }

    #[test]
    fn d11_a_second_code_confirms_only_what_is_as_far_off() {
        let label = |text| Label::parse(text).unwrap();
        let far = |device, steps| Diagnosis::MaybeClockOff {
            device: label(device),
            steps,
            period: 30,
            one_in: 298,
        };
        let second = |device, steps| far(device, steps).after(&far("phone", -240)).finding();
        assert_eq!(second("phone", -240), DiagnosisWord::ClockOff);
        assert_eq!(second("phone", -242), DiagnosisWord::ClockOff);
        assert_eq!(second("phone", -243), DiagnosisWord::Unknown);
        assert_eq!(second("phone", 240), DiagnosisWord::Unknown);
        assert_eq!(second("tablet", -240), DiagnosisWord::Unknown);
        assert_eq!(Diagnosis::NoCode.after(&far("phone", 1)), Diagnosis::NoCode);
    }
}
