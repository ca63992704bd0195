//! What the user has to do, step by step, with the words that they meet in their app.

use crate::domain::apps;
use crate::domain::factor::Factor;
use crate::domain::handout_app::HandoutApp;
use crate::domain::otpauth::AppSettings;
use crate::domain::password::PasswordChange;
use crate::handout::subject::{HandoutKind, Matter, SetUpStage, word};
use crate::texts::Text;

pub fn of(matter: &Matter<'_>) -> Vec<String> {
    if matter.stage == SetUpStage::AtSignIn {
        return steps_at_sign_in(matter);
    }
    let password = password_steps(matter);
    // Whoever chooses a password is at the sign-in page already.
    let is_signing_in = !password.is_empty();
    let steps = match matter.stage {
        SetUpStage::SwitchedOff { was_set_up } => switched_off(matter, was_set_up),
        SetUpStage::OnlyPassword => plain(matter, &[Text::HandoutPasswordDone]),
        SetUpStage::AtSignIn | SetUpStage::ToSetUp | SetUpStage::InUse => match matter.kind {
            HandoutKind::App(settings) => app_steps(matter, settings, is_signing_in),
            HandoutKind::Clock(digits) => {
                token_steps(matter, Text::HandoutTokenTime, digits, is_signing_in)
            }
            HandoutKind::Button(digits) => {
                token_steps(matter, Text::HandoutTokenCounter, digits, is_signing_in)
            }
            HandoutKind::Yubikey => {
                let sign_in = if is_signing_in {
                    Text::HandoutClickYubikey
                } else {
                    Text::HandoutSignInYubikey
                };
                let (touch, elsewhere) = (Text::HandoutYubikeyTouch, Text::HandoutYubikeyElsewhere);
                plain(matter, &[Text::HandoutYubikeyPlug, sign_in, touch, elsewhere])
            }
            HandoutKind::Paper => {
                let sign_in = if is_signing_in {
                    Text::HandoutTypePaperCode
                } else {
                    Text::HandoutSignInPaper
                };
                plain(matter, &[sign_in, Text::HandoutCrossOut, Text::HandoutNewList])
            }
            HandoutKind::Elsewhere => elsewhere(matter),
            HandoutKind::Nothing => Vec::new(),
        },
    };
    password.into_iter().chain(steps).collect()
}

fn plain(matter: &Matter<'_>, texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| matter.text(*text)).collect()
}

/// The steps of a user to whom the sign-in shows the QR code. The app comes first: nobody wants to install one while a
/// sign-in waits.
fn steps_at_sign_in(matter: &Matter<'_>) -> Vec<String> {
    let HandoutKind::App(settings) = matter.kind else { return Vec::new() };
    let AppTexts { scan, by_hand, .. } = app_texts(matter.subject.app);
    let password = password_steps(matter);
    let sign_in =
        if password.is_empty() { vec![matter.text(Text::HandoutOpenSignIn)] } else { password };
    let mut steps = vec![install_step(matter, settings)];
    steps.extend(sign_in);
    steps.push(matter.text(Text::HandoutShowsQr));
    steps.push(matter.fill(scan, &[("square", matter.texts.text(Text::HandoutSquareOnScreen))]));
    steps.push(by_hand_step(matter, by_hand, settings, Text::HandoutFromScreen));
    steps.push(shows(matter, settings));
    steps.push(matter.text(Text::HandoutTypeFirstCode));
    steps.push(matter.text(Text::HandoutDone));
    steps
}

/// Which app the user installs. Whoever may choose one reads the names of those that are known to do the settings, except
/// the one that needs a YubiKey.
fn install_step(matter: &Matter<'_>, settings: AppSettings) -> String {
    let uncommon = settings.uncommon();
    if matter.subject.app != HandoutApp::Any || uncommon.is_empty() {
        let AppTexts { install, name, .. } = app_texts(matter.subject.app);
        return matter.fill(install, &[("app", name)]);
    }
    let mut able = apps::that_do(&uncommon);
    able.retain(|name| *name != app_texts(HandoutApp::Yubico).name);
    let names = match able.as_slice() {
        [] => return matter.text(Text::HandoutInstallAsked),
        [only] => (*only).to_owned(),
        [others @ .., last] => {
            matter.fill(Text::HandoutOr, &[("first", &others.join(", ")), ("last", last)])
        }
    };
    matter.fill(Text::HandoutInstallAble, &[("apps", &names)])
}

/// How the key is typed that stands `there`.
fn by_hand_step(matter: &Matter<'_>, by_hand: Text, settings: AppSettings, there: Text) -> String {
    if !takes_typed(matter.subject.app, settings) {
        return matter.text(Text::HandoutScanOnly);
    }
    // What Google Authenticator calls the kinds of a key.
    let kind = match settings {
        AppSettings::Totp(_) => Text::HandoutGoogleTimeBased,
        AppSettings::Hotp(..) => Text::HandoutGoogleCounterBased,
    };
    let values = [("kind", matter.texts.text(kind)), ("there", matter.texts.text(there))];
    matter.fill(by_hand, &values)
}

/// Whether an app asks for these settings beside a key that is typed.
fn takes_typed(app: HandoutApp, settings: AppSettings) -> bool {
    match (app, settings) {
        (HandoutApp::Yubico, _) => true,
        (HandoutApp::Google, AppSettings::Hotp(_, 0)) => {
            settings.uncommon().iter().all(|setting| *setting == apps::Setting::Counter)
        }
        _ => settings.uncommon().is_empty(),
    }
}

/// The first sign-in of a user who has to choose a password.
fn password_steps(matter: &Matter<'_>) -> Vec<String> {
    let user = matter.subject.user;
    let sign_in = match user.password_change {
        PasswordChange::NotRequired => return Vec::new(),
        PasswordChange::Required => match matter.temporary_until() {
            Some(date) => matter.fill(Text::HandoutTemporaryPassword, &[("date", &date)]),
            None => matter.text(Text::HandoutExpiredPassword),
        },
        PasswordChange::RequiredOldOpens => matter.text(Text::HandoutOldPassword),
    };
    vec![sign_in, matter.text(Text::HandoutNewPassword)]
}

fn switched_off(matter: &Matter<'_>, was_set_up: bool) -> Vec<String> {
    if !was_set_up {
        return plain(matter, &[Text::HandoutWaitForPage]);
    }
    plain(matter, &[Text::HandoutKeep, Text::HandoutAskToSwitchOn, Text::HandoutAsBefore])
}

fn token_steps(matter: &Matter<'_>, shows: Text, digits: u8, is_signing_in: bool) -> Vec<String> {
    let digits = digits.to_string();
    let sign_in = if is_signing_in { Text::HandoutTypeTokenCode } else { Text::HandoutSignInToken };
    vec![matter.fill(shows, &[("digits", &digits)]), matter.text(sign_in)]
}

fn elsewhere(matter: &Matter<'_>) -> Vec<String> {
    let mark = match matter.subject.about.device().map(|device| &device.factor) {
        Some(Factor::External(mark)) => word(mark.as_str()),
        _ => String::new(),
    };
    vec![matter.fill(Text::HandoutElsewhere, &[("mark", &mark)])]
}

/// The words of an app: how it gets there, how it scans, and how it takes a key that is typed.
struct AppTexts {
    install: Text,
    name: &'static str,
    scan: Text,
    by_hand: Text,
}

const fn app_texts(app: HandoutApp) -> AppTexts {
    let (install, name, scan, by_hand) = match app {
        HandoutApp::Google => (
            Text::HandoutInstall,
            "Google Authenticator",
            Text::HandoutScanGoogle,
            Text::HandoutTypeGoogle,
        ),
        HandoutApp::Microsoft => (
            Text::HandoutInstall,
            "Microsoft Authenticator",
            Text::HandoutScanMicrosoft,
            Text::HandoutTypeMicrosoft,
        ),
        HandoutApp::Okta => {
            (Text::HandoutInstall, "Okta Verify", Text::HandoutScanOkta, Text::HandoutTypeOkta)
        }
        HandoutApp::Duo => {
            (Text::HandoutInstall, "Duo Mobile", Text::HandoutScanDuo, Text::HandoutTypeDuo)
        }
        HandoutApp::Yubico => (
            Text::HandoutInstallYubico,
            "Yubico Authenticator",
            Text::HandoutScanYubico,
            Text::HandoutTypeYubico,
        ),
        HandoutApp::Any => {
            (Text::HandoutInstallAny, "", Text::HandoutScanAny, Text::HandoutTypeAny)
        }
    };
    AppTexts { install, name, scan, by_hand }
}

fn app_steps(matter: &Matter<'_>, settings: AppSettings, is_signing_in: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if matter.has_key() {
        let AppTexts { scan, by_hand, .. } = app_texts(matter.subject.app);
        steps.push(install_step(matter, settings));
        let square = matter.texts.text(Text::HandoutSquareOnPage);
        steps.push(matter.fill(scan, &[("square", square)]));
        steps.push(by_hand_step(matter, by_hand, settings, Text::HandoutFromPage));
        steps.push(shows(matter, settings));
    }
    steps.push(matter.text(if is_signing_in {
        Text::HandoutTypeCode
    } else {
        Text::HandoutSignIn
    }));
    if matter.stage == SetUpStage::ToSetUp {
        let device = matter.subject.about.device();
        if device.is_some_and(|device| !device.factor.is_proved_by_one_code()) {
            steps.push(matter.text(Text::HandoutTwoCodes));
        }
        steps.push(matter.text(Text::HandoutDone));
    }
    steps
}

/// What the app shows when it has the key.
fn shows(matter: &Matter<'_>, settings: AppSettings) -> String {
    let digits = settings.digits().to_string();
    let values = [("digits", digits.as_str()), ("issuer", matter.issuer.as_str())];
    match settings {
        AppSettings::Totp(parameters) => {
            let text = match matter.subject.app {
                HandoutApp::Yubico => Text::HandoutYubicoShows,
                _ => Text::HandoutAppShows,
            };
            let period = parameters.period.to_string();
            let [digits, issuer] = values;
            matter.fill(text, &[digits, issuer, ("period", &period)])
        }
        AppSettings::Hotp(..) => matter.fill(Text::HandoutAppCounts, &values),
    }
}
