//! Shows a new device's QR code and asks for its first code: `enrol`, `reset` and `show-qr`.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use crate::app::{App, OpenStore, language_of};
use crate::authenticate::code::Evaluation;
use crate::commands::first_code::{FirstCode, Proof, ask_until_proved, without_blanks};
use crate::commands::verify::VerifyReport;
use crate::domain::authenticate::Outcome;
use crate::domain::backup_code::Submitted;
use crate::domain::code_source::CodeSource;
use crate::domain::factor::totp::Parameters;
use crate::domain::factor::{Comparison, Factor, hotp};
use crate::domain::hint::command;
use crate::domain::lockout::Bounds;
use crate::domain::name::UserName;
use crate::domain::otp::Otp;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::undo_record::Undoable;
use crate::domain::yubico_otp::{YubicoOtp, modhex};
use crate::env::OpenPage;
use crate::maintain;
use crate::report::Record as _;
use crate::show::EnrolmentKey;
use crate::show::secret_output::SecretOutput;
use crate::texts::{Text, Texts};

/// How far off a phone's clock is looked for: a wrong time zone is at most 14 hours off.
const REACH: i64 = 14 * 3600;

/// What to show, and what to ask for.
pub struct Proving<'a> {
    pub verb: &'static str,
    pub key: &'a EnrolmentKey<'a>,
    pub showing: SecretOutput,
    pub asks: bool,
    /// For an error and an interrupt: how to go on later.
    pub next_step: &'a str,
    pub at: Timestamp,
}

/// A code can be asked for where the QR code is seen.
pub fn can_ask(app: &App<'_>, showing: &SecretOutput) -> bool {
    matches!(showing, SecretOutput::Out) && app.env.prompt.is_some()
}

/// Where the answers are talked about: on the page, or line by line.
#[derive(Default)]
pub struct Talk {
    page: Option<OpenPage>,
    message: Rc<RefCell<String>>,
}

impl Talk {
    /// Shows the QR code, on a page where the terminal has one, after these words if there are any.
    pub fn begin(
        &mut self,
        app: &mut App<'_>,
        key: &EnrolmentKey<'_>,
        showing: SecretOutput,
        words: &str,
    ) -> Result<()> {
        if key.is_for_page(app, &showing) {
            words.clone_into(&mut self.message.borrow_mut());
            self.page = Some(key.open_page(app, &self.message)?);
            return Ok(());
        }
        if !words.is_empty() {
            app.note(words);
        }
        key.show(app, showing)
    }

    pub fn say(&self, app: &mut App<'_>, words: &str) {
        if self.page.is_some() {
            words.clone_into(&mut self.message.borrow_mut());
        } else {
            app.note(words);
        }
    }

    /// Waits until the page has been read.
    fn wait(&self, app: &mut App<'_>) -> Result<()> {
        if self.page.is_some() {
            app.person("run it at a terminal")?.line("Enter ends this screen")?;
        }
        Ok(())
    }

    /// Wipes the page; its last words are kept where nothing else tells how it ended.
    fn end(self, app: &mut App<'_>, keeps_message: bool) {
        let had_page = self.page.is_some();
        drop(self.page);
        let message = self.message.borrow();
        if had_page && keeps_message && !message.is_empty() {
            app.note(&message);
        }
    }
}

/// Shows the QR code, on a page where the terminal has one, and asks for its first code.
pub fn show_and_prove(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    proving: Proving<'_>,
) -> Result<Proof> {
    let Proving { verb, key, showing, asks, next_step, at } = proving;
    let mut talk = Talk::default();
    set_interrupt_message(app, &interrupt_words(app, key, next_step));
    talk.begin(app, key, showing, "").with_context(|| next_step.to_owned())?;
    if !asks {
        talk.wait(app)?;
        return Ok(Proof::NotAsked);
    }
    let how = OnPage { key, next_step, talk: &talk, own: own_texts(app, key) };
    let proof = ask_until_proved(app, opened, verb, key.user, key.device.id, at, &how)?;
    talk.end(app, matches!(proof, Proof::NotProved(_)));
    Ok(proof)
}

/// A code that is asked for beside the QR code, or beside the values of a YubiKey.
struct OnPage<'a> {
    key: &'a EnrolmentKey<'a>,
    next_step: &'a str,
    talk: &'a Talk,
    /// Of the user, where they set the device up themselves.
    own: Option<Texts>,
}

/// Operators read English, also where the user types at their screen.
fn own_texts(app: &App<'_>, key: &EnrolmentKey<'_>) -> Option<Texts> {
    let is_own = app.env.process.is_self_service;
    is_own.then(|| Texts(language_of(app, Some(key.user))))
}

impl OnPage<'_> {
    fn texts(&self) -> Texts {
        self.own.unwrap_or(Texts::FOR_OPERATORS)
    }
}

impl FirstCode for OnPage<'_> {
    fn ask(&self, app: &mut App<'_>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(person) = &mut app.env.prompt else { return app.read_line() };
        let question = match (&self.key.device.factor, self.key.digits()) {
            (Factor::Hotp(_), Some(digits)) => format!("The next {digits} digits (Enter: later)"),
            (_, Some(digits)) => {
                let texts = self.texts();
                texts.question(&texts.fill(Text::FirstDigits, &[("digits", &digits.to_string())]))
            }
            (_, None) => "Program the YubiKey, then touch it here (Enter: later)".to_owned(),
        };
        Ok(Some(without_blanks(&person.line(&question)?)))
    }

    fn is_code(&self, app: &App<'_>, code: &[u8], at: Timestamp) -> bool {
        let Some(digits) = self.key.digits() else { return YubicoOtp::read(code).is_some() };
        Otp::read(code).is_some_and(|otp| otp.digits().len() == usize::from(digits))
            || ignores_settings(self.key, code, at, app.config.bounds)
    }

    fn form(&self) -> String {
        match self.key.digits() {
            Some(digits) => {
                self.texts().fill(Text::NotTheDigits, &[("digits", &digits.to_string())])
            }
            None => {
                "that is no code of a YubiKey: touch the key for as long as its slot asks for, \
                     about one second for slot 1 and three for slot 2"
                    .to_owned()
            }
        }
    }

    fn refusal(&self, app: &mut App<'_>, code: &[u8], attempted: &Evaluation) -> String {
        match self.own {
            Some(texts) => own_sentence(app, texts, self.key, code, attempted),
            None => sentence(app, self.key, code, attempted),
        }
    }

    fn locked(&self, app: &App<'_>, name: &UserName, until: Timestamp, now: Timestamp) -> String {
        match self.own {
            Some(texts) => locked_words(app, texts, name, Some(until), now),
            None => format!("{name} is locked until {until}"),
        }
    }

    fn interrupted(&self, app: &App<'_>) -> String {
        interrupt_words(app, self.key, self.next_step)
    }

    fn say(&self, app: &mut App<'_>, words: &str) {
        self.talk.say(app, words);
    }

    fn wait(&self, app: &mut App<'_>) -> Result<()> {
        self.talk.wait(app)
    }
}

/// How to go on later, and how to take back what the verb did, if it made the device.
fn interrupt_words(app: &App<'_>, key: &EnrolmentKey<'_>, next_step: &str) -> String {
    // What users do in `me` is theirs to take back.
    let (user, verb) = (key.user, app.authorization.verb);
    let is_reset = |act: Undoable| verb == act.verb() && act == Undoable::Reset;
    let take_back = if user.undo.newest().is_some_and(|newest| is_reset(newest.act)) {
        command("undo").name(&user.name)
    } else if key.device.is_pending() && matches!(verb, "enrol" | "reset") {
        command("delete").device(&key.device.label).name(&user.name)
    } else {
        return next_step.to_owned();
    };
    format!("{next_step}; {}", app.words(take_back.after("to take it back, run: ")))
}

fn set_interrupt_message(app: &mut App<'_>, message: &str) {
    if let Some(person) = &mut app.env.prompt {
        person.set_interrupt_message(message);
    }
}

/// Why a code was refused. Only for this device, which was just made and whose secret the operator has seen, may it be
/// said what is wrong with the code.
fn sentence(
    app: &mut App<'_>,
    key: &EnrolmentKey<'_>,
    code: &[u8],
    attempted: &Evaluation,
) -> String {
    let sentence = VerifyReport::new(attempted, &app.env.caller).sentence();
    let bounds = app.config.bounds;
    let ignores = |key| ignores_settings(key, code, attempted.at, bounds);
    match (&attempted.outcome, &key.device.factor) {
        (Outcome::Replayed { .. }, factor) => {
            let next = match factor {
                Factor::Yubikey => "touch the key again",
                Factor::Hotp(_) => "make the next one",
                _ => "wait for the next one",
            };
            format!("that code was used already: {next}")
        }
        (Outcome::Rejected, Factor::Hotp(_)) if ignores(key) => {
            format!("{sentence}; hint: the app ignores these settings and uses SHA1, 6 digits")
        }
        (Outcome::Rejected, Factor::Hotp(_)) => {
            format!("{sentence}; make the next one, and type it")
        }
        (Outcome::Rejected, Factor::Yubikey) => format!("{sentence}; {}", other_key(key, code)),
        (Outcome::Rejected, _) if ignores(key) => format!(
            "{sentence}; hint: the app ignores these settings and uses SHA1, 6 digits, 30 s"
        ),
        (Outcome::Rejected, _) => {
            let otp = Otp::read(code);
            let seconds = otp.and_then(|otp| {
                key.device.factor.seconds_off(key.secret, &otp, attempted.at, REACH)
            });
            let Some(seconds) = seconds else { return sentence };
            let is_doubtful = maintain::look_at_clock(app).is_ok_and(|clock| clock.is_doubtful());
            let sentence = format!("{sentence}; {}", clock_sentence(seconds));
            if !is_doubtful {
                return sentence;
            }
            let words = format!("{sentence}; but this server's clock may be off; run: ");
            app.words(command("check").operand("clock").after(&words))
        }
        _ => sentence,
    }
}

/// The same for the user, in their language.
fn own_sentence(
    app: &App<'_>,
    texts: Texts,
    key: &EnrolmentKey<'_>,
    code: &[u8],
    attempted: &Evaluation,
) -> String {
    let Evaluation { user, outcome, at, .. } = attempted;
    let source = CodeSource::of(key.device);
    if let Some(until) = user.locked(*at) {
        return locked_words(app, texts, &user.name, until, *at);
    }
    match outcome {
        Outcome::Replayed { .. } => {
            texts.fill(Text::CodeUsed, &[("next", texts.after_used_code(source))])
        }
        Outcome::FirstOfTwo { .. } => texts.next_code_question(source).to_owned(),
        _ => {
            let wrong = texts.text(Text::CodeWrong);
            let seconds = Otp::read(code)
                .and_then(|otp| key.device.factor.seconds_off(key.secret, &otp, *at, REACH));
            let Some(seconds) = seconds else { return wrong.to_owned() };
            let minutes = (seconds.unsigned_abs() + 30) / 60;
            let span = texts.hours_and_minutes(usize::try_from(minutes).unwrap_or(usize::MAX));
            let way = if seconds > 0 { Text::ClockAhead } else { Text::ClockBehind };
            texts.fill(way, &[("answer", wrong), ("span", &span)])
        }
    }
}

/// That no code is taken until then, or until the helpdesk unlocks.
fn locked_words(
    app: &App<'_>,
    texts: Texts,
    name: &UserName,
    until: Option<Timestamp>,
    now: Timestamp,
) -> String {
    let Some(until) = until else {
        return texts.fill(Text::LockedForGood, &[("user", name.as_str())]);
    };
    let time = texts.end_of_wait(&app.env.zone_for_people(), until, now);
    texts.fill(Text::LockedUntil, &[("user", name.as_str()), ("time", &time)])
}

/// Whether a YubiKey's code is that of another key or slot, which its public id tells.
fn other_key(key: &EnrolmentKey<'_>, code: &[u8]) -> String {
    let Some(ours) = &key.device.serial else { return String::new() };
    match YubicoOtp::read(code).map(|otp| modhex(otp.public_id())) {
        Some(theirs) if theirs != ours.as_str() => {
            format!(
                "it is of another key or slot: it begins with {theirs}, and this one with {ours}"
            )
        }
        _ => "the private id or the key in the slot is another one: program it again".to_owned(),
    }
}

/// Such as "the phone's clock is about 4 minutes behind: set it to automatic".
fn clock_sentence(seconds: i64) -> String {
    let (hours, minutes) = {
        let minutes = (seconds.unsigned_abs() + 30) / 60;
        (minutes / 60, minutes % 60)
    };
    let span = match (hours, minutes) {
        (0, minutes) => counted(minutes, "minute"),
        (hours, 0) => counted(hours, "hour"),
        (hours, minutes) => format!("{} {}", counted(hours, "hour"), counted(minutes, "minute")),
    };
    let way = if seconds > 0 { "ahead" } else { "behind" };
    format!("the phone's clock is about {span} {way}: set it to automatic")
}

/// Would an app that ignores the settings show this code?
fn ignores_settings(key: &EnrolmentKey<'_>, code: &[u8], now: Timestamp, bounds: Bounds) -> bool {
    let usual = match key.device.factor {
        Factor::Hotp(_) => Factor::Hotp(hotp::CodeForm::COMMON),
        _ => Factor::Totp(Parameters::COMMON),
    };
    let (secret, last) = (key.secret, key.device.position);
    let Bounds { window, look_ahead, .. } = bounds;
    let with = Comparison { secret, last, now, window, look_ahead, tag: None };
    let is_right = |code| usual.check(&Submitted::Otp(code), with).is_some();
    !key.device.factor.is_proved_by_one_code() && Otp::read(code).is_some_and(is_right)
}

#[cfg(test)]
mod tests {
    use super::clock_sentence;

    #[test]
    fn how_far_off_a_clock_is_is_said_in_the_words_of_a_clock() {
        for (seconds, words) in [
            (-240, "about 4 minutes behind"),
            (60, "about 1 minute ahead"),
            (-3600, "about 1 hour behind"),
            (7 * 3600 + 1810, "about 7 hours 30 minutes ahead"),
        ] {
            let sentence = clock_sentence(seconds);
            assert!(sentence.contains(words), "{sentence}");
        }
    }
}
