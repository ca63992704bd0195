//! What authenticator apps make of other settings than SHA1, 6 digits and 30 s. [`APPS`] is the only list of apps and
//! their limits: warnings, refusals, diagnoses and `docs/apps.md` read it.
//!
//! The table has what other people reported, with its age. It says what may break, and is no promise that the rest works.

#[cfg(test)]
mod page;
mod table;

use std::fmt;

use crate::domain::factor::hotp::CodeForm;
use crate::domain::factor::totp::{Algorithm, Parameters};

pub use table::APPS;

/// A setting that an app has to know, because it differs from the common one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Sha256,
    Sha512,
    SevenDigits,
    EightDigits,
    /// Time steps of so many seconds.
    Period(u64),
    /// Codes that are counted (HOTP).
    Counter,
}

impl Setting {
    /// What is uncommon about codes of time steps.
    pub fn of_steps(parameters: Parameters) -> Vec<Self> {
        let period = parameters.period;
        let mut settings = Self::of_codes(parameters.algorithm, parameters.digits);
        settings.extend((period != Parameters::COMMON.period).then_some(Self::Period(period)));
        settings
    }

    /// What is uncommon about codes that are counted: that they are.
    pub fn of_counted(form: CodeForm) -> Vec<Self> {
        let mut settings = Self::of_codes(form.algorithm, form.digits);
        settings.push(Self::Counter);
        settings
    }

    fn of_codes(algorithm: Algorithm, digits: u8) -> Vec<Self> {
        let algorithm = match algorithm {
            Algorithm::Sha1 => None,
            Algorithm::Sha256 => Some(Self::Sha256),
            Algorithm::Sha512 => Some(Self::Sha512),
        };
        let digits = match digits {
            7 => Some(Self::SevenDigits),
            8 => Some(Self::EightDigits),
            _ => None,
        };
        algorithm.into_iter().chain(digits).collect()
    }

    /// What an app uses that ignores the setting.
    #[must_use]
    pub const fn instead(self) -> &'static str {
        match self {
            Self::Sha256 | Self::Sha512 => "SHA1",
            Self::SevenDigits | Self::EightDigits => "6 digits",
            Self::Period(_) => "30 s",
            Self::Counter => "the time",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256 => f.write_str("SHA256"),
            Self::Sha512 => f.write_str("SHA512"),
            Self::SevenDigits => f.write_str("7 digits"),
            Self::EightDigits => f.write_str("8 digits"),
            Self::Period(seconds) => write!(f, "a period of {seconds} s"),
            Self::Counter => f.write_str("counted codes (HOTP)"),
        }
    }
}

/// What an app does with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Works,
    /// The app does not take the QR code.
    Refuses,
    /// The app takes the QR code, ignores the setting, and every code is wrong. See [`Setting::instead`].
    SilentlyWrong,
    /// It was reported not to work, and not in which of the two ways.
    Fails,
    /// Nobody has reported it.
    Unknown,
}

impl Support {
    const fn is_bad(self) -> bool {
        matches!(self, Self::Refuses | Self::SilentlyWrong | Self::Fails)
    }
}

/// What was reported of one setting.
#[derive(Clone, Copy, Debug)]
pub struct Reported {
    pub support: Support,
    /// Such as "2023" or "older"; empty for one that has no age.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/apps.md is made of it"))]
    pub age: &'static str,
    /// The periods that it holds for, in seconds; empty for all.
    pub periods: &'static [u64],
    /// A condition, such as "upper case only"; empty for none.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/apps.md is made of it"))]
    pub only: &'static str,
}

/// An app, on one platform where they differ.
#[derive(Debug)]
pub struct AuthenticatorApp {
    pub name: &'static str,
    /// Empty where it makes no difference.
    pub platform: &'static str,
    /// For each setting the findings, the newest last.
    pub sha256: &'static [Reported],
    pub sha512: &'static [Reported],
    pub seven_digits: &'static [Reported],
    pub eight_digits: &'static [Reported],
    pub period: &'static [Reported],
    pub counter: &'static [Reported],
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/apps.md is made of it"))]
    pub notes: &'static str,
    /// Issues and documents that say so.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/apps.md is made of it"))]
    pub sources: &'static [&'static str],
}

impl AuthenticatorApp {
    const fn findings(&self, setting: Setting) -> &'static [Reported] {
        match setting {
            Setting::Sha256 => self.sha256,
            Setting::Sha512 => self.sha512,
            Setting::SevenDigits => self.seven_digits,
            Setting::EightDigits => self.eight_digits,
            Setting::Period(_) => self.period,
            Setting::Counter => self.counter,
        }
    }

    /// What the app does today: the newest finding.
    #[must_use]
    pub fn support(&self, setting: Setting) -> Support {
        let holds = |finding: &&Reported| match setting {
            Setting::Period(seconds) => {
                finding.periods.is_empty() || finding.periods.contains(&seconds)
            }
            _ => true,
        };
        self.findings(setting).iter().rfind(holds).map_or(Support::Unknown, |found| found.support)
    }

    /// Whether some version of the app ignored the setting. An old phone may still have that version, and nothing says
    /// so before the first code; a version that refused is noticed when the QR code is scanned.
    #[must_use]
    pub fn ever_ignored(&self, setting: Setting) -> bool {
        self.findings(setting).iter().any(|found| found.support == Support::SilentlyWrong)
    }

    /// Whether a user who has the app must expect trouble.
    fn may_fail(&self, setting: Setting) -> bool {
        self.support(setting).is_bad() || self.ever_ignored(setting)
    }

    /// Whether the newest finding is that it does not work.
    #[must_use]
    pub fn fails(&self, setting: Setting) -> bool {
        self.support(setting).is_bad()
    }

    fn does(&self, setting: Setting) -> bool {
        self.support(setting) == Support::Works && !self.may_fail(setting)
    }
}

/// The apps that may fail with one of these settings, each name once.
#[must_use]
pub fn that_may_fail(settings: &[Setting]) -> Vec<&'static str> {
    names(|app| settings.iter().any(|setting| app.may_fail(*setting)))
}

/// The apps that are known to do all of these settings, on every platform.
#[must_use]
pub fn that_do(settings: &[Setting]) -> Vec<&'static str> {
    let does = |app: &AuthenticatorApp| settings.iter().all(|setting| app.does(*setting));
    let mut names = names(does);
    names.retain(|name| APPS.iter().filter(|app| app.name == *name).all(does));
    names
}

/// The apps that are known to use the second parameters where they were given the first, without a word.
#[must_use]
pub fn that_use_instead(given: Parameters, used: Parameters) -> Vec<&'static str> {
    let (given, used) = (Setting::of_steps(given), Setting::of_steps(used));
    // An app falls back to what is common, never to something else that is uncommon.
    if used.iter().any(|setting| !given.contains(setting)) {
        return Vec::new();
    }
    let (kept, ignored): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|setting| used.contains(setting));
    names(|app| {
        ignored.iter().all(|setting| app.ever_ignored(*setting))
            && kept.iter().all(|setting| !app.support(*setting).is_bad())
    })
}

fn names(is_meant: impl Fn(&AuthenticatorApp) -> bool) -> Vec<&'static str> {
    let mut names = Vec::new();
    for app in APPS.iter().filter(|app| is_meant(app)) {
        if names.last() != Some(&app.name) {
            names.push(app.name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(algorithm: Algorithm, digits: u8, period: u64) -> Parameters {
        Parameters { algorithm, digits, period }
    }

    fn every_uncommon() -> Vec<Parameters> {
        let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
        let mut all = Vec::new();
        for algorithm in algorithms {
            for digits in 6..=8 {
                all.extend([15, 30, 45, 60, 300].map(|p| parameters(algorithm, digits, p)));
            }
        }
        all.retain(|p| !p.is_common());
        all
    }

    #[test]
    fn every_uncommon_setting_fails_in_some_app_and_the_common_ones_in_none() {
        assert!(that_may_fail(&Setting::of_steps(Parameters::COMMON)).is_empty());
        for parameters in every_uncommon() {
            let failing = that_may_fail(&Setting::of_steps(parameters));
            assert!(failing.contains(&"Microsoft Authenticator"), "{parameters}: {failing:?}");
            assert!(!failing.contains(&"Aegis") && !failing.contains(&"FreeOTP"), "{parameters}");
        }
    }

    #[test]
    fn the_facts_that_were_reported_are_those_of_the_table() {
        let failing = |algorithm, digits, period| {
            that_may_fail(&Setting::of_steps(parameters(algorithm, digits, period)))
        };
        let (google, microsoft) = ("Google Authenticator", "Microsoft Authenticator");
        let (okta, duo) = ("Okta Verify", "Duo Mobile");
        assert_eq!(failing(Algorithm::Sha256, 6, 30), [google, microsoft, okta, duo]);
        assert_eq!(
            failing(Algorithm::Sha512, 6, 30),
            [google, microsoft, okta, duo, "1Password", "Authy"]
        );
        assert_eq!(failing(Algorithm::Sha1, 8, 30), [google, microsoft, okta, "1Password"]);
        assert_eq!(failing(Algorithm::Sha1, 6, 60), [google, microsoft, duo, "Authy"]);
        assert_eq!(
            that_do(&[Setting::Sha256, Setting::EightDigits]),
            ["Yubico Authenticator", "FreeOTP", "Aegis", "2FAS", "Bitwarden"]
        );
        assert_eq!(that_do(&[Setting::SevenDigits]), ["Yubico Authenticator", "2FAS"]);
        let yubico = APPS.iter().find(|app| app.name == "Yubico Authenticator").unwrap();
        assert_eq!(yubico.support(Setting::Period(60)), Support::Works);
        assert_eq!(yubico.support(Setting::Period(45)), Support::Unknown);
    }

    #[test]
    fn a_newer_finding_wins_and_an_older_silent_error_is_remembered() {
        let android = APPS.iter().find(|app| app.platform == "Android").unwrap();
        assert_eq!(android.support(Setting::Sha256), Support::Refuses);
        assert_eq!(android.support(Setting::EightDigits), Support::Works);
        assert!(
            android.ever_ignored(Setting::EightDigits) && android.ever_ignored(Setting::Sha256)
        );
        let fas = APPS.iter().find(|app| app.name == "2FAS").unwrap();
        assert!(fas.does(Setting::Sha256), "it refused in 2021 only, which nobody overlooks");
    }

    #[test]
    fn an_app_is_known_by_what_it_uses_instead() {
        let common = Parameters::COMMON;
        let sha256 = parameters(Algorithm::Sha256, 6, 30);
        let named = that_use_instead(sha256, common);
        assert_eq!(named, ["Google Authenticator", "Microsoft Authenticator", "Duo Mobile"]);
        let long = parameters(Algorithm::Sha256, 6, 60);
        let named = that_use_instead(long, parameters(Algorithm::Sha256, 6, 30));
        assert!(
            !named.contains(&"Microsoft Authenticator"),
            "it would ignore SHA256 too: {named:?}"
        );
        // Nothing that was not given is used.
        assert!(that_use_instead(common, sha256).is_empty());
        assert!(that_use_instead(sha256, parameters(Algorithm::Sha512, 6, 30)).is_empty());
    }

    #[test]
    fn each_row_has_a_source_and_rows_of_an_app_stand_together() {
        for app in APPS {
            assert!(!app.sources.is_empty(), "{}", app.name);
            let rows: Vec<_> = APPS.iter().filter(|other| other.name == app.name).collect();
            assert!(rows.len() == 1 || rows.iter().all(|row| !row.platform.is_empty()));
        }
        let mut names: Vec<_> = APPS.iter().map(|app| app.name).collect();
        names.dedup();
        let together = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), together);
    }
}
