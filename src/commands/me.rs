//! `mfactl me`

mod acts;
mod conversation;
mod input;
mod report;

use anyhow::Result;
use clap::Args;

use self::acts::{ActDraft, OwnWords};
use self::input::OwnRequest;
use self::report::MeReport;
use super::Verb;
use crate::app::{App, OpenStore, language_of};
use crate::authenticate;
use crate::commands::sign_in::{texts_after, verdict};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::system_uid;
use crate::operate;
use crate::report::{Report, Verdict};
use crate::texts::Texts;

/// See and change your own MFA, after password and code
///
/// For users themselves, who run it through a `sudo` rule that is everybody's: the user is then the one who called
/// `sudo`. The section `self_service` of the configuration says what they may do: set up a further device or one in
/// place of another, switch MFA off where it is optional, remove or rename a device, make recovery codes. All but a
/// new name takes two codes of one device in a row.
///
/// At a terminal, mfactl prompts for each step. Otherwise it reads one line of JSON from standard input,
/// `{"password":…,"code":…,"next_code":…,"act":…,"device":…,"label":…}`; without `act` it shows the status. Exit code
/// 0 is no sign-in.
#[derive(Args, Debug)]
pub struct Me {
    /// The user, where a service asks for them
    ///
    /// Needs the role `service` or `admin`; through the rule that is everybody's it is refused.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Put a new secret or new recovery codes in the report
    #[arg(long)]
    reveal_secrets: bool,
}

impl Verb for Me {
    const NAME: &'static str = "me";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl me", "mfactl me --name alice < request.json"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = subject(app, self.name.as_deref())?;
        app.env.process.is_self_service = true;
        if app.env.prompt.is_some() {
            let mut opened = app.open_store()?;
            let texts = first_texts(app, &mut opened, &name, self.name.is_some())?;
            return conversation::hold(app, &mut opened, &name, texts);
        }
        app.options.default_to_json();
        let request = OwnRequest::read(app, self.reveal_secrets)?;
        let mut opened = app.open_store()?;
        answer(app, &mut opened, &name, &request)
    }
}

/// What the user reads before the door. Who runs this for themselves is known to the machine; whoever names somebody
/// must not learn from the language that the name exists.
fn first_texts(
    app: &App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    is_named: bool,
) -> Result<Texts> {
    let user = if is_named { None } else { opened.store.read()?.user(name)? };
    Ok(Texts(language_of(app, user.as_ref())))
}

/// The user whose MFA this is about.
fn subject(app: &mut App<'_>, named: Option<&str>) -> Result<UserName> {
    match named {
        None => own_name(app),
        Some(named) if may_name_anybody(app) => Ok(app.user_name(named)?),
        Some(named) => {
            // Compared without the store: the answer must not tell who is in it.
            let is_own = app.config.names.read(named).is_ok_and(|named| {
                login_name(app)
                    .is_ok_and(|own| app.config.names.read(&own).is_ok_and(|own| own == named))
            });
            if is_own {
                return own_name(app);
            }
            Err(Refusal::new(ErrorCode::NotPermitted, "--name is for services and admins")
                .hint("leave --name out: then it is about yourself")
                .into())
        }
    }
}

/// Whether the caller may ask about another user: root, the system user itself, and who has the role. Without roles
/// that is everybody who has come to store and key without `sudo`.
fn may_name_anybody(app: &App<'_>) -> bool {
    let process = &app.env.process;
    let uid = operate::operator_uid(app);
    let is_through_sudo = process.sudo_uid == Some(uid);
    if uid == 0 || (!is_through_sudo && Some(uid) == system_uid()) {
        return true;
    }
    match app.authorization.roles {
        Some(_) => operate::can_run(app, Me::NAME),
        None => !is_through_sudo,
    }
}

fn own_name(app: &mut App<'_>) -> Result<UserName> {
    let login = login_name(app)?;
    Ok(app.user_name(&login)?)
}

/// The login name of the caller, as the name service has it.
fn login_name(app: &App<'_>) -> Result<String, Refusal> {
    let uid = operate::operator_uid(app);
    let refuse = |problem: &str| {
        Refusal::new(ErrorCode::NotPermitted, problem)
            .hint("run it as the user whom it is about, or name them with --name")
    };
    if uid == 0 || Some(uid) == system_uid() {
        return Err(refuse("root and the system user have no MFA here"));
    }
    let user = uzers::get_user_by_uid(uid);
    let name = user.as_ref().and_then(|user| user.name().to_str());
    name.map(str::to_owned).ok_or_else(|| refuse("your uid has no name on this machine"))
}

/// Answers one line of JSON.
fn answer(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    request: &OwnRequest,
) -> Result<Report> {
    let done = authenticate::sign_in(app, opened, name, &request.credentials)?;
    let texts = texts_after(app, &done);
    let (mut session, user) = match (authenticate::session(&done), &done.user) {
        (Some(session), Some(user)) => (session, user.clone()),
        _ => return Ok(Report::one(MeReport::turned_away(app, texts, name, &done), Verdict::No)),
    };
    let Some(wanted) = &request.wanted else {
        let verdict = verdict(&done.step);
        return Ok(Report::one(MeReport::status(app, texts, &session, &user, &done), verdict));
    };
    let draft = ActDraft::new(app, wanted)?;
    // What can't be done is said before the second code is used up.
    acts::check(app, &session, wanted, &draft, &user, session.at, &opened.vault)?;
    if session.lacks_second_code(wanted.act) {
        let next = request.next_code.as_ref().map_or(&[][..], |code| code);
        let proved = authenticate::prove_again(app, opened, &mut session, name, next)?;
        if !session.has_second_code {
            return Ok(Report::one(
                MeReport::second_refused(app, texts, name, wanted.act, &proved),
                Verdict::No,
            ));
        }
    }
    let own = OwnWords { texts, before: &user };
    acts::answer(app, opened, &session, name, wanted, &draft, &own)
}
