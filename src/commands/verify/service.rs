//! `mfactl verify --from SERVICE`: reads a login from PAM, OpenVPN or RADIUS and answers in the form
//! that the service expects.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::app::App;
use crate::authenticate;
use crate::authenticate::login::LoginRequest;
use crate::authenticate::services::{ServiceInput, handover_file, openvpn, pam, radius};
use crate::authenticate::verifier::{Asked, Verifier};
use crate::config::PathOptions;
use crate::domain::otp::LONGEST_INPUT;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::service_rules::NotEnabledPolicy;
use crate::env::Process;
use crate::report::{Report, Verdict};
use crate::texts::Texts;

/// Limit in bytes of a line with password and code. PAM itself hands over no more than 511.
const LONGEST_LINE: usize = 4 * LONGEST_INPUT;

#[derive(Args, Debug)]
#[command(next_help_heading = "For a login service")]
pub struct ServiceOptions {
    /// Login service that hands over user and code
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub from: Option<LoginService>,
    /// Answer for users who have no MFA and need none
    ///
    /// Without it they are refused.
    #[arg(long, value_enum, value_name = "WHAT")]
    not_enabled: Option<NotEnabled>,
    /// Input is password then code; check both
    #[arg(long, value_enum, value_name = "WHERE")]
    split: Option<Split>,
    /// Socket of the verifier to ask, or none
    ///
    /// Without it the machine's verifier is asked, `/run/mfactl/verify`, unless an option names a store or a
    /// key, or another configuration than the machine's. Where no verifier answers, the store is opened.
    #[arg(long, value_name = "PATH|none")]
    socket: Option<PathBuf>,
}

impl ServiceOptions {
    /// Refuses what means nothing without a login service.
    pub fn require_from(&self) -> Result<(), Refusal> {
        let given = [
            ("--not-enabled", self.not_enabled.is_some()),
            ("--split", self.split.is_some()),
            ("--socket", self.socket.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given && self.from.is_none()) {
            Some((option, _)) => {
                Err(Refusal::new(ErrorCode::Usage, format!("{option} needs --from"))
                    .hint("name the login service: --from pam, openvpn or radius"))
            }
            None => Ok(()),
        }
    }

    /// The socket of the verifier to ask, if one is to be asked.
    pub fn verifier(&self, process: &Process, paths: &PathOptions) -> Option<PathBuf> {
        let path = paths.verifier(self.socket.as_deref())?;
        if self.socket.is_some() {
            return Some(path);
        }
        Some(process.root.join(path.strip_prefix("/").unwrap_or(&path)))
    }

    /// What to answer for users without MFA, and whether there is a password to check.
    fn terms(&self) -> (NotEnabledPolicy, bool) {
        let without = match self.not_enabled {
            Some(NotEnabled::Accept) => NotEnabledPolicy::Accept,
            Some(NotEnabled::Refuse) | None => NotEnabledPolicy::Refuse,
        };
        (without, self.split.is_some())
    }
}

/// Who decides.
pub enum Decider {
    /// The verifier of this machine.
    Verifier(Verifier),
    /// This process, with store and key.
    Own,
}

/// The verifier did not decide, so that this process may.
#[derive(Debug)]
pub struct Undecided {
    /// Who runs this process may not ask the verifier about this user.
    pub is_forbidden: bool,
}

impl std::fmt::Display for Undecided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no verifier answers")
    }
}

impl std::error::Error for Undecided {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LoginService {
    /// `pam_exec` with `expose_authtok`
    Pam,
    /// auth-user-pass-verify and client-crresponse
    #[value(name = "openvpn")]
    OpenVpn,
    /// FreeRADIUS with `rlm_exec`
    Radius,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NotEnabled {
    Accept,
    Refuse,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Split {
    /// The code is the last 6 to 8 digits, or the last 44 letters of a YubiKey
    Last,
}

/// Answers a service. `argument` is the file that OpenVPN names as last argument.
pub fn answer(
    app: &mut App<'_>,
    decider: &mut Decider,
    service: LoginService,
    options: &ServiceOptions,
    argument: Option<&str>,
) -> Result<Report> {
    match service {
        LoginService::OpenVpn => openvpn(app, decider, options, argument),
        // Whoever logs in could choose the argument.
        _ if argument.is_some() => {
            Err(Refusal::new(ErrorCode::Usage, "with --from, the login service names the user")
                .hint("leave the name out")
                .into())
        }
        LoginService::Pam => {
            let input = authenticate::service_input(app, LONGEST_LINE)?;
            let asked = pam::read(&|name| authenticate::service_variable(app, name), input)?;
            let lets_in = decide(app, decider, options.terms(), &asked, |_| Ok(()))?;
            Ok(Report::empty(verdict(lets_in)))
        }
        LoginService::Radius => {
            let asked = radius::read(&|name| authenticate::service_variable(app, name))?;
            if asked.typed.code().is_empty() {
                if needs_no_code(app, decider, &asked)? {
                    return Ok(Report::empty(Verdict::Yes));
                }
                let challenge = radius::challenge(site_texts(app), app.env.random()?);
                return Ok(Report { verdict: Verdict::No, ..Report::text(challenge) });
            }
            if decide(app, decider, options.terms(), &asked, |_| Ok(()))? {
                return Ok(Report::empty(Verdict::Yes));
            }
            Ok(Report { verdict: Verdict::No, ..Report::text(radius::rejection(site_texts(app))) })
        }
    }
}

/// The words for whoever logs in, whom nobody knows yet: an answer in the user's language would tell that the name exists.
fn site_texts(app: &App<'_>) -> Texts {
    Texts(app.config.site.language)
}

const fn verdict(lets_in: bool) -> Verdict {
    if lets_in { Verdict::Yes } else { Verdict::No }
}

fn openvpn(
    app: &mut App<'_>,
    decider: &mut Decider,
    options: &ServiceOptions,
    argument: Option<&str>,
) -> Result<Report> {
    let is_second = openvpn::is_second_call(&|name| authenticate::service_variable(app, name));
    let control = is_second.then(|| handed(app, "auth_control_file")).transpose()?;
    let reason = handed(app, "auth_failed_reason_file").ok();
    let (process, texts) = (app.env.process.clone(), site_texts(app));
    let files = OpenVpnFiles { reason, control, process, texts };
    let at_deadline = files.clone();
    authenticate::on_timeout(app, move |lets_in| drop(at_deadline.write(lets_in)));
    openvpn_login(app, decider, options, argument, &files).or_else(|error| {
        if error.is::<Undecided>() {
            return Err(error);
        }
        // The client waits for a verdict in the file, and any error is a no.
        files.write(false)?;
        Err(error)
    })
}

fn openvpn_login(
    app: &mut App<'_>,
    decider: &mut Decider,
    options: &ServiceOptions,
    argument: Option<&str>,
    files: &OpenVpnFiles,
) -> Result<Report> {
    let file = argument
        .map(|path| handover_file::read(Path::new(path), &app.env.process, openvpn::LARGEST_FILE));
    let call = openvpn::read(&|name| authenticate::service_variable(app, name), file.transpose()?)?;
    let asked = match &call {
        // The second prompt returns the code alone, so the password would go unchecked.
        openvpn::ScriptCall::Response(_) if options.split.is_some() => {
            files.write(false)?;
            return Ok(Report::empty(Verdict::No));
        }
        openvpn::ScriptCall::AskFirst(asked) if options.split.is_none() => {
            if needs_no_code(app, decider, asked)? {
                files.write(true)?;
                return Ok(Report::empty(Verdict::Yes));
            }
            handover_file::write_reply(
                &handed(app, "auth_pending_file")?,
                &app.env.process,
                &openvpn::pending_file(site_texts(app)),
            )?;
            return Ok(Report::empty(Verdict::Deferred));
        }
        openvpn::ScriptCall::Verify(asked)
        | openvpn::ScriptCall::AskFirst(asked)
        | openvpn::ScriptCall::Response(asked) => asked,
    };
    let lets_in = decide(app, decider, options.terms(), asked, |lets_in| files.write(lets_in))?;
    Ok(Report::empty(verdict(lets_in)))
}

fn handed(app: &App<'_>, variable: &str) -> Result<PathBuf, Refusal> {
    authenticate::service_variable(app, variable).map(PathBuf::from).ok_or_else(|| {
        Refusal::new(ErrorCode::Usage, format!("the login service did not hand over {variable}"))
    })
}

/// The files that OpenVPN reads besides the exit code.
#[derive(Clone)]
struct OpenVpnFiles {
    reason: Option<PathBuf>,
    control: Option<PathBuf>,
    process: Process,
    texts: Texts,
}

impl OpenVpnFiles {
    fn write(&self, lets_in: bool) -> Result<(), Refusal> {
        let put = |path: &Option<PathBuf>, text| {
            let path = path.as_ref();
            path.map_or(Ok(()), |path| handover_file::write_reply(path, &self.process, text))
        };
        // OpenVPN reads the reason once it sees the verdict, so the reason is written first; a verdict
        // without a reason is valid too.
        let reason =
            if lets_in { Ok(()) } else { put(&self.reason, openvpn::rejection(self.texts)) };
        put(&self.control, if lets_in { "1" } else { "0" }).and(reason)
    }
}

/// Whether the rules of the service let a user in who was not asked for a code yet. In doubt they are asked, which takes
/// no store.
fn needs_no_code(app: &mut App<'_>, decider: &mut Decider, asked: &ServiceInput) -> Result<bool> {
    authenticate::note_origin(app, &asked.origin);
    let is_own = matches!(decider, Decider::Own);
    if is_own && app.config.services.rules(&asked.origin).is_none() {
        return Ok(false);
    }
    // Users without MFA who are let in for that alone are asked as before: they may have a first code.
    let terms = (NotEnabledPolicy::Refuse, false);
    match decide(app, decider, terms, asked, |_| Ok(())) {
        Err(error) if error.is::<Undecided>() => Err(error),
        answered => Ok(answered.unwrap_or(false)),
    }
}

/// Decides the login. `on_decision` hands over the answer before notices are sent.
fn decide(
    app: &mut App<'_>,
    decider: &mut Decider,
    (without, has_password): (NotEnabledPolicy, bool),
    asked: &ServiceInput,
    on_decision: impl Fn(bool) -> Result<(), Refusal>,
) -> Result<bool> {
    authenticate::note_origin(app, &asked.origin);
    if let Decider::Verifier(verifier) = decider {
        return match verifier.ask(asked, without, has_password) {
            Asked::Answered { lets_in } => {
                on_decision(lets_in)?;
                Ok(lets_in)
            }
            Asked::Nobody => Err(Undecided { is_forbidden: false }.into()),
            Asked::Forbidden => Err(Undecided { is_forbidden: true }.into()),
            Asked::Late => {
                Err(Refusal::new(ErrorCode::Busy, "the verifier did not answer in time")
                    .hint("try again with another code, because this one may be used up")
                    .into())
            }
        };
    }
    let ServiceInput { name, typed, origin } = asked;
    let may_need_none =
        without == NotEnabledPolicy::Accept || app.config.services.rules(origin).is_some();
    if !typed.is_attempt(has_password, may_need_none) {
        on_decision(false)?;
        return Ok(false);
    }
    let Some(name) = &name.user(&app.config.names) else {
        on_decision(false)?;
        return Ok(false);
    };
    let login = LoginRequest { origin, name, typed, without, has_password };
    let mut opened = app.open_store()?;
    // The service must not wait while the store shortens its write-ahead log.
    opened.store.defer_upkeep();
    let done = authenticate::log_in(app, &mut opened, &login)?;
    on_decision(done.lets_in)?;
    authenticate::notify_after_login(app, &mut opened, &done);
    opened.store.upkeep();
    Ok(done.lets_in)
}
