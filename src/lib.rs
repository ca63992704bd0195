//! Enrol, verify, reset and list second factors.
//!
//! A verb is a value that goes in, a report is a value that comes out; only [`run`] turns a report
//! or an error into words and a number. `docs/design.md` has the rooms and the doors between them.

mod cli;
mod commands;
mod config;
pub mod domain;
mod enrolment;
pub mod env;
mod failure;
pub mod hardening;
mod misuse;
mod notice;
mod operator_file;
mod options;
mod picture;
mod report;
mod services;
mod session;
pub mod store;
pub mod vault;

#[cfg(test)]
mod testing;

use std::ffi::OsString;

use anyhow::Context as _;
use env::Env;
use failure::Failure;
use report::Verdict;
use session::Session;

/// Runs the program: parse → verb → report or failure → words and exit code.
///
/// The exit code is 0 for done or yes, 1 for no, 64 and up for trouble, and never 2 to 9: those are
/// for `check` alone, which has the codes of a monitoring plugin, but for the 2 that tells OpenVPN to
/// ask its client for the code first.
pub fn run(args: impl IntoIterator<Item = OsString>, env: &mut Env) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if cli::complete(&args, env) {
        return 0;
    }
    let asked_json = cli::asks_json(&args);
    match told(args, env) {
        Ok(Verdict::Yes) => 0,
        Ok(Verdict::No) => 1,
        Ok(Verdict::State(state)) => state as u8,
        Ok(Verdict::Later) => 2,
        Err(error) => {
            let failure = Failure::of(&error);
            failure.tell(&mut *env.err.writer, asked_json);
            failure.exit
        }
    }
}

fn told(args: Vec<OsString>, env: &mut Env) -> anyhow::Result<Verdict> {
    let call = cli::parse(args)?;
    let mut session = Session::new(env, call.options, call.named);
    let report = (call.run)(&mut session)?;
    session.writer().report(report).context("writing the output")
}
