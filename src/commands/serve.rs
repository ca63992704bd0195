//! `mfactl serve`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::{Verb, find_verb};
use crate::app::App;
use crate::authenticate::verifier;
use crate::config::{Config, PathOptions};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;
use crate::report::{Report, Verdict};

/// Verify codes for this machine on a Unix socket
///
/// Login services ask through `verify --from`, and screen lockers themselves: each message is one line
/// of JSON, as for `verify --batch`, and so is the answer. Root, the system user, the role `service` and
/// the members of `[serve] group` may ask about anybody, everybody else about themselves. What arrives
/// together shares one transaction. Each question has its answer within 2 seconds. Answers come in no
/// order: a client that sends a question before it has the last answer gives each question an `id`.
///
/// The socket comes on standard input, as systemd hands it over, or is made. SIGHUP reads configuration
/// and key anew; SIGTERM ends it once all that was received is answered.
#[derive(Args, Debug)]
pub struct Serve {
    /// Path of the socket to make
    ///
    /// Without it that is `/run/mfactl/verify`.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl Verb for Serve {
    const NAME: &'static str = "serve";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl serve", "mfactl serve --socket /run/mfa/verify"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let paths = PathOptions::of_given(&app.env.caller.path_options);
        if self.socket.as_deref() == Some(Path::new("none")) {
            // To those who ask it means that nobody is to be asked.
            return Err(Refusal::new(ErrorCode::Usage, "--socket: none is no path of a socket")
                .hint("leave --socket out for the machine's socket")
                .into());
        }
        let reload = |env: &Env| Config::load(&paths, env, find_verb);
        verifier::serve(app, self.socket.as_deref(), &reload)?;
        Ok(Report::empty(Verdict::Yes))
    }
}
