//! What a login server still needs before its users are asked for a code: reads the files of PAM, OpenVPN and
//! FreeRADIUS, and changes nothing.

mod access;
mod finding;
mod machine;
mod openvpn;
mod pam;
mod radius;
mod sshd;
mod started_program;

#[cfg(test)]
mod tests;

use crate::app::App;
use crate::config::{Config, PathOptions};
use crate::domain::hint::command;

pub use finding::{Finding, State};
pub use machine::Machine;

use finding::Survey;
use started_program::StartedProgram;

/// A kind of login server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Pam,
    Openvpn,
    Radius,
}

impl Service {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pam => "pam",
            Self::Openvpn => "openvpn",
            Self::Radius => "radius",
        }
    }
}

/// How a service starts mfactl, and as whom.
struct Start {
    program: StartedProgram,
    account: access::Account,
    /// What to do after the account was put into a group.
    restart: &'static str,
}

/// Everything that a login service of this kind needs, with what is missing.
pub fn look_at_service(app: &mut App<'_>, service: Service, machine: &Machine) -> Vec<Finding> {
    let mut findings = Survey::default();
    let start = match service {
        Service::Pam => Some(pam::look(machine, &mut findings)),
        Service::Openvpn => Some(openvpn::look(machine, &mut findings)),
        Service::Radius => radius::look(machine, &mut findings),
    };
    if let Some(start) = start {
        start.program.look(machine, &start.account, &mut findings);
        match config_of_service(app, &start.program.paths) {
            Ok(config) => access::look(machine, &config, &start, &mut findings),
            Err(error) => {
                let words = format!("the service can't read it: {error}");
                findings.missing("configuration", words, command("doctor").to_string());
            }
        }
    }
    findings.0
}

/// The configuration as the service reads it: the paths of its line, the system's places, no environment.
fn config_of_service(app: &mut App<'_>, paths: &PathOptions) -> anyhow::Result<Config> {
    let variables = std::mem::replace(&mut app.env.variables, Box::new(|_| None));
    let is_service = std::mem::replace(&mut app.env.process.is_service, true);
    let config = Config::load(paths, app.env, app.find_verb);
    app.env.variables = variables;
    app.env.process.is_service = is_service;
    config
}
