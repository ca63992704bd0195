//! Self-service at a terminal: the door, a menu with numbers, one act.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use super::acts;
use super::acts::{ActDraft, CodesDraft, OwnWords};
use super::input::Wanted;
use super::report::{MeReport, lines, offered};
use crate::app::{App, OpenStore, language_of};
use crate::authenticate;
use crate::authenticate::code::Evaluation;
use crate::authenticate::sign_in::{Credentials, SignInResult};
use crate::commands::prove::{Proving, Talk, can_ask, show_and_prove};
use crate::commands::recovery_codes;
use crate::commands::sign_in::conversation::{TRIES, ask_code, ask_hidden, refused_code, source};
use crate::domain::authenticate::Outcome;
use crate::domain::backup_code::Submitted;
use crate::domain::code_source::CodeSource;
use crate::domain::device::Device;
use crate::domain::name::{Label, UserName};
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::self_service::{DoorProof, OwnAct, Session};
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::sign_in::{RejectReason, SignInOutcome};
use crate::domain::text::wrapped;
use crate::domain::user::User;
use crate::env::YesNo;
use crate::operate::change::ChangeResult;
use crate::report::{Report, Verdict};
use crate::show::secret_output::SecretOutput;
use crate::show::show_once::{OnceText, show_text};
use crate::show::{EnrolmentKey, ShowOptions};
use crate::texts::{Text, Texts};

/// Asks for password and code, then for one act.
pub fn hold(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    first: Texts,
) -> Result<Report> {
    let (done, texts) = enter(app, opened, name, first)?;
    set_interrupt_message(app, texts.text(Text::Unchanged));
    let (mut session, user) = match (authenticate::session(&done), &done.user) {
        (Some(session), Some(user)) => (session, user.clone()),
        _ => return Ok(Report::one(MeReport::turned_away(app, texts, name, &done), Verdict::No)),
    };
    let own = OwnWords { texts, before: &user };
    let acts = offered(app, &session, &user);
    let ends = |app: &App<'_>, session: &Session| {
        Report::one(MeReport::status(app, texts, session, &user, &done), Verdict::Yes)
    };
    if acts.is_empty() {
        return Ok(ends(app, &session));
    }
    let lines = lines(app, texts, &user);
    write_lines(app, &lines)?;
    let titles: Vec<_> = acts.iter().map(|act| texts.text(title(*act, &user)).to_owned()).collect();
    let Some(index) = choose(app, texts, Text::WhatToDo, &titles)? else {
        return Ok(ends(app, &session));
    };
    let act = acts[index];
    if act.has_secret() && SecretOutput::choose(app, None, false, false)?.is_nowhere() {
        let problem =
            format!("{} has a secret to show, and standard output is no terminal", act.word());
        return Err(Refusal::new(ErrorCode::Usage, problem).hint("run it without a pipe").into());
    }
    let Some(wanted) = details(app, texts, act, &user)? else { return Ok(ends(app, &session)) };
    let draft = ActDraft::new(app, &wanted)?;
    // What can't be done is said before a code is used up, and before a secret is shown.
    let now = app.env.clock.now()?;
    let expected = acts::check(app, &session, &wanted, &draft, &user, now, &opened.vault)?;
    if !agrees(app, &own, &wanted, &draft, &expected)? {
        return Ok(ends(app, &session));
    }
    if session.lacks_second_code(act) {
        let last = prove_again(app, opened, texts, &mut session, name, &user)?;
        match last {
            None => return Ok(ends(app, &session)),
            Some(last) if !session.has_second_code => {
                let refused = MeReport::second_refused(app, texts, name, act, &last);
                return Ok(Report::one(refused, Verdict::No));
            }
            Some(_) => {}
        }
    }
    app.reopen_if_replaced(opened)?;
    perform(app, opened, &session, name, &wanted, &draft, &own)
}

/// Prompts for password and code, as a sign-in does, until it is decided.
fn enter(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    first: Texts,
) -> Result<(SignInResult, Texts)> {
    let mut texts = first;
    let typed = ask_hidden(app, texts, &texts.fill(Text::PasswordOf, &[("user", name.as_str())]))?;
    let mut credentials = Credentials {
        password: Password::read("password", &typed).ok(),
        new_password: None,
        code: None,
        without: NotEnabledPolicy::Accept,
        origin: AttemptOrigin::default(),
    };
    let (talk, mut malformed, mut wrong) = (Talk::default(), 0, 0);
    loop {
        app.reopen_if_replaced(opened)?;
        let done = authenticate::sign_in(app, opened, name, &credentials)?;
        if done.step.tells_of_right_password() {
            texts = Texts(language_of(app, done.user.as_ref()));
        }
        set_interrupt_message(app, texts.text(Text::Unchanged));
        let had_code = credentials.code.take().is_some();
        match &done.step {
            SignInOutcome::CodeRequired => {}
            SignInOutcome::Rejected(reason @ (RejectReason::Code | RejectReason::UsedCode))
                if had_code && wrong + 1 < TRIES =>
            {
                wrong += 1;
                talk.say(app, &refused_code(texts, *reason, source(&done)));
            }
            _ => return Ok((done, texts)),
        }
        credentials.code = ask_code(app, texts, &talk, source(&done), &mut malformed)?;
        if credentials.code.is_none() {
            return Ok((done, texts));
        }
    }
}

/// Asks for the next code of the device that was used at the door. Returns the last answer; `None` if there was none.
fn prove_again(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    texts: Texts,
    session: &mut Session,
    name: &UserName,
    user: &User,
) -> Result<Option<Evaluation>> {
    let DoorProof::Device(id) = session.proof else { return Ok(None) };
    let device = user.device(id)?;
    let (label, source) = (device.label.to_string(), CodeSource::of(device));
    let values = [("device", &*label), ("wait", texts.next_code_wait(source))];
    app.note(&texts.fill(Text::NextCodeTaken, &values));
    let question = texts.fill(Text::NextCodeOf, &[("device", &label)]);
    let (mut last, mut wrong, mut malformed) = (None, 0, 0);
    while wrong < TRIES {
        let line = ask_hidden(app, texts, &question)?;
        let code: Zeroizing<Vec<u8>> =
            Zeroizing::new(line.bytes().filter(|b| *b != b' ').collect());
        if code.is_empty() {
            break;
        }
        if !Submitted::read(&code).is_of_device() && malformed < 2 * TRIES {
            malformed += 1;
            app.note(&texts.fill(Text::NotACodeOf, &[("form", texts.code_form(source))]));
            continue;
        }
        app.reopen_if_replaced(opened)?;
        let proved = authenticate::prove_again(app, opened, session, name, &code)?;
        set_interrupt_message(app, texts.text(Text::Unchanged));
        let is_over = session.has_second_code || matches!(proved.outcome, Outcome::Locked { .. });
        let is_used = matches!(proved.outcome, Outcome::Replayed { .. });
        last = Some(proved);
        if is_over {
            break;
        }
        wrong += 1;
        let reason = if is_used { RejectReason::UsedCode } else { RejectReason::Code };
        app.note(&refused_code(texts, reason, source));
    }
    Ok(last)
}

/// A line of the menu.
fn title(act: OwnAct, user: &User) -> Text {
    match act {
        OwnAct::AddDevice if user.live().next().is_none() => Text::SetUpFirst,
        OwnAct::AddDevice => Text::SetUpFurther,
        OwnAct::ReplaceDevice => Text::SetUpReplacement,
        OwnAct::SwitchOff => Text::SwitchOff,
        OwnAct::RemoveDevice => Text::RemoveDevice,
        OwnAct::RenameDevice => Text::RenameDevice,
        OwnAct::RecoveryCodes => Text::MakeRecoveryCodes,
    }
}

/// Asks what the act needs to know; `None` if the person leaves.
fn details(app: &mut App<'_>, texts: Texts, act: OwnAct, user: &User) -> Result<Option<Wanted>> {
    let mut wanted = Wanted { act, device: None, label: None };
    let is_meant = |device: &&Device| act != OwnAct::ReplaceDevice || device.is_active();
    if matches!(act, OwnAct::ReplaceDevice | OwnAct::RemoveDevice | OwnAct::RenameDevice) {
        let devices: Vec<&Device> = user.live().filter(is_meant).collect();
        let line = |device: &&Device| {
            format!("{} ({})", device.label, texts.device_kind(CodeSource::of(device)))
        };
        let labels: Vec<_> = devices.iter().map(line).collect();
        let index = match labels.len() {
            1 => 0,
            _ => match choose(app, texts, Text::WhichDevice, &labels)? {
                Some(index) => index,
                None => return Ok(None),
            },
        };
        wanted.device = devices.get(index).map(|device| device.label.clone());
    }
    let question = match act {
        OwnAct::AddDevice => Text::NameOfNew,
        OwnAct::RenameDevice => Text::NewNameQuestion,
        _ => return Ok(Some(wanted)),
    };
    for _ in 0..TRIES {
        let typed = ask(app, texts, texts.text(question))?;
        if typed.trim().is_empty() {
            return Ok((act == OwnAct::AddDevice).then_some(wanted));
        }
        if let Ok(label) = Label::parse(typed.trim()) {
            wanted.label = Some(label);
            return Ok(Some(wanted));
        }
        app.note(&texts.fill(Text::NotAName, &[("most", &Label::LONGEST.to_string())]));
    }
    Err(Refusal::new(ErrorCode::BadInput, "no name that can be used was typed")
        .hint("nothing was changed; start again")
        .into())
}

/// Says what follows, and asks, before something is taken away.
fn agrees(
    app: &mut App<'_>,
    own: &OwnWords<'_>,
    wanted: &Wanted,
    draft: &ActDraft,
    expected: &ChangeResult,
) -> Result<bool> {
    let texts = own.texts;
    let device = wanted.device.as_ref().map(ToString::to_string).unwrap_or_default();
    let question = match wanted.act {
        OwnAct::SwitchOff => Text::AskSwitchOff,
        OwnAct::RemoveDevice if expected.user.live().next().is_none() => Text::AskRemoveLast,
        OwnAct::RemoveDevice => Text::AskRemove,
        OwnAct::ReplaceDevice => Text::AskReplace,
        OwnAct::RecoveryCodes if own.before.recovery.is_some() => Text::AskRecoveryCodes,
        _ => return Ok(true),
    };
    if matches!(wanted.act, OwnAct::SwitchOff | OwnAct::RemoveDevice) {
        let meaning = own.meaning(app, draft, &expected.user, expected.at);
        let meaning = meaning.join(texts.text(Text::Separator));
        if !meaning.is_empty() {
            app.note(&texts.fill(Text::Afterwards, &[("meaning", &meaning)]));
        }
    }
    let words = YesNo {
        choice: texts.text(Text::YesOrNo),
        again: texts.text(Text::AnswerYesOrNo),
        yes: texts.text(Text::YesWords),
        no: texts.text(Text::NoWords),
    };
    let question = texts.fill(question, &[("device", &device)]);
    app.person("run it at a terminal")?.confirm(&question, &words)
}

/// Changes the store, and shows what is new.
fn perform(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    wanted: &Wanted,
    draft: &ActDraft,
    own: &OwnWords<'_>,
) -> Result<Report> {
    let texts = own.texts;
    if let ActDraft::Codes(codes) = draft {
        return show_codes(app, opened, session, wanted, draft, codes, own);
    }
    let showing = match draft {
        ActDraft::Device(_) => ShowOptions::default().choose_output(app, false)?,
        _ => SecretOutput::Nowhere,
    };
    let mut done = acts::carry_out(app, opened, session, name, wanted, draft)?;
    let mut words = own.sentence(app, wanted, draft, &done);
    let mut verdict = Verdict::Yes;
    if let ActDraft::Device(draft) = draft {
        let device = done.user.device(draft.id())?.clone();
        let issuer = app.config.issuer.clone();
        let next_step = texts.fill(Text::OwnPending, &[("device", device.label.as_str())]);
        let user = done.user.clone();
        let key = EnrolmentKey::new(&user, &issuer, &device, &draft.secret)?;
        let proving = Proving {
            verb: wanted.act.verb(),
            key: &key,
            asks: can_ask(app, &showing),
            showing,
            next_step: &next_step,
            at: done.at,
        };
        (done.user, verdict) = show_and_prove(app, opened, proving)?.into_parts(&user);
        if let Ok(device) = done.user.device(device.id)
            && device.is_active()
        {
            let values = [("user", name.as_str()), ("device", device.label.as_str())];
            words = texts.fill(Text::IsSetUp, &values);
        }
    }
    Ok(Report::one(MeReport::done(app, session, wanted, &done, words), verdict))
}

fn show_codes(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    wanted: &Wanted,
    draft: &ActDraft,
    codes: &CodesDraft,
    own: &OwnWords<'_>,
) -> Result<Report> {
    let (texts, name) = (own.texts, &own.before.name);
    let output =
        SecretOutput::choose(app, None, false, false)?.require("a set of codes", "FILE")?;
    let user = opened.read_user(name)?;
    let text = recovery_codes::render(texts, &user, &codes.codes);
    let about = texts.text(Text::RecoveryAbout).to_owned();
    let shown = show_text(app, output, OnceText { about, text, texts })?;
    let done = acts::carry_out(app, opened, session, name, wanted, draft)
        .context("the codes that were shown are not valid")?;
    shown.keep(app);
    let words = own.sentence(app, wanted, draft, &done);
    Ok(Report::one(MeReport::done(app, session, wanted, &done, words), Verdict::Yes))
}

/// Lets the person choose a line by its number; `None` for an empty line, and after too many that are no number.
fn choose(
    app: &mut App<'_>,
    texts: Texts,
    question: Text,
    choices: &[String],
) -> Result<Option<usize>> {
    let numbered = choices.iter().zip(1..).map(|(choice, number)| format!("  {number}  {choice}"));
    write_lines(app, &numbered.collect::<Vec<_>>())?;
    for _ in 0..TRIES {
        let typed = ask(app, texts, texts.text(question))?;
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let number = typed.parse::<usize>().ok().filter(|n| (1..=choices.len()).contains(n));
        if let Some(number) = number {
            return Ok(Some(number - 1));
        }
        app.note(&texts.fill(Text::TypeANumber, &[("most", &choices.len().to_string())]));
    }
    Ok(None)
}

fn ask(app: &mut App<'_>, texts: Texts, words: &str) -> Result<Zeroizing<String>> {
    let person = app.person("give a line of JSON on standard input instead")?;
    person.line(&texts.question(words))
}

fn write_lines(app: &mut App<'_>, lines: &[String]) -> Result<()> {
    let columns: usize = app.env.err.terminal.map_or(80, |size| size.columns.into());
    for line in lines {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        for part in wrapped(line.trim_start(), columns.saturating_sub(indent.len())) {
            writeln!(app.env.err.writer, "{indent}{part}")?;
        }
    }
    Ok(())
}

fn set_interrupt_message(app: &mut App<'_>, message: &str) {
    if let Some(person) = &mut app.env.prompt {
        person.set_interrupt_message(message);
    }
}
