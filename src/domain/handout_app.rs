//! The apps whose steps a handout can give, and whether they do what a device needs.

use crate::domain::apps::{self, APPS, AuthenticatorApp, Setting, Support};
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};

/// The app on a user's phone, as far as a handout needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoutApp {
    Google,
    Microsoft,
    Okta,
    Duo,
    Yubico,
    /// The user chooses; the steps fit each.
    Any,
}

impl HandoutApp {
    pub const ALL: [Self; 6] =
        [Self::Google, Self::Microsoft, Self::Okta, Self::Duo, Self::Yubico, Self::Any];

    /// The value of `--app`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
            Self::Okta => "okta",
            Self::Duo => "duo",
            Self::Yubico => "yubico",
            Self::Any => "any",
        }
    }

    /// Its name in the table of apps; `None` where the user chooses.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Google => Some("Google Authenticator"),
            Self::Microsoft => Some("Microsoft Authenticator"),
            Self::Okta => Some("Okta Verify"),
            Self::Duo => Some("Duo Mobile"),
            Self::Yubico => Some("Yubico Authenticator"),
            Self::Any => None,
        }
    }

    /// The rows of the table: one for each platform that differs. A page is for every platform, so each of them counts.
    fn rows(self) -> impl Iterator<Item = &'static AuthenticatorApp> {
        APPS.iter().filter(move |app| Some(app.name) == self.name())
    }

    /// Fails with `incompatible_app` if the app refuses or ignores one of the settings of a device, which names the
    /// setting and what to do instead. What nobody has reported is allowed; see [`HandoutApp::caution`].
    pub fn check(self, settings: &AppSettings) -> Result<(), Refusal> {
        let settings = settings.uncommon();
        for setting in &settings {
            let Some(row) = self.rows().find(|row| row.fails(*setting)) else { continue };
            let on = if row.platform.is_empty() { "" } else { " on " };
            let (name, platform) = (row.name, row.platform);
            let why = match row.support(*setting) {
                Support::Refuses => "refuses its QR code".to_owned(),
                Support::SilentlyWrong => {
                    format!("ignores that and goes by {} instead", setting.instead())
                }
                _ => "is reported to fail with it".to_owned(),
            };
            let problem = format!("this device needs {setting}, and {name}{on}{platform} {why}");
            let refusal = Refusal::new(ErrorCode::IncompatibleApp, problem).field("--app");
            return Err(refusal.hint(instead(&settings)));
        }
        Ok(())
    }

    /// What is not certain about this app and these settings; `None` where nothing is in doubt.
    #[must_use]
    pub fn caution(self, settings: &AppSettings) -> Option<String> {
        let name = self.name()?;
        let settings = settings.uncommon();
        let is_unknown =
            |setting: &&Setting| self.rows().any(|row| row.support(**setting) == Support::Unknown);
        if let Some(setting) = settings.iter().find(is_unknown) {
            return Some(format!(
                "it is not known whether {name} does {setting}: try it before you hand the page out"
            ));
        }
        let was_ignored = |setting: &&Setting| self.rows().any(|row| row.ever_ignored(**setting));
        let setting = settings.iter().find(was_ignored)?;
        Some(format!(
            "older versions of {name} ignore {setting}: let the user update the app first"
        ))
    }
}

/// Which apps do all of it, by `--app` where it knows one of them.
fn instead(settings: &[Setting]) -> String {
    let able = apps::that_do(settings);
    let known =
        HandoutApp::ALL.into_iter().find(|app| app.name().is_some_and(|n| able.contains(&n)));
    let anew = "set the device up again with SHA1, 6 digits, 30 s, which every app does";
    match (known, able.as_slice()) {
        (_, []) => format!("no app is known to do all of it: {anew}"),
        (Some(app), [_]) => {
            format!("{} does it: use --app {}, or {anew}", able.join(", "), app.word())
        }
        (Some(app), able) => {
            let (last, others) = able.split_last().unwrap_or((&"", &[]));
            format!(
                "{} and {last} do it: use --app {} or any, or {anew}",
                others.join(", "),
                app.word()
            )
        }
        (None, able) => {
            format!("use --app any with an app that does it ({}), or {anew}", able.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::factor::hotp::CodeForm;
    use crate::domain::factor::totp::{Algorithm, Parameters};

    fn totp(algorithm: Algorithm, digits: u8, period: u64) -> AppSettings {
        AppSettings::Totp(Parameters { algorithm, digits, period })
    }

    fn refused(app: HandoutApp, settings: &AppSettings) -> String {
        let refusal = app.check(settings).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::IncompatibleApp);
        format!("{refusal}; {}", refusal.hint.clone().unwrap())
    }

    #[test]
    fn every_app_takes_the_common_settings_and_any_takes_all() {
        let common = AppSettings::Totp(Parameters::COMMON);
        for app in HandoutApp::ALL {
            assert_eq!((app.check(&common), app.caution(&common)), (Ok(()), None), "{app:?}");
        }
        for settings in [totp(Algorithm::Sha512, 7, 300), AppSettings::Hotp(CodeForm::COMMON, 5)] {
            assert_eq!(HandoutApp::Any.check(&settings), Ok(()));
            assert_eq!(HandoutApp::Any.caution(&settings), None);
        }
    }

    #[test]
    fn an_app_that_refuses_or_ignores_a_setting_is_refused_with_one_that_does_it() {
        let sha256 = totp(Algorithm::Sha256, 6, 30);
        assert_eq!(
            refused(HandoutApp::Microsoft, &sha256),
            "--app: this device needs SHA256, and Microsoft Authenticator ignores that and goes by SHA1 instead; \
             Yubico Authenticator, FreeOTP, Aegis, 2FAS, 1Password and Bitwarden do it: use --app yubico or any, or set the device \
             up again with SHA1, 6 digits, 30 s, which every app does"
        );
        assert!(
            refused(HandoutApp::Google, &sha256)
                .contains("Google Authenticator on Android refuses its QR code")
        );
        assert!(
            refused(HandoutApp::Okta, &sha256)
                .contains("needs SHA256, and Okta Verify is reported to fail with it")
        );
        assert_eq!(HandoutApp::Yubico.check(&sha256), Ok(()));
        let long = refused(HandoutApp::Google, &totp(Algorithm::Sha1, 6, 60));
        assert!(
            long.contains("needs a period of 60 s")
                && long.contains("ignores that and goes by 30 s"),
            "{long}"
        );
        let odd = refused(HandoutApp::Microsoft, &totp(Algorithm::Sha1, 6, 45));
        assert!(
            odd.contains("use --app any with an app that does it (FreeOTP, Aegis, 2FAS"),
            "{odd}"
        );
        let counted = refused(HandoutApp::Microsoft, &AppSettings::Hotp(CodeForm::COMMON, 0));
        assert!(
            counted.contains("needs counted codes (HOTP)") && counted.contains("goes by the time"),
            "{counted}"
        );
    }

    #[test]
    fn what_nobody_knows_is_allowed_with_a_caution() {
        let long = totp(Algorithm::Sha1, 6, 60);
        assert_eq!(HandoutApp::Okta.check(&long), Ok(()));
        let caution = HandoutApp::Okta.caution(&long).unwrap();
        assert!(
            caution.contains("not known whether Okta Verify does a period of 60 s"),
            "{caution}"
        );
        let eight = totp(Algorithm::Sha1, 8, 30);
        assert_eq!(HandoutApp::Google.check(&eight), Ok(()));
        let caution = HandoutApp::Google.caution(&eight).unwrap();
        assert!(caution.starts_with("older versions of Google Authenticator ignore 8 digits"));
        assert_eq!(HandoutApp::Yubico.caution(&eight), None);
    }
}
