//! `mfactl serve`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{Verb, find_verb};
use crate::app::App;
use crate::authenticate::verifier;
use crate::config::{Config, MACHINE_SOCKET, PathOptions};
use crate::report::{Report, Verdict};

/// Verify codes for this machine on a Unix socket
///
/// Login services ask through `verify --from`, and screen lockers themselves: each message is one line
/// of JSON, as for `verify --batch`, and so is the answer. Root and the role `service` may ask about
/// anybody, everybody else about themselves. What arrives together shares one transaction; each
/// question has its answer within 2 seconds.
///
/// The socket comes on standard input, as systemd hands it over, or is made. SIGHUP reads configuration
/// and key anew; SIGTERM ends it once all that was received is answered.
#[derive(Args, Debug)]
pub struct Serve {
    /// Path of the socket to make
    #[arg(long, value_name = "PATH", default_value = MACHINE_SOCKET)]
    socket: PathBuf,
}

impl Verb for Serve {
    const NAME: &'static str = "serve";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl serve", "mfactl serve --socket /run/mfa/verify"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let paths = PathOptions::of_given(&app.env.caller.path_options);
        verifier::serve(app, &self.socket, &|env| Config::load(&paths, env, find_verb))?;
        Ok(Report::empty(Verdict::Yes))
    }
}
