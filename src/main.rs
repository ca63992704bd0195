//! `mfactl`: second factors from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    mfactl::hardening::apply();
    let mut env = mfactl::env::Env::real();
    ExitCode::from(mfactl::run(std::env::args_os(), &mut env))
}
