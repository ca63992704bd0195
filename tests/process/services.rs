//! Login services: called by hand, and through the programs of the services themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::support::{self, Call, World};

mod answers;
pub mod batch;
mod door;
mod fleet;
mod hooks;
mod host;
mod noes;
mod openvpn;
mod pam;
mod radius;
mod serving;
mod setup;
mod ssh;
mod sudo;
mod verifier;
mod week;

/// The program as the samples name it.
const INSTALLED: &str = "/usr/bin/mfactl";

/// A call as PAM makes it for this user.
fn by_pam(world: &World, user: &str) -> Call {
    by_pam_with(world, user, "")
}

fn by_pam_with(world: &World, user: &str, more: &str) -> Call {
    let words = ["verify", "--from", "pam"].into_iter().chain(more.split_whitespace());
    world
        .call_of(words)
        .with("PAM_TYPE", "auth")
        .with("PAM_USER", user)
        .without("PATH")
        .without("HOME")
}

/// Puts the program there as a package does: a process that runs the one before it keeps that.
fn install(program: &Path) {
    let new = program.with_extension("new");
    fs::copy(support::MFACTL, &new).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, program).unwrap();
}

/// An installed program for the samples to start, on this world's store.
struct Installed {
    /// The command line up to the verb.
    line: String,
    /// Further options after the verb, with a leading blank.
    more: String,
}

impl Installed {
    fn new(world: &World) -> Self {
        Self::with(world, "")
    }

    fn with(world: &World, more: &str) -> Self {
        let program = world.path("mfactl");
        install(&program);
        let (program, store, key) = (program.display(), world.place(), world.key());
        let line = format!("{program} --store {store} --key-file {}", key.display());
        Self { line, more: if more.is_empty() { String::new() } else { format!(" {more}") } }
    }

    /// The same program without store and key, so that only the verifier at this path can decide.
    fn through(world: &World, socket: &Path) -> Self {
        let installed = Self::with(world, &format!("--socket {}", socket.display()));
        let program = installed.line.split(' ').next().unwrap();
        let line = format!("{program} --store /nowhere/m.db --key-file /nowhere/m.key");
        Self { line, ..installed }
    }

    /// The same program with a clock that `libfaketime` reads from a file. A script sets it up, because
    /// OpenVPN does not accept a line with all the variables.
    fn by_the_clock_of(self, file: &Path) -> Self {
        let variables = support::faked_by(file).map(|(name, value)| format!("'{name}={value}'"));
        let script = file.with_extension("sh");
        let variables = variables.join(" ");
        // libfaketime would take the files of a killed process with the same number for its own.
        let left = "/bin/rm -f /dev/shm/faketime_shm_$$ /dev/shm/sem.faketime_sem_$$";
        let text =
            format!("#!/bin/sh\n{left}\nexec /usr/bin/env {variables} {} \"$@\"\n", self.line);
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self { line: script.to_str().unwrap().to_owned(), ..self }
    }
}
