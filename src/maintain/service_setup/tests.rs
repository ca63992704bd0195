//! The files of a machine in a folder: the samples, and each thing that can be missing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::access::Account;
use super::finding::{State, Survey};
use super::machine::Machine;
use super::started_program::StartedProgram;
use super::{openvpn, pam, radius};

const STACK: &str = include_str!("../../../contrib/pam.d/mfactl");
const SSHD: &str = include_str!("../../../contrib/ssh/mfactl.conf");
const OPENVPN: &str = include_str!("../../../contrib/openvpn/server.conf");
const MODULE: &str = include_str!("../../../contrib/freeradius/mods-available/mfactl");
const BY_CODE: &str = include_str!("../../../contrib/freeradius/sites-available/mfactl");
const BY_BOTH: &str = include_str!("../../../contrib/freeradius/sites-available/mfactl-challenge");

struct Files {
    _folder: TempDir,
    machine: Machine,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let owner = rustix::process::geteuid().as_raw();
        let machine = Machine { root: folder.path().to_owned(), owner, greets: |_| false };
        Self { _folder: folder, machine }
    }

    fn put(&self, path: &str, text: &str) -> &Self {
        let place = self.machine.place(Path::new(path));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
        self
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.machine.place(Path::new(path))).unwrap();
    }

    /// What is not good, each with its fix.
    fn wrong(&self, look: impl Fn(&Machine, &mut Survey)) -> Vec<(State, String)> {
        let mut findings = Survey::default();
        look(&self.machine, &mut findings);
        let wrong = findings.0.into_iter().filter(|finding| finding.state != State::Good);
        wrong.map(|f| (f.state, format!("{}: {}: {}", f.what, f.words, f.fix.unwrap()))).collect()
    }

    #[track_caller]
    fn assert_missing(&self, words: &str, look: impl Fn(&Machine, &mut Survey)) {
        let wrong = self.wrong(look);
        let is_told =
            |(state, text): &(State, String)| *state == State::Missing && text.contains(words);
        assert!(wrong.iter().any(is_told), "{words} is not in {wrong:#?}");
    }
}

fn look_at_pam(machine: &Machine, findings: &mut Survey) {
    let _ = pam::look(machine, findings);
}

fn look_at_openvpn(machine: &Machine, findings: &mut Survey) {
    let _ = openvpn::look(machine, findings);
}

fn look_at_radius(machine: &Machine, findings: &mut Survey) {
    let _ = radius::look(machine, findings);
}

/// A machine whose sshd asks for a key and a code.
fn with_sshd() -> Files {
    let files = Files::new();
    for module in ["pam_exec.so", "pam_succeed_if.so", "pam_permit.so", "pam_echo.so"] {
        files.put(&format!("/usr/lib/x86_64-linux-gnu/security/{module}"), "");
    }
    files
        .put("/etc/pam.d/mfactl", STACK)
        .put("/etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_unix.so nullok\n")
        .put("/etc/pam.d/sshd", "@include mfactl\naccount required pam_nologin.so\n")
        .put("/etc/pam.d/login", "@include common-auth\naccount required pam_nologin.so\n")
        // As Debian has it: the first value counts, and the included files come first.
        .put(
            "/etc/ssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n",
        )
        .put("/etc/ssh/sshd_config.d/mfactl.conf", SSHD);
    files
}

#[test]
fn nothing_is_missing_on_a_machine_with_the_samples() {
    assert_eq!(with_sshd().wrong(look_at_pam), []);
    assert_eq!(with_openvpn(OPENVPN).wrong(look_at_openvpn), []);
    for site in [BY_CODE, BY_BOTH] {
        assert_eq!(with_radius(MODULE, site).wrong(look_at_radius), []);
    }
}

#[test]
fn each_thing_that_pam_can_lack_is_told_with_what_to_do() {
    let fresh = Files::new();
    fresh.assert_missing("install -m 0644 contrib/pam.d/mfactl /etc/pam.d/mfactl", look_at_pam);
    fresh.assert_missing("pam_exec.so is not in a folder", look_at_pam);
    fresh.assert_missing("@include mfactl in place of @include common-auth", look_at_pam);
    for (from, to, words) in [
        (" expose_authtok", "", "add expose_authtok"),
        (" seteuid", "", "add seteuid"),
        ("pam_exec.so quiet", "pam_exec.so", "add quiet"),
        ("pam_exec.so quiet", "pam_exec.so quiet stdout", "remove that option"),
        ("pam_exec.so quiet", "pam_exec.so quiet log=/tmp/log", "remove that option"),
        ("auth  [success=1 default=ignore]", "account [success=1 default=ignore]", "write auth"),
        ("auth  requisite", "#", "everybody comes in"),
        ("auth  required   pam_permit.so", "", "no module says yes"),
        ("[success=1 default=ignore]", "sufficient", "may not end in a refusal"),
        ("[success=1 default=ignore]", "optional", "may not end in a refusal"),
    ] {
        let files = with_sshd();
        assert!(STACK.contains(from), "{from}");
        files.put("/etc/pam.d/mfactl", &STACK.replace(from, to));
        files.assert_missing(words, look_at_pam);
    }
    let files = with_sshd();
    files.put("/etc/pam.d/sshd", "@include common-auth\n@include mfactl\naccount required x.so\n");
    files.assert_missing("the password is submitted as the code", look_at_pam);
    files.put("/etc/pam.d/sshd", "@include common-auth\naccount required x.so\n");
    files.assert_missing("none includes the stack", look_at_pam);
    // A stack may be included by way of another file.
    files.put("/etc/pam.d/common-auth", "@include mfactl\n");
    assert_eq!(files.wrong(look_at_pam), []);
}

#[test]
fn each_thing_that_sshd_can_lack_is_told_with_what_to_do() {
    for (line, words) in [
        ("UsePAM no", "UsePAM is not yes"),
        ("KbdInteractiveAuthentication no", "KbdInteractiveAuthentication is not yes"),
        ("PasswordAuthentication yes", "PasswordAuthentication is not no"),
        ("AuthenticationMethods publickey", "one of them is enough"),
        (
            "AuthenticationMethods publickey,keyboard-interactive:pam publickey",
            "one of them is enough",
        ),
    ] {
        let files = with_sshd();
        files.put("/etc/ssh/sshd_config.d/00-first.conf", &format!("  {line}\n"));
        files.assert_missing(words, look_at_pam);
        files.assert_missing("/etc/ssh/sshd_config.d/mfactl.conf; sshd -t", look_at_pam);
        // A later value does not count, and neither does one for some users.
        let files = with_sshd();
        files.put("/etc/ssh/sshd_config.d/zz.conf", &format!("{line}\nMatch User x\n{line}\n"));
        assert_eq!(files.wrong(look_at_pam), [], "{line}");
    }
    let files = with_sshd();
    files.remove("/etc/ssh/sshd_config");
    files.assert_missing("/etc/ssh/sshd_config can't be read", look_at_pam);
}

fn with_openvpn(include: &str) -> Files {
    let files = Files::new();
    files
        .put("/etc/openvpn/server/mfactl.inc", include)
        .put("/etc/openvpn/server/vpn.conf", "port 1194\nuser root\nconfig mfactl.inc\n");
    files
}

#[test]
fn each_thing_that_openvpn_can_lack_is_told_with_what_to_do() {
    Files::new().assert_missing(
        "install -m 0644 contrib/openvpn/server.conf /etc/openvpn/server/mfactl.inc",
        look_at_openvpn,
    );
    let files = with_openvpn(OPENVPN);
    files.put("/etc/openvpn/server/vpn.conf", "port 1194\n");
    files.assert_missing(
        "put into /etc/openvpn/server/vpn.conf: config mfactl.inc",
        look_at_openvpn,
    );
    for (from, to, words) in [
        ("script-security 2", "", "add: script-security 2"),
        ("\" via-file", "\" via-env", "add: script-security 3"),
        ("\" via-file", "\"", "write via-file"),
        (
            "client-crresponse",
            "# client-crresponse",
            "add: client-crresponse \"/usr/bin/mfactl verify --from openvpn\"",
        ),
        (
            "verify --from openvpn\" via",
            "verify --from openvpn --split last\" via",
            "remove the client-crresponse line",
        ),
    ] {
        assert!(OPENVPN.contains(from), "{from}");
        with_openvpn(&OPENVPN.replace(from, to)).assert_missing(words, look_at_openvpn);
    }
    for (line, words) in [("tmp-dir", "codes reach a disk"), ("auth-gen-token", "after an hour")] {
        let wrong = with_openvpn(&OPENVPN.replace(line, "#")).wrong(look_at_openvpn);
        let told =
            wrong.iter().any(|(state, text)| *state == State::Advice && text.contains(words));
        assert!(told, "{wrong:?}");
    }
    let files = with_openvpn(OPENVPN);
    files.put("/etc/openvpn/server/vpn.conf", "user nobody\nconfig mfactl.inc\n");
    files.assert_missing("runs as nobody", look_at_openvpn);
    files.put("/etc/openvpn/server/vpn.conf", "user no-such-user\nconfig mfactl.inc\n");
    files.assert_missing("adduser --system --group no-such-user", look_at_openvpn);
}

fn with_radius(module: &str, site: &str) -> Files {
    let files = Files::new();
    files
        .put("/etc/freeradius/3.0/radiusd.conf", "prefix = /usr\nsecurity {\n\tuser = root\n}\n")
        .put(
            "/etc/freeradius/3.0/mods-enabled/echo",
            "exec echo {\n\tprogram = \"/bin/echo x\"\n}\n",
        )
        .put("/etc/freeradius/3.0/mods-enabled/mfactl", module)
        .put("/etc/freeradius/3.0/sites-enabled/mfactl", site);
    files
}

#[test]
fn each_thing_that_freeradius_can_lack_is_told_with_what_to_do() {
    Files::new().assert_missing("apt-get install freeradius", look_at_radius);
    let files = with_radius(MODULE, BY_CODE);
    files.remove("/etc/freeradius/3.0/mods-enabled/mfactl");
    files.assert_missing(
        "freeradius/mods-available/mfactl /etc/freeradius/3.0/mods-available/",
        look_at_radius,
    );
    files.put("/etc/freeradius/3.0/mods-available/mfactl", MODULE);
    files.assert_missing(
        "ln -s ../mods-available/mfactl /etc/freeradius/3.0/mods-enabled/",
        look_at_radius,
    );
    for (from, to, words) in [
        ("\twait = yes", "\twait = no", "write: wait = yes"),
        ("\tinput_pairs = request", "", "write: input_pairs = request"),
        ("\toutput_pairs = reply", "", "write: output_pairs = reply"),
        ("shell_escape = yes", "shell_escape = no", "write: shell_escape = yes"),
        ("timeout = 3", "timeout = 1", "write: timeout = 3"),
        ("--from radius", "--from radius %{User-Name}", "chooses an argument"),
    ] {
        assert!(MODULE.contains(from), "{from}");
        with_radius(&MODULE.replace(from, to), BY_CODE).assert_missing(words, look_at_radius);
    }
    let files = with_radius(MODULE, &BY_CODE.replace("\t\t\tmfactl\n", "\t\t\tpap\n"));
    files.assert_missing("no virtual server", look_at_radius);
    let files =
        with_radius(MODULE, &BY_CODE.replace("\tauthorize {\n", "\tauthorize {\n\t\tmfactl\n"));
    files.assert_missing("call it in authenticate only", look_at_radius);
}

#[test]
fn a_program_that_others_can_change_is_not_trusted() {
    let files = Files::new();
    let started =
        |line: &str| StartedProgram::parse(&line.split(' ').collect::<Vec<_>>(), "pam").unwrap();
    let program = started("/usr/bin/mfactl --store /x verify --from pam --split last");
    assert!(program.splits && program.paths.store == Some("/x".into()));
    assert!(
        StartedProgram::parse(&["/usr/bin/mfactl", "verify", "--from", "radius"], "pam").is_none()
    );
    let look = |machine: &Machine, findings: &mut Survey| {
        program.look(machine, &Account::root(), findings);
    };
    files.assert_missing("there is no program /usr/bin/mfactl", look);
    files.put("/usr/bin/mfactl", "");
    let place = files.machine.place(Path::new("/usr/bin/mfactl"));
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&place, 0o775);
    files.assert_missing("chmod 0755 /usr/bin/mfactl", look);
    mode(&place, 0o4755);
    files.assert_missing("setuid", look);
    mode(&place, 0o755);
    mode(place.parent().unwrap(), 0o777);
    files.assert_missing("chmod go-w /usr/bin", look);
    mode(place.parent().unwrap(), 0o755);
    let [(State::Advice, other)] = &files.wrong(look)[..] else { panic!() };
    assert!(other.contains("another file"), "{other}");
    fs::remove_file(&place).unwrap();
    symlink(std::env::current_exe().unwrap(), &place).unwrap();
    let wrong = files.wrong(look);
    assert!(wrong.iter().all(|(_, words)| !words.contains("another file")), "{wrong:?}");
    let relative = started("mfactl verify --from pam");
    files.assert_missing("no absolute path", |machine, findings| {
        relative.look(machine, &Account::root(), findings);
    });
}

#[test]
fn an_account_is_denied_by_folder_and_by_mode() {
    let files = Files::new();
    files.put("/var/lib/mfactl/mfactl.db", "");
    let path = Path::new("/var/lib/mfactl/mfactl.db");
    let folder = files.machine.place(path.parent().unwrap());
    let group = rustix::process::getegid().as_raw();
    let account = |groups: Vec<u32>| Account { name: "freerad".to_owned(), uid: 65_000, groups };
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&files.machine.place(path), 0o660);
    mode(&folder, 0o770);
    mode(&files.machine.root, 0o755);
    let denied = |groups| account(groups).denied(&files.machine, path, 0o6);
    assert_eq!(denied(vec![group]), None);
    assert_eq!(denied(vec![]), Some("/var/lib/mfactl".into()));
    mode(&folder, 0o771);
    assert_eq!(denied(vec![]), Some(path.to_owned()));
    mode(&files.machine.place(path), 0o640);
    assert_eq!(denied(vec![group]), Some(path.to_owned()), "it has to write");
    assert_eq!(Account::root().denied(&files.machine, path, 0o6), None);
}
