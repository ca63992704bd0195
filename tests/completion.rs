//! Completion of user names, asked for by real shells; and what a stray variable must not do.

#![expect(clippy::unwrap_used, reason = "what can't be run fails the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const MFACTL: &str = env!("CARGO_BIN_EXE_mfactl");

/// A store with a few users in it.
struct Store(TempDir);

impl Store {
    fn new() -> Self {
        let store = Self(tempfile::tempdir().unwrap());
        for name in ["alice", "alina", "bob"] {
            assert!(
                store.command(MFACTL).args(["add-user", name]).output().unwrap().status.success()
            );
        }
        store
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("mfactl.db")
    }

    /// A program that finds mfactl first in its path, and this store in its environment.
    fn command(&self, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let own = Path::new(MFACTL).parent().unwrap().display();
        let mut command = Command::new(program);
        command
            .env("PATH", format!("{own}:{path}"))
            .env("HOME", self.0.path())
            .env("MFACTL_STORE", self.path())
            .env("MFACTL_KEY_FILE", self.0.path().join("mfactl.key"))
            .env_remove("COMPLETE")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        command
    }

    /// What a shell prints; `None` where it is not installed, which is said loudly.
    fn shell(&self, program: &str, script: &str) -> Option<String> {
        let Ok(output) = self.command(program).args(["-c", script]).output() else {
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("*** LEFT OUT: {program} is not installed\n"),
            );
            return None;
        };
        assert!(output.stderr.is_empty(), "{output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    }
}

const BASH: &str = "source completions/mfactl.bash; COMP_WORDS=(mfactl verify al); COMP_CWORD=2; \
                    _clap_complete_mfactl mfactl al verify 2>/dev/null; echo \"${COMPREPLY[*]}\"";

#[test]
fn bash_completes_users() {
    if let Some(found) = Store::new().shell("bash", BASH) {
        assert_eq!(found.split_whitespace().collect::<Vec<_>>(), ["alice", "alina"]);
    }
}

#[test]
fn fish_completes_users_and_verbs() {
    let store = Store::new();
    let script = "source completions/mfactl.fish; complete -C 'mfactl reset al'";
    if let Some(found) = store.shell("fish", script) {
        assert_eq!(found.split_whitespace().collect::<Vec<_>>(), ["alice", "alina"]);
    }
    let script = "source completions/mfactl.fish; complete -C 'mfactl list-s'";
    if let Some(found) = store.shell("fish", script) {
        assert!(found.starts_with("list-status"), "{found}");
    }
}

/// Sets zsh up as a user's profile does, and lets a key show the line that is being typed.
const ZSH: &str = "PS1='ready> '; autoload -U compinit; compinit -u -D; source completions/_mfactl; \
                   setopt menu_complete; show() { print -r -- \"<$BUFFER>\" }; zle -N show; \
                   bindkey '^O' show";

#[test]
fn zsh_completes_users_and_verbs() {
    let store = Store::new();
    if store.shell("zsh", "").is_none() {
        return;
    }
    let mut command = store.command("zsh");
    command.args(["-f", "-i"]).env("TERM", "dumb").stdin(Stdio::inherit());
    let mut zsh = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    zsh.send_line(ZSH).unwrap();
    // Each further tab puts the next name into the line; control-U takes all of it away.
    for (keys, line) in [
        ("mfactl reset al\t", "mfactl reset alice"),
        ("mfactl reset al\t\t", "mfactl reset alina"),
        ("mfactl reset b\t", "mfactl reset bob"),
        ("mfactl list-s\t", "mfactl list-status"),
    ] {
        zsh.send(&format!("\u{15}{keys}\u{f}")).unwrap();
        zsh.flush().unwrap();
        let (_, shown) = zsh.exp_regex("<mfactl [^>\r\n]*>").unwrap();
        assert_eq!(shown.trim_matches(['<', '>']).trim_end(), line, "{keys:?}");
    }
    // An interactive zsh ignores the signal that rexpect sends it at the end, and is then waited for until
    // the timeout.
    zsh.send_line("\u{15}exit").unwrap();
    zsh.exp_eof().unwrap();
}

#[test]
fn a_store_that_cannot_be_read_gives_nothing_and_says_nothing() {
    let store = Store::new();
    std::fs::write(store.path(), "not a store").unwrap();
    if let Some(found) = store.shell("bash", BASH) {
        assert_eq!(found.trim(), "");
    }
    std::fs::remove_file(store.path()).unwrap();
    if let Some(found) = store.shell("bash", BASH) {
        assert_eq!(found.trim(), "");
    }
}

/// A login service's caller may be able to set variables; a shell's may not make verify exit 0.
#[test]
fn the_variable_of_completion_lets_nobody_in() {
    let store = Store::new();
    for shell in ["bash", "fish", "zsh", "elvish", "powershell"] {
        let status = store
            .command(MFACTL)
            .env("COMPLETE", shell)
            .args(["verify", "alice"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(64), "{shell}");
    }
}
