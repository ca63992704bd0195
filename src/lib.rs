//! Enrol, verify, reset and list second factors.
//!
//! A verb takes its arguments and returns a report; only [`run`] turns a report or an error into
//! output and an exit code. `docs/design.md` describes the modules and which may use which.

mod app;
mod audit;
mod authenticate;
mod cli;
mod commands;
mod completion;
mod config;
mod domain;
pub mod env;
mod error_report;
mod files;
mod formats;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod handout;
pub mod hardening;
mod keyring;
mod maintain;
mod notice;
mod operate;
mod options;
mod report;
mod show;
mod store;
mod suggest;
mod texts;
mod usage_error;

#[cfg(test)]
mod testing;

use std::ffi::OsString;
use std::io::Write as _;

use crate::domain::hint::Hint;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::error_report::ErrorReport;
use env::Env;
use report::Verdict;

pub use cli::is_service_call;

/// Runs the program: parses the command line, runs the verb, writes its report or the error.
///
/// The exit code is 0 for done or yes, 1 for no, and 64 and up for errors. Codes 2 to 9 are avoided,
/// with two exceptions: `check` exits as a monitoring plugin, and 2 makes OpenVPN ask its client for
/// the code.
pub fn run(args: impl IntoIterator<Item = OsString>, env: &mut Env) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if !env.process.is_elevated && cli::complete(&args, env) {
        return 0;
    }
    let wants_json = cli::requests_json(&args);
    match run_verb(&args, env) {
        Ok(Verdict::Yes) => 0,
        Ok(Verdict::No) => 1,
        Ok(Verdict::PluginStatus(state)) => state as u8,
        Ok(Verdict::Deferred) => 2,
        Err(error) => {
            let mut report = ErrorReport::of(&error);
            if !wants_json {
                report.message = env.words(&report.message);
                let hint = report.hint.map(|hint| env.words(&env.caller.words(&hint)));
                report.hint = hint.map(Hint::from);
            }
            let mut lines = Vec::new();
            report.write(&mut lines, wants_json, &env.caller);
            if let (Some(terminal), false) = (env.err.terminal, wants_json) {
                let text = String::from_utf8_lossy(&lines);
                lines = report::wrapped(&text, terminal.columns).into_bytes();
            }
            // There is nowhere to report that this can't be written.
            let _ = env.err.writer.write_all(&lines);
            let _ = env.err.writer.flush();
            report.exit
        }
    }
}

fn run_verb(args: &[OsString], env: &mut Env) -> anyhow::Result<Verdict> {
    if env.process.is_elevated {
        let message = "setuid, setgid and capabilities are refused, because everybody who may start mfactl \
                       would have its rights: use a sudo rule, or a service that runs as root or mfactl";
        return Err(Refusal::new(ErrorCode::NotPermitted, message)
            .hint(
                "chmod ug-s the program, or setcap -r it; a sample of sudo rules comes with mfactl",
            )
            .into());
    }
    cli::parse(args)?(env)
}

/// What the benches use; everything else is private, so that the compiler finds what nothing uses.
#[doc(hidden)]
pub mod bench {
    pub use crate::domain::accepted::Accepted;
    pub use crate::domain::audit::event::{Event, EventSubject, Operator, Ticket};
    pub use crate::domain::device::{Active, Device, DeviceState, Pending};
    pub use crate::domain::factor::Factor;
    pub use crate::domain::factor::totp::Parameters;
    pub use crate::domain::lockout::MOST_WRONG_CODES;
    pub use crate::domain::name::{Label, UserName};
    pub use crate::domain::password::Password;
    pub use crate::domain::secret::{Id, Sealed, Secret};
    pub use crate::domain::time::{Span, Timestamp};
    pub use crate::domain::user::User;
    pub use crate::files::file_trust::FilePolicy;
    pub use crate::files::new_file::create_new_file;
    pub use crate::keyring::argon2::{HashCost, hash};
    pub use crate::keyring::{RootKey, Vault, key_file};
    pub use crate::store::{Access, Change, Identity, NewEvent, Store, initialize, sqlite};
}
