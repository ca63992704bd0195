//! What a helpdesk agent pastes or types, with the real `sudo` and the sample rules: the commands in hints, and every
//! line of the pages with the wrapper `mfa`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::operators::on_a_machine;
use super::support::has;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A store with roles, the wrapper, and a terminal for each person.
pub const DESK: &str = r#"
install -m 0755 "$(dirname "$sample")/mfa" /usr/local/bin/mfa
cat >/etc/mfactl/config.toml <<'END'
[roles]
helpdesk = ["%helpdesk"]
auditor = ["%mfaaudit"]
admin = ["%mfaadmin"]
second_operator = ["disable"]
END
chown mfactl: /etc/mfactl/config.toml
chmod 600 /etc/mfactl/config.toml
$admin init
mkfifo "$work/keys"
# at PERSON LINE: runs a line in the shell of the person, at a terminal where yes and Enter are typed.
at() {
    code=0
    # Its other end stays open: `script` waits for two seconds after the end of its input.
    exec 3<>"$work/keys"
    printf 'y\n\n\n' >&3
    output=$(cd "$work/homes/$1" &&
        runuser -u "$1" -- script -qec "stty columns 400 rows 60; $2" /dev/null <&3 2>&1 | tr -d '\r'
        exit "${PIPESTATUS[0]}") || code=$?
    exec 3>&-
    case $output in
        *'[sudo] password for'*|*'a password is required'*|*'a terminal is required'*|*'not allowed to'*)
            echo "sudo refuses to $1: $2: $output"
            exit 1 ;;
    esac
}
# paste PERSON: runs the last command that the output names, as it stands there.
paste() {
    line=$(printf '%s\n' "$output" |
        grep -oE '(echo CODE \| )?sudo -u mfactl mfactl [^;"]*' | tail -n 1)
    [ -n "$line" ] || { echo "no command in: $output"; exit 1; }
    at "$1" "$line"
}
ends() {
    [ "$code" = "$1" ] || { echo "exit code $code, not $1: $output"; exit 1; }
}
says() {
    case $output in *"$1"*) ;; *) echo "not said: $1: ${line-}: $output"; exit 1 ;; esac
}
"#;

#[test]
fn d5_every_hint_works_as_it_is_pasted() {
    let what = "hints under the real sudo";
    if !has("script", what) || !has("oathtool", what) {
        return;
    }
    let steps = r#"
for user in alice "o'brien" sue frank dora; do $admin add-user -- "$user"; done
$admin add-user --email al@example.com --display-name "Al B." -- albert
$admin add-user --protected -- carol
for user in frank dora carol; do $admin enrol --no-confirm --json -- "$user"; done
for code in 1 2 3 4 5 6 7 8 9 10; do echo 000000 | $admin verify -- frank || true; done
$admin disable --yes -- dora

at hana "sudo -u mfactl mfactl show-qr -- o\'brien"
says "set one up with: sudo -u mfactl mfactl enrol -- 'o'\\''brien'"
paste hana
says "o'brien's device phone is pending"
says "the user's first sign-in with a code confirms it"
paste hana
says "o'brien: phone is pending"

at hana 'sudo -u mfactl mfactl enrol --no-confirm -- sue'
at hana 'sudo -u mfactl mfactl enrol --no-confirm --device tab -- sue'
says 'sudo -u mfactl mfactl show-qr --device tab -- sue'
paste hana
says 'sue: tab is pending'
at hana 'sudo -u mfactl mfactl show-qr -- sue'
says 'sue has 2 matching devices'
paste hana
says 'is pending'

at hana "sudo -u mfactl mfactl diagnose --no-input -- frank"
says 'echo CODE | sudo -u mfactl mfactl diagnose -- frank'
paste hana
says 'frank is locked'
says 'sudo -u mfactl mfactl diagnose -- frank'
at hana 'sudo -u mfactl mfactl unlock -- frank'
says 'unlocked'

at hana 'sudo -u mfactl mfactl show-qr -- dora'
says 'sudo -u mfactl mfactl enable -- dora'
paste hana
says 'dora: '
ends 0

at hana 'sudo -u mfactl mfactl unlock --json -- al@example.com'
says 'albert has this e-mail address: sudo -u mfactl mfactl unlock -- albert'
paste hana
says 'albert'
at hana 'sudo -u mfactl mfactl unlock --json -- xaverius'
says 'sudo -u mfactl mfactl list-status'
paste hana
says 'carol'
at hana 'sudo -u mfactl mfactl undo -- alice'
says 'see what was changed with: sudo -u mfactl mfactl show-user -- alice'
paste hana
says 'add-user'

at hana 'sudo -u mfactl mfactl disable -- carol'
says 'another operator can approve this disable'
paste ivan
says 'MFA is disabled'

# A call that forgets sudo changes nothing, and its hint does what was meant.
at hana 'mfactl enrol alice --no-confirm --ticket HELP-1'
ends 77
says "this machine's store is /var/lib/mfactl"
says 'run: sudo -u mfactl mfactl enrol --no-confirm --ticket HELP-1 -- alice'
[ -z "$(ls -A "$work/homes/hana")" ]
paste hana
says 'alice: pending'
at zoe 'mfactl list-status --json'
ends 77
says '"code":"not_permitted"'
rm -r /var/lib/mfactl
at zoe 'mfactl list-status'
says "this machine's configuration is in /etc/mfactl"
rm -r /etc/mfactl
at zoe 'mfactl init'
ends 0
"#;
    on_a_machine(what, &format!("{DESK}{steps}"));
}

/// The lines with `mfa` of a page: in its consoles, and in the table of what to run.
fn lines_of(page: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let is_line = |line: &&str| line.starts_with("mfa ");
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ").filter(is_line) {
            found.push(command.to_owned());
        } else if !line.starts_with("$ ") {
            found.extend(line.split('`').skip(1).step_by(2).filter(is_line).map(str::to_owned));
        }
    }
    found
}

#[test]
fn d5_every_line_of_the_tour_is_taken_by_the_sample_rules() {
    let what = "the lines of the pages under the real sudo";
    if !has("script", what) || !has("oathtool", what) {
        return;
    }
    let pages = ["README.md", "docs/helpdesk.md", "docs/factors.md"];
    let lines: Vec<_> = pages.into_iter().flat_map(lines_of).collect();
    assert!(lines.len() > 20, "{lines:?}");
    let mut steps = r#"
$admin add-user --display-name "Alice Martin" --group staff -- alice
for user in robert alicia frank dave erin; do $admin add-user -- "$user"; done
for user in alice robert alicia frank dave erin; do $admin enrol --no-confirm --json -- "$user"; done
$admin add-user --display-name Martine -- mmartin
$admin delete --yes -- robert
printf 'dave\nerin\n' >"$work/homes/hana/names.txt"
chmod 644 "$work/homes/hana/names.txt"
printf 'dave\nerin\n' >"$work/homes/ivan/leavers.txt"
chmod 644 "$work/homes/ivan/leavers.txt"
tour() {
    case $1 in
        *remove-user*) at ivan "$1" ;;
        *) at hana "$1" ;;
    esac
    case $code in
        0|1|67|76) ;;
        *) echo "exit code $code: $1: $output"; exit 1 ;;
    esac
}
"#
    .to_owned();
    for line in &lines {
        steps.extend(["tour '", &line.replace('\'', r"'\''"), "'\n"]);
    }
    steps.push_str(
        r#"
# Any order of the words; what sudo would refuse as it stands.
at hana 'mfa disable frank --yes --ticket=HELP-2 -q'
ends 0
at hana 'mfa enable --ticket HELP-2 frank --reason "it'"'"'s found"'
ends 0
says 'frank: '
at hana 'mfa report --json'
ends 0
at aude 'mfa check locked -w 5'
ends 0
at ivan 'mfa remove-user frank --yes'
ends 0
at hana 'mfa --json show-user dave'
says '"user":"dave"'
# Help is for everybody.
at zoe 'mfa help unlock'
says 'mfactl unlock'
at zoe 'mfa'
ends 0
at zoe 'mfa unlcok dave'
says 'did you mean unlock?'
# Root and the system user come to the same store.
mfa unlock dave --dry-run
# Without roles, since the system user has none.
rm /etc/mfactl/config.toml
runuser -u mfactl -- mfa show-user dave
[ "$(stat -c %U /var/lib/mfactl/mfactl.db)" = mfactl ]
"#,
    );
    on_a_machine(what, &format!("{DESK}{steps}"));
}

/// What the wrapper runs, with stand-ins that print their words.
fn run_by_wrapper(words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for program in ["sudo", "mfactl"] {
        let path = folder.path().join(program);
        let text = format!("#!/bin/sh\nprintf %s {program}\nprintf ' [%s]' \"$@\"\n");
        fs::write(&path, text).unwrap();
        let chmod = Command::new("chmod").arg("755").arg(&path).status();
        assert!(chmod.unwrap().success());
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let wrapper = Path::new(ROOT).join("contrib/mfa");
    let ran = Command::new(wrapper).args(words).env("PATH", path).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn d5_the_wrapper_puts_words_in_order_and_changes_none() {
    let odd = "it's $HOME `x` \"y\" *\nz ";
    for (words, run) in [
        (vec!["approve", "3f09", "--yes"], "approve] [--yes] [--] [3f09"),
        (vec!["unlock", "--ticket", "H", "--", "alice"], "unlock] [--ticket] [H] [--] [alice"),
        (vec!["unlock", "--", "-x", "--json"], "unlock] [--] [-x] [--json"),
        (vec!["reset", "a", "--ticket=H", "-y"], "reset] [--ticket] [H] [--yes] [--] [a"),
        (vec!["reset", "a", "--ticket=", ""], "reset] [--ticket=] [--] [a] ["),
        (vec!["reset", "--reason", odd, odd], &format!("reset] [--reason] [{odd}] [--] [{odd}")),
        (vec!["check", "-w", "5", "locked"], "check] [locked] [--warning] [5"),
        (vec!["disable", "--from", "-", "--yes"], "disable] [--yes] [--from] [-"),
        (vec!["disable", "--from=-", "--yes"], "disable] [--yes] [--from] [-"),
        (vec!["verify", "--from", "pam"], "verify] [--from] [pam"),
        (vec!["disable", "--from", "a", "--from", "b"], "disable] [--from] [a] [--from] [b"),
        (vec!["--json", "list-status"], "list-status] [--json"),
        (vec!["--store", "s", "list-status"], "--store] [s] [list-status"),
        (vec!["enroll", "alice"], "enrol] [--] [alice"),
        (vec!["reset", "--device"], "reset] [--device"),
    ] {
        let run = format!("sudo [-u] [mfactl] [mfactl] [{run}]");
        assert_eq!(run_by_wrapper(&words), run, "{words:?}");
    }
    for words in [
        vec!["help", "reset"],
        vec!["reset", "alice", "--help"],
        vec!["-V"],
        vec!["unlcok", "alice", "--yes"],
        vec!["completions", "bash"],
        vec!["--json"],
    ] {
        let run = format!("mfactl [{}]", words.join("] ["));
        assert_eq!(run_by_wrapper(&words), run, "nothing is to be put in order");
    }
}

#[test]
fn shellcheck_finds_nothing_in_the_wrapper() {
    if !has("shellcheck", "the wrapper") {
        return;
    }
    let path = Path::new(ROOT).join("contrib/mfa");
    let output = Command::new("shellcheck").arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
