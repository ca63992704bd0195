//! The `mfactl` program; everything is in the library, where tests and benches reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    mfactl::hardening::apply();
    let mut env = mfactl::env::Env::real();
    ExitCode::from(mfactl::run(std::env::args_os(), &mut env))
}
