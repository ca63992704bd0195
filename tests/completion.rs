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
fn bash_completes_serials_of_tokens() {
    let store = Store::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/tokens/freeipa.csv");
    let add = store.command(MFACTL).arg("add-tokens").arg(samples).arg("--yes").output().unwrap();
    assert!(add.status.success(), "{add:?}");
    for verb in ["assign", "unassign", "remove-token"] {
        let script =
            BASH.replace("verify", verb).replace("al ", "GALT1028 ").replace(" al)", " GALT1028)");
        if let Some(found) = store.shell("bash", &script) {
            let found: Vec<_> = found.split_whitespace().collect();
            assert!(
                found.contains(&"GALT10280114") && !found.contains(&"alice"),
                "{verb}: {found:?}"
            );
        }
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
fn d21_zsh_completes_users_verbs_and_the_values_of_options() {
    let store = peopled();
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
        ("mfactl help diag\t", "mfactl help diagnose"),
        ("mfactl log --user b\t", "mfactl log --user bob"),
        ("mfactl log --verb force\t", "mfactl log --verb force-new-password"),
        ("mfactl list-status --group st\t", "mfactl list-status --group staff"),
        ("mfactl reset alice --device t\t", "mfactl reset alice --device tablet"),
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

/// A store in which alice is in two groups and has a phone and a tablet, and bob a laptop.
fn peopled() -> Store {
    let store = Store::new();
    for line in [
        "edit-user alice --group staff --group students",
        "edit-user bob --group guests",
        "enrol alice --no-confirm --json",
        "enrol alice --device tablet --no-confirm --json",
        "enrol bob --device laptop --no-confirm --json",
    ] {
        let output = store.command(MFACTL).args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    store
}

/// What is typed, the word that is completed last, and what completes it.
const VALUES: &[(&str, &[&str])] = &[
    ("help diag", &["diagnose"]),
    ("help list-s", &["list-status"]),
    ("reset alice --device ta", &["tablet"]),
    ("enable alice --device p", &["phone"]),
    ("log --user al", &["alice", "alina"]),
    ("log --verb force", &["force-new-password"]),
    ("log --verb noti", &["notify"]),
    ("list-status --group st", &["staff", "students"]),
    ("list-status --not-group gu", &["guests"]),
    ("edit-user alice --remove-group stu", &["students"]),
];

#[test]
fn d21_bash_completes_the_values_of_options() {
    let store = peopled();
    for (line, expected) in VALUES {
        let words: Vec<_> = line.split(' ').collect();
        let (count, last) = (words.len(), words[words.len() - 1]);
        let script = format!(
            "source completions/mfactl.bash; COMP_WORDS=(mfactl {line}); COMP_CWORD={count}; \
             _clap_complete_mfactl mfactl {last} x 2>/dev/null; echo \"${{COMPREPLY[*]}}\""
        );
        if let Some(found) = store.shell("bash", &script) {
            assert_eq!(found.split_whitespace().collect::<Vec<_>>(), *expected, "{line}");
        }
    }
}

#[test]
fn d21_fish_completes_the_values_of_options() {
    let store = peopled();
    for (line, expected) in VALUES {
        let script = format!("source completions/mfactl.fish; complete -C 'mfactl {line}'");
        if let Some(found) = store.shell("fish", &script) {
            let words = found.lines().filter_map(|line| line.split('\t').next());
            assert_eq!(words.collect::<Vec<_>>(), *expected, "{line}");
        }
    }
}

/// What completes the last of these words, as every shell asks for it.
fn completed(store: &Store, line: &str, more: &[(&str, &str)]) -> Vec<String> {
    let words: Vec<_> = line.split(' ').collect();
    let mut command = store.command(MFACTL);
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.envs(more.iter().copied()).args(["--", "mfactl"]).args(&words);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(|c: char| c.is_whitespace() || c == '\u{b}')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn d21_labels_are_those_of_the_user_on_the_line_and_of_nobody_else() {
    let store = peopled();
    assert_eq!(completed(&store, "reset alice --device l", &[]), [""; 0]);
    assert_eq!(completed(&store, "reset bob --device l", &[]), ["laptop"]);
    assert_eq!(completed(&store, "reset --device l", &[]), [""; 0], "nobody is named");
}

#[test]
fn d21_only_who_may_list_users_gets_users_labels_and_groups() {
    let store = peopled();
    let config = store.0.path().join("config.toml");
    std::fs::write(&config, "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\n").unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&config, permissions).unwrap();
    let config = config.to_str().unwrap();
    let ask =
        |line: &str, uid| completed(&store, line, &[("MFACTL_CONFIG", config), ("SUDO_UID", uid)]);
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for (line, expected) in [
        ("reset alice --device ta", "tablet"),
        ("log --user bo", "bob"),
        ("list-status --group gu", "guests"),
    ] {
        assert_eq!(ask(line, "1"), [expected], "{line}");
        assert_eq!(ask(line, "65534"), [""; 0], "{line}: names are for those who may list them");
    }
    assert_eq!(ask("help diag", "65534"), ["diagnose"], "verbs are no secret");
}

#[test]
fn d21_approve_completes_open_requests_for_who_may_approve() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let store = peopled();
    let config = store.0.path().join("config.toml");
    let text = "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\", \"games\"]\n\
                second_operator = [\"disable\"]\n";
    std::fs::write(&config, text).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&config, permissions).unwrap();
    let config = config.to_str().unwrap();
    let line = ["edit-user", "alice", "--protected"];
    assert!(store.command(MFACTL).args(line).status().unwrap().success());
    let mut disable = store.command(MFACTL);
    disable.env("MFACTL_CONFIG", config).env("SUDO_UID", "1").args(["disable", "alice", "--json"]);
    let output = disable.output().unwrap();
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = &made["request"].as_str().unwrap()[..8];
    let ask = |uid| {
        let line = format!("approve {}", &id[..2]);
        completed(&store, &line, &[("MFACTL_CONFIG", config), ("SUDO_UID", uid)])
    };
    assert_eq!(ask("3"), [id]);
    assert_eq!(ask("65534"), [""; 0]);
}

/// A `sudo` that lets through what begins with these words, and notes what it was asked for.
fn fake_sudo(store: &Store, allowed: &str) -> String {
    let folder = store.0.path().join("sudo");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("sudo");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {0}/asked\ncheck=\n[ \"$1\" != -l ] || {{ check=yes; shift; }}\n\
         [ \"$1 $2 $3 $4\" = '-n -u mfactl mfactl' ] || exit 1\nshift 4\n\
         case \"$*\" in {allowed}*) ;; *) exit 1 ;; esac\n[ -z \"$check\" ] || exit 0\n\
         MFACTL_STORE={1} exec {MFACTL} \"$@\"\n",
        folder.display(),
        store.path().display(),
    );
    std::fs::write(&file, script).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&file, permissions).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// As [`completed`], for the wrapper, whose caller can't read the store.
fn completed_by_wrapper(store: &Store, line: &str, path: &str) -> Vec<String> {
    let words: Vec<_> = line.split(' ').collect();
    let mut command = store.command(MFACTL);
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("PATH", path).env("MFACTL_STORE", store.0.path().join("none.db"));
    let output = command.args(["--", "mfa"]).args(&words).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(|c: char| c.is_whitespace() || c == '\u{b}')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn d21_the_wrapper_completes_verbs_options_users_and_devices_through_sudo() {
    let store = peopled();
    let path = fake_sudo(&store, "'find --json --limit '");
    for (line, expected) in [
        ("res", &["reset", "restore", "resync"][..]),
        ("reset --tick", &["--ticket"]),
        ("reset al", &["alice", "alina"]),
        ("reset AL", &["alice", "alina"]),
        ("log --user bo", &["bob"]),
        ("reset alice --device ta", &["tablet"]),
        ("reset --device l", &[]),
        ("reset ", &[]),
    ] {
        let mut found = completed_by_wrapper(&store, line, &path);
        found.retain(|word| line != "reset " || !word.starts_with('-'));
        found.sort();
        assert_eq!(found, expected, "{line}");
    }
    let asked = std::fs::read_to_string(store.0.path().join("sudo/asked")).unwrap();
    assert!(asked.lines().all(|line| line.contains("-n -u mfactl mfactl find ")), "{asked}");
}

#[test]
fn d21_where_the_rules_of_sudo_refuse_find_the_wrapper_completes_no_user() {
    let store = peopled();
    let path = fake_sudo(&store, "'log '");
    assert_eq!(completed_by_wrapper(&store, "reset al", &path), [""; 0]);
    assert_eq!(completed_by_wrapper(&store, "unlo", &path), ["unlock"]);
    let asked = std::fs::read_to_string(store.0.path().join("sudo/asked")).unwrap();
    assert!(asked.lines().all(|line| line.starts_with("-l ")), "only what is allowed: {asked}");
}

#[test]
fn d21_bash_and_fish_complete_the_wrapper() {
    let store = peopled();
    let bash = "source completions/mfa.bash; COMP_WORDS=(mfa unlo); COMP_CWORD=1; \
                _clap_complete_mfa mfa unlo x 2>/dev/null; echo \"${COMPREPLY[*]}\"";
    if let Some(found) = store.shell("bash", bash) {
        assert_eq!(found.split_whitespace().collect::<Vec<_>>(), ["unlock"]);
    }
    let fish = "source completions/mfa.fish; complete -C 'mfa unlo'";
    if let Some(found) = store.shell("fish", fish) {
        assert!(found.starts_with("unlock"), "{found}");
    }
}
