//! The `mfactl` program; everything is in the library, where tests and benches reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    use mfactl::env::Env;
    mfactl::hardening::apply(Env::abandon_terminal);
    let args: Vec<_> = std::env::args_os().collect();
    if mfactl::is_service_call(&args) {
        mfactl::hardening::take_effective_user();
    }
    let mut env = Env::real();
    ExitCode::from(mfactl::run(args, &mut env))
}
