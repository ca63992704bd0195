//! `mfactl verify --from`: a login service asks, and is answered in its own way.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::domain::code::LONGEST_INPUT;
use crate::domain::login::Without;
use crate::domain::refusal::{Code, Refusal};
use crate::report::{Report, Verdict};
use crate::services::{Asked, file, openvpn, pam, radius};
use crate::session::{Login, Session};

/// Bytes of the longest line with a password and a code in it; PAM hands over no more than 511.
const LONGEST_LINE: usize = 4 * LONGEST_INPUT;

/// A login service, and how it is answered.
#[derive(Args, Debug)]
#[command(next_help_heading = "For a login service")]
pub struct ServiceOptions {
    /// Take user and code from where this service puts them
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub from: Option<Service>,
    /// What becomes of users without MFA of whom it is not required
    #[arg(long, value_enum, value_name = "WHAT", requires = "from", default_value = "refuse")]
    not_enabled: NotEnabled,
    /// The line has the password before the code; both are checked
    #[arg(long, value_enum, value_name = "WHERE", requires = "from")]
    split: Option<Split>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// `pam_exec` with `expose_authtok`
    Pam,
    /// auth-user-pass-verify and client-crresponse
    #[value(name = "openvpn")]
    OpenVpn,
    /// `rlm_exec` of `FreeRADIUS`
    Radius,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NotEnabled {
    Accept,
    Refuse,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Split {
    /// The code is the last 6 or 8 digits
    Last,
}

/// Answers a service. OpenVPN names a file as its last argument.
pub fn answer(
    session: &mut Session<'_>,
    service: Service,
    options: &ServiceOptions,
    argument: Option<&str>,
) -> Result<Report> {
    match service {
        Service::OpenVpn => openvpn(session, options, argument),
        _ if argument.is_some() => {
            Err(Refusal::new(Code::Usage, "a login service hands the user over by itself")
                .hint("leave the name out; whoever logs in would choose the argument")
                .into())
        }
        Service::Pam => {
            let input = session.input_to(LONGEST_LINE)?;
            let asked = pam::read(&|name| session.handed(name), input)?;
            let lets_in = ask(session, "pam", options, &asked, |_| Ok(()))?;
            Ok(Report::silence(verdict(lets_in)))
        }
        Service::Radius => {
            let asked = radius::read(&|name| session.handed(name))?;
            if asked.given.code().is_empty() {
                let challenge = radius::challenge(session.env.random()?);
                return Ok(Report { verdict: Verdict::No, ..Report::text(challenge) });
            }
            if ask(session, "radius", options, &asked, |_| Ok(()))? {
                return Ok(Report::silence(Verdict::Yes));
            }
            Ok(Report { verdict: Verdict::No, ..Report::text(radius::REFUSED) })
        }
    }
}

const fn verdict(lets_in: bool) -> Verdict {
    if lets_in { Verdict::Yes } else { Verdict::No }
}

fn openvpn(
    session: &mut Session<'_>,
    options: &ServiceOptions,
    argument: Option<&str>,
) -> Result<Report> {
    let is_second = openvpn::is_second_call(&|name| session.handed(name));
    let control = is_second.then(|| handed(session, "auth_control_file")).transpose()?;
    let told = Told { reason: handed(session, "auth_failed_reason_file").ok(), control };
    let last_words = told.clone();
    session.last_words(move |lets_in| drop(last_words.tell(lets_in)));
    openvpn_asked(session, options, argument, &told).or_else(|error| {
        // The client waits for a verdict in the file, and trouble is a no.
        told.tell(false)?;
        Err(error)
    })
}

fn openvpn_asked(
    session: &mut Session<'_>,
    options: &ServiceOptions,
    argument: Option<&str>,
    told: &Told,
) -> Result<Report> {
    let file = argument.map(|path| file::read(Path::new(path), openvpn::LARGEST_FILE));
    let call = openvpn::read(&|name| session.handed(name), file.transpose()?)?;
    let asked = match &call {
        openvpn::Call::Verify(asked) => asked,
        // The second prompt brings its answer alone, and the password would be asked by nobody.
        _ if options.split.is_some() => {
            told.tell(false)?;
            return Ok(Report::silence(Verdict::No));
        }
        openvpn::Call::AskFirst => {
            file::answer(&handed(session, "auth_pending_file")?, &openvpn::question())?;
            return Ok(Report::silence(Verdict::Later));
        }
        openvpn::Call::Response(asked) => asked,
    };
    let lets_in = ask(session, "openvpn", options, asked, |lets_in| told.tell(lets_in))?;
    Ok(Report::silence(verdict(lets_in)))
}

fn handed(session: &Session<'_>, variable: &str) -> Result<PathBuf, Refusal> {
    session.handed(variable).map(PathBuf::from).ok_or_else(|| {
        Refusal::new(Code::Usage, format!("the login service did not hand over {variable}"))
    })
}

/// Where OpenVPN looks besides the exit code.
#[derive(Clone)]
struct Told {
    reason: Option<PathBuf>,
    control: Option<PathBuf>,
}

impl Told {
    fn tell(&self, lets_in: bool) -> Result<(), Refusal> {
        let put = |path: &Option<PathBuf>, text| {
            path.as_ref().map_or(Ok(()), |path| file::answer(path, text))
        };
        // The reason has to be there when the verdict is read, which can do without.
        let reason = if lets_in { Ok(()) } else { put(&self.reason, openvpn::REASON) };
        put(&self.control, if lets_in { "1" } else { "0" }).and(reason)
    }
}

/// May this user in? `told` passes the answer on, before anybody else hears of anything.
fn ask(
    session: &mut Session<'_>,
    from: &'static str,
    options: &ServiceOptions,
    asked: &Asked,
    told: impl Fn(bool) -> Result<(), Refusal>,
) -> Result<bool> {
    let Asked { user: Some(name), given } = asked else {
        told(false)?;
        return Ok(false);
    };
    let without = match options.not_enabled {
        NotEnabled::Accept => Without::Accept,
        NotEnabled::Refuse => Without::Refuse,
    };
    if given.code().is_empty() && without == Without::Refuse {
        told(false)?;
        return Ok(false);
    }
    let login = Login { from, name, given, without, has_password: options.split.is_some() };
    let mut opened = session.opened()?;
    // Another program's backlog is no part of this answer.
    opened.store.defer_upkeep();
    let done = session.login(&mut opened, &login)?;
    told(done.lets_in)?;
    session.after_login(&mut opened, &done);
    opened.store.upkeep();
    Ok(done.lets_in)
}
