//! Login services that ask: by hand, through PAM's own programs, and through a real sshd.

use super::support::{self, Call, World};

mod answers;
mod batch;
mod pam;
mod ssh;

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

/// What the sample would start, were the program installed: this world's store, by a copy of the
/// program in a folder that is root's.
fn started(world: &World, program: &str) -> String {
    let mut words = vec![program.to_owned(), "--store".into(), world.place()];
    words.extend(["--key-file".into(), world.key().display().to_string()]);
    words.join(" ")
}
