//! A sign-in at a terminal: one question after another.

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use super::{SetUp, SignInReport, device_to_set_up, verdict};
use crate::app::{App, OpenStore, language_of};
use crate::authenticate;
use crate::authenticate::sign_in::{Credentials, SignInResult};
use crate::commands::new_password::{ask_new_password, in_words};
use crate::commands::prove::Talk;
use crate::domain::backup_code::Submitted;
use crate::domain::code_source::CodeSource;
use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::sign_in::{RejectReason, SignInOutcome};
use crate::domain::text::shown;
use crate::domain::user::User;
use crate::report::{Report, Verdict};
use crate::show::{EnrolmentKey, ShowOptions};
use crate::texts::{Text, Texts};

/// A sign-in at a terminal ends after so many wrong codes, or new passwords that are refused.
pub const TRIES: usize = 3;
/// So often what is no code is not counted as a wrong one.
const MOST_MALFORMED: usize = 10;

/// Prompts for one step after another until the sign-in is decided.
pub fn hold(app: &mut App<'_>, opened: &mut OpenStore, name: &UserName) -> Result<Report> {
    let mut credentials = Credentials {
        password: None,
        new_password: None,
        code: None,
        without: NotEnabledPolicy::Accept,
        origin: AttemptOrigin::default(),
    };
    // Before the right password an answer must not tell that the name exists.
    let mut texts = Texts(language_of(app, None));
    let typed = ask_hidden(app, texts, &texts.fill(Text::PasswordOf, &[("user", name.as_str())]))?;
    credentials.password = Password::read("password", &typed).ok();
    let (mut wrong, mut refused) = (0, 0);
    let (mut shown, mut is_new) = (false, false);
    let (mut talk, mut malformed) = (Talk::default(), 0);
    // Who has to choose a new password.
    let mut owner: Option<User> = None;
    loop {
        let done = match authenticate::sign_in(app, opened, name, &credentials) {
            Err(error)
                if is_password_refused(&error)
                    && credentials.new_password.is_some()
                    && refused < TRIES =>
            {
                refused += 1;
                app.note(&in_words(texts, error)?);
                credentials.new_password = Some(choose_password(app, texts, owner.as_ref())?);
                continue;
            }
            done => done.map_err(for_a_person)?,
        };
        if done.step.tells_of_right_password() {
            texts = Texts(language_of(app, done.user.as_ref()));
        }
        if credentials.new_password.is_some()
            && done.user.as_ref().is_some_and(|u| u.password_change.word().is_none())
        {
            credentials.password = credentials.new_password.take();
            is_new = true;
        }
        set_interrupt_message(app, texts, is_new, shown);
        let had_code = credentials.code.take().is_some();
        match &done.step {
            SignInOutcome::PasswordChangeRequired => {
                app.note(texts.text(Text::NewPasswordNeeded));
                owner.clone_from(&done.user);
                credentials.new_password = Some(choose_password(app, texts, owner.as_ref())?);
            }
            SignInOutcome::EnrolmentRequired { is_barred: false } if !shown => {
                let SetUp { user, device, secret, is_new: is_made_now } =
                    device_to_set_up(app, opened, name)?;
                set_interrupt_message(app, texts, is_new, true);
                let issuer = app.config.issuer.clone();
                let key = EnrolmentKey::new(&user, &issuer, &device, &secret)?;
                let options = ShowOptions::default();
                let showing = options.choose_output(app, false)?;
                let words = set_up_words(texts, &device, is_made_now);
                talk.begin(app, &key, showing, &words)
                    .context("the new device is pending; sign in again")?;
                shown = true;
                credentials.code = ask_code(app, texts, &talk, CodeSource::App, &mut malformed)?;
            }
            SignInOutcome::EnrolmentRequired { is_barred: false } | SignInOutcome::CodeRequired => {
                credentials.code = ask_code(app, texts, &talk, source(&done), &mut malformed)?;
            }
            SignInOutcome::Rejected(reason @ (RejectReason::Code | RejectReason::UsedCode))
                if had_code && wrong + 1 < TRIES =>
            {
                wrong += 1;
                talk.say(app, &refused_code(texts, *reason, source(&done)));
                credentials.code = ask_code(app, texts, &talk, source(&done), &mut malformed)?;
            }
            step => {
                drop(talk);
                if had_code && *step == SignInOutcome::Rejected(RejectReason::UsedCode) {
                    app.note(&refused_code(texts, RejectReason::UsedCode, source(&done)));
                }
                let verdict = verdict(step);
                return Ok(Report::one(SignInReport::new(app, texts, name, &done), verdict));
            }
        }
        let is_asking = !matches!(&done.step, SignInOutcome::PasswordChangeRequired);
        if is_asking && credentials.code.is_none() {
            drop(talk);
            return Ok(Report::one(SignInReport::new(app, texts, name, &done), Verdict::No));
        }
    }
}

/// Whoever was given a page has the app already, and is asked for the code of it, not to begin again.
fn set_up_words(texts: Texts, device: &Device, is_made_now: bool) -> String {
    if is_made_now {
        return texts.text(Text::SetUpAppNow).to_owned();
    }
    texts.fill(Text::FirstCodeNow, &[("device", &shown(device.label.as_str()))])
}

/// Sets the message for an interruption: unlike an operator, the user can't look up what was stored.
fn set_interrupt_message(app: &mut App<'_>, texts: Texts, is_new: bool, is_pending: bool) {
    let message = match (is_new, is_pending) {
        (true, _) => Text::InterruptedNewPassword,
        (false, true) => Text::InterruptedPending,
        (false, false) => Text::InterruptedUnchanged,
    };
    if let Some(person) = &mut app.env.prompt {
        person.set_interrupt_message(texts.text(message));
    }
}

/// Replaces JSON field names in the message, which mean nothing at a prompt.
fn for_a_person(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Refusal>() {
        Ok(mut refusal) => {
            if matches!(refusal.field.as_deref(), Some("new_password" | "password")) {
                refusal.field = None;
                refusal.problem = format!("the new password {}", refusal.problem);
            }
            refusal.into()
        }
        Err(error) => error,
    }
}

fn is_password_refused(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.code == ErrorCode::BadInput)
}

pub fn ask_hidden(app: &mut App<'_>, texts: Texts, words: &str) -> Result<Zeroizing<String>> {
    let person = app.person("give a line of JSON on standard input instead")?;
    person.hidden_line(&texts.question(words))
}

/// Why a code was refused, for a user whose password was right.
pub fn refused_code(texts: Texts, reason: RejectReason, source: CodeSource) -> String {
    match reason {
        RejectReason::UsedCode => {
            texts.fill(Text::CodeUsed, &[("next", texts.after_used_code(source))])
        }
        _ => texts.text(Text::CodeWrong).to_owned(),
    }
}

/// Where a user reads their codes from, for one whose password was right.
pub fn source(done: &SignInResult) -> CodeSource {
    done.user.as_ref().map(CodeSource::of_user).unwrap_or_default()
}

/// `None` for an empty line, which ends the sign-in. What is no code of any form is asked again and not counted,
/// [`MOST_MALFORMED`] times.
pub fn ask_code(
    app: &mut App<'_>,
    texts: Texts,
    talk: &Talk,
    source: CodeSource,
    malformed: &mut usize,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    loop {
        let line = ask_hidden(app, texts, texts.text(Text::Code))?;
        // Apps show "123 456", and people type the blank.
        let code: Zeroizing<Vec<u8>> =
            Zeroizing::new(line.bytes().filter(|b| *b != b' ').collect());
        if code.is_empty() {
            return Ok(None);
        }
        if !matches!(Submitted::read(&code), Submitted::NotACode) || *malformed == MOST_MALFORMED {
            return Ok(Some(code));
        }
        *malformed += 1;
        talk.say(app, &texts.fill(Text::NotACode, &[("form", texts.code_form(source))]));
    }
}

fn choose_password(app: &mut App<'_>, texts: Texts, owner: Option<&User>) -> Result<Password> {
    let user = owner.context("a new password was asked for before anybody was known")?;
    ask_new_password(app, texts, user, "your password is unchanged; sign in again")
}
