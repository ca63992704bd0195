//! Login services that ask: by hand, and through the services' own programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::support::{self, Call, World};

mod answers;
pub mod batch;
mod door;
mod fleet;
mod openvpn;
mod pam;
mod radius;
mod ssh;
mod sudo;
mod told;
mod week;

/// The line of a sample by which a service starts the program, as it stands there.
const INSTALLED: &str = "/usr/bin/mfactl";

/// What PAM would hand over for this user.
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

/// The program as a sample would start it, were it installed: for this world's store, in a folder that
/// only root can write to.
struct Installed {
    /// The command line up to the verb.
    line: String,
    /// What stands behind it, with a blank in front.
    more: String,
}

impl Installed {
    fn new(world: &World) -> Self {
        Self::with(world, "")
    }

    fn with(world: &World, more: &str) -> Self {
        let program = world.path("mfactl");
        fs::copy(support::MFACTL, &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let (program, store, key) = (program.display(), world.place(), world.key());
        let line = format!("{program} --store {store} --key-file {}", key.display());
        Self { line, more: if more.is_empty() { String::new() } else { format!(" {more}") } }
    }

    /// The same by a clock that `libfaketime` reads from a file. OpenVPN takes no line that has all of
    /// it.
    fn by_the_clock_of(self, file: &Path) -> Self {
        let variables = support::faked_by(file).map(|(name, value)| format!("'{name}={value}'"));
        let script = file.with_extension("sh");
        let variables = variables.join(" ");
        // What a killed process of this number has left would be taken for its own.
        let left = "/bin/rm -f /dev/shm/faketime_shm_$$ /dev/shm/sem.faketime_sem_$$";
        let text =
            format!("#!/bin/sh\n{left}\nexec /usr/bin/env {variables} {} \"$@\"\n", self.line);
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        Self { line: script.to_str().unwrap().to_owned(), ..self }
    }
}
