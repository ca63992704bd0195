//! The `mfactl` program; everything is in the library, where tests and benches reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    use mfactl::env::Env;
    mfactl::hardening::apply(Env::abandon_terminal);
    let mut env = Env::real();
    ExitCode::from(mfactl::run(std::env::args_os(), &mut env))
}
