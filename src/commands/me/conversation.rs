//! Self-service at a terminal: the door, a menu with numbers, one act.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use super::acts;
use super::acts::{ActDraft, CodesDraft};
use super::input::Wanted;
use super::report::{MeReport, lines, offered};
use crate::app::{App, OpenStore};
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
use crate::domain::login_rule::NotEnabledPolicy;
use crate::domain::name::{Label, UserName};
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::Password;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::self_service::{DoorProof, OwnAct, Session};
use crate::domain::sign_in::{RejectReason, SignInOutcome};
use crate::domain::text::wrapped;
use crate::domain::user::User;
use crate::operate::change::ChangeResult;
use crate::report::{Report, Verdict};
use crate::show::secret_output::SecretOutput;
use crate::show::show_once::{OnceText, show_text};
use crate::show::{EnrolmentKey, ShowOptions};

const UNCHANGED: &str = "nothing was changed";

/// Asks for password and code, then for one act.
pub fn hold(app: &mut App<'_>, opened: &mut OpenStore, name: &UserName) -> Result<Report> {
    let done = enter(app, opened, name)?;
    set_interrupt_message(app, UNCHANGED);
    let (mut session, user) = match (authenticate::session(&done), &done.user) {
        (Some(session), Some(user)) => (session, user.clone()),
        _ => return Ok(Report::one(MeReport::turned_away(app, name, &done), Verdict::No)),
    };
    let acts = offered(app, &session, &user);
    let ends = |app: &App<'_>, session: &Session| {
        Report::one(MeReport::status(app, session, &user, &done), Verdict::Yes)
    };
    if acts.is_empty() {
        return Ok(ends(app, &session));
    }
    write_lines(app, &lines(&user))?;
    let titles: Vec<_> = acts.iter().map(|act| title(*act, &user).to_owned()).collect();
    let Some(index) = choose(app, "What do you want to do?", &titles)? else {
        return Ok(ends(app, &session));
    };
    let act = acts[index];
    if act.has_secret() && SecretOutput::choose(app, None, false, false)?.is_nowhere() {
        let problem =
            format!("{} has a secret to show, and standard output is no terminal", act.word());
        return Err(Refusal::new(ErrorCode::Usage, problem).hint("run it without a pipe").into());
    }
    let Some(wanted) = details(app, act, &user)? else { return Ok(ends(app, &session)) };
    let draft = ActDraft::new(app, &wanted)?;
    // What can't be done is said before a code is used up, and before a secret is shown.
    let now = app.env.clock.now()?;
    let expected = acts::check(app, &session, &wanted, &draft, &user, now, &opened.vault)?;
    if !agrees(app, &wanted, &user, &expected)? {
        return Ok(ends(app, &session));
    }
    if session.lacks_second_code(act) {
        let last = prove_again(app, opened, &mut session, name, &user)?;
        match last {
            None => return Ok(ends(app, &session)),
            Some(last) if !session.has_second_code => {
                return Ok(Report::one(MeReport::second_refused(name, act, &last), Verdict::No));
            }
            Some(_) => {}
        }
    }
    app.reopen_if_replaced(opened)?;
    perform(app, opened, &session, name, &wanted, &draft)
}

/// Prompts for password and code, as a sign-in does, until it is decided.
fn enter(app: &mut App<'_>, opened: &mut OpenStore, name: &UserName) -> Result<SignInResult> {
    let typed = ask_hidden(app, &format!("Password of {name}"))?;
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
        set_interrupt_message(app, UNCHANGED);
        let had_code = credentials.code.take().is_some();
        match &done.step {
            SignInOutcome::CodeRequired => {}
            SignInOutcome::Rejected(reason @ (RejectReason::Code | RejectReason::UsedCode))
                if had_code && wrong + 1 < TRIES =>
            {
                wrong += 1;
                talk.say(app, &refused_code(*reason, source(&done)));
            }
            _ => return Ok(done),
        }
        credentials.code = ask_code(app, &talk, source(&done), &mut malformed)?;
        if credentials.code.is_none() {
            return Ok(done);
        }
    }
}

/// Asks for the next code of the device that was used at the door. Returns the last answer; `None` if there was none.
fn prove_again(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &mut Session,
    name: &UserName,
    user: &User,
) -> Result<Option<Evaluation>> {
    let DoorProof::Device(id) = session.proof else { return Ok(None) };
    let device = user.device(id)?;
    let (label, source) = (device.label.to_string(), CodeSource::of(device));
    app.note(&format!("this takes the next code of {label} too: {}", source.wait()));
    let (mut last, mut wrong, mut malformed) = (None, 0, 0);
    while wrong < TRIES {
        let line = ask_hidden(app, &format!("Next code of {label}"))?;
        let code: Zeroizing<Vec<u8>> =
            Zeroizing::new(line.bytes().filter(|b| *b != b' ').collect());
        if code.is_empty() {
            break;
        }
        if !Submitted::read(&code).is_of_device() && malformed < 2 * TRIES {
            malformed += 1;
            app.note(&format!("that is no code: {}", source.instruction()));
            continue;
        }
        app.reopen_if_replaced(opened)?;
        let proved = authenticate::prove_again(app, opened, session, name, &code)?;
        set_interrupt_message(app, UNCHANGED);
        let is_over = session.has_second_code || matches!(proved.outcome, Outcome::Locked { .. });
        let is_used = matches!(proved.outcome, Outcome::Replayed { .. });
        last = Some(proved);
        if is_over {
            break;
        }
        wrong += 1;
        let reason = if is_used { RejectReason::UsedCode } else { RejectReason::Code };
        app.note(&refused_code(reason, source));
    }
    Ok(last)
}

/// A line of the menu.
fn title(act: OwnAct, user: &User) -> &'static str {
    match act {
        OwnAct::AddDevice if user.live().next().is_none() => "set up a device",
        OwnAct::AddDevice => "set up a further device",
        OwnAct::ReplaceDevice => "set up a new device in place of another",
        OwnAct::SwitchOff => "switch MFA off",
        OwnAct::RemoveDevice => "remove a device",
        OwnAct::RenameDevice => "rename a device",
        OwnAct::RecoveryCodes => "make new recovery codes",
    }
}

/// Asks what the act needs to know; `None` if the person leaves.
fn details(app: &mut App<'_>, act: OwnAct, user: &User) -> Result<Option<Wanted>> {
    let mut wanted = Wanted { act, device: None, label: None };
    let is_meant = |device: &&Device| act != OwnAct::ReplaceDevice || device.is_active();
    if matches!(act, OwnAct::ReplaceDevice | OwnAct::RemoveDevice | OwnAct::RenameDevice) {
        let devices: Vec<&Device> = user.live().filter(is_meant).collect();
        let line = |device: &&Device| format!("{} ({})", device.label, device.factor.kind());
        let labels: Vec<_> = devices.iter().map(line).collect();
        let index = match labels.len() {
            1 => 0,
            _ => match choose(app, "Which device?", &labels)? {
                Some(index) => index,
                None => return Ok(None),
            },
        };
        wanted.device = devices.get(index).map(|device| device.label.clone());
    }
    let question = match act {
        OwnAct::AddDevice => "Name of the new device (Enter: chosen for you)",
        OwnAct::RenameDevice => "New name (Enter: leave)",
        _ => return Ok(Some(wanted)),
    };
    for _ in 0..TRIES {
        let typed = ask(app, question)?;
        if typed.trim().is_empty() {
            return Ok((act == OwnAct::AddDevice).then_some(wanted));
        }
        match Label::parse(typed.trim()) {
            Ok(label) => {
                wanted.label = Some(label);
                return Ok(Some(wanted));
            }
            Err(refusal) => app.note(&refusal.to_string()),
        }
    }
    Err(Refusal::new(ErrorCode::BadInput, "no name that can be used was typed")
        .hint("nothing was changed; start again")
        .into())
}

/// Says what follows, and asks, before something is taken away.
fn agrees(
    app: &mut App<'_>,
    wanted: &Wanted,
    before: &User,
    expected: &ChangeResult,
) -> Result<bool> {
    let device = wanted.device.as_ref().map(ToString::to_string).unwrap_or_default();
    let question = match wanted.act {
        OwnAct::SwitchOff => "Switch MFA off? Only the helpdesk can switch it on again.".to_owned(),
        OwnAct::RemoveDevice if expected.user.live().next().is_none() => {
            format!("Remove {device}, your last device, and all recovery codes?")
        }
        OwnAct::RemoveDevice => format!("Remove {device}?"),
        OwnAct::ReplaceDevice => {
            format!("Set up a new device? {device} stops with the first code of the new one.")
        }
        OwnAct::RecoveryCodes if before.recovery.is_some() => {
            "Make new recovery codes? The earlier ones become void.".to_owned()
        }
        _ => return Ok(true),
    };
    let takes_away = matches!(wanted.act, OwnAct::SwitchOff | OwnAct::RemoveDevice);
    if takes_away && !expected.consequences.is_empty() {
        app.note(&format!("afterwards: {}", expected.consequences.join("; ")));
    }
    app.confirm(&question)
}

/// Changes the store, and shows what is new.
fn perform(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    wanted: &Wanted,
    draft: &ActDraft,
) -> Result<Report> {
    if let ActDraft::Codes(codes) = draft {
        return show_codes(app, opened, session, name, wanted, draft, codes);
    }
    let showing = match draft {
        ActDraft::Device(_) => {
            ShowOptions { output: None, reveal_secrets: false }.choose_output(app, false)?
        }
        _ => SecretOutput::Nowhere,
    };
    let mut done = acts::carry_out(app, opened, session, name, wanted, draft)?;
    let mut words = acts::sentence(wanted, draft, &done);
    let mut verdict = Verdict::Yes;
    if let ActDraft::Device(draft) = draft {
        let device = done.user.device(draft.id())?.clone();
        let issuer = app.config.issuer.clone();
        let next_step =
            format!("the new device {} is pending: its first code confirms it", device.label);
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
            words = format!("{name}: {} is set up", device.label);
        }
    }
    Ok(Report::one(MeReport::done(app, session, wanted, &done, words), verdict))
}

fn show_codes(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    wanted: &Wanted,
    draft: &ActDraft,
    codes: &CodesDraft,
) -> Result<Report> {
    let output =
        SecretOutput::choose(app, None, false, false)?.require("a set of codes", "FILE")?;
    let user = opened.read_user(name)?;
    let text = recovery_codes::render(&user, &codes.codes);
    let about = "These codes are shown this once, and are good until they are used; the earlier \
                 ones are void. Keep them on paper."
        .to_owned();
    let shown = show_text(app, output, OnceText { about, text })?;
    let done = acts::carry_out(app, opened, session, name, wanted, draft)
        .context("the codes that were shown are not valid")?;
    shown.keep(app);
    let words = acts::sentence(wanted, draft, &done);
    Ok(Report::one(MeReport::done(app, session, wanted, &done, words), Verdict::Yes))
}

/// Lets the person choose a line by its number; `None` for an empty line, and after too many that are no number.
fn choose(app: &mut App<'_>, question: &str, choices: &[String]) -> Result<Option<usize>> {
    let numbered = choices.iter().zip(1..).map(|(choice, number)| format!("  {number}  {choice}"));
    write_lines(app, &numbered.collect::<Vec<_>>())?;
    for _ in 0..TRIES {
        let typed = ask(app, &format!("{question} Number, or Enter to leave"))?;
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let number = typed.parse::<usize>().ok().filter(|n| (1..=choices.len()).contains(n));
        if let Some(number) = number {
            return Ok(Some(number - 1));
        }
        app.note(&format!("type a number from 1 to {}", choices.len()));
    }
    Ok(None)
}

fn ask(app: &mut App<'_>, question: &str) -> Result<Zeroizing<String>> {
    app.person("give a line of JSON on standard input instead")?.line(question)
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
