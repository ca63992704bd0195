//! `doctor --service` on the files of the real packages, in a mount namespace of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rustix::process::Signal;

use super::serving::Verifier;
use super::support::{MFACTL, World, has, is_root, leave_out};
use super::{INSTALLED, Installed};

const STACK: &str = include_str!("../../../contrib/pam.d/mfactl");
const SSHD: &str = include_str!("../../../contrib/ssh/mfactl.conf");
const OPENVPN: &str = include_str!("../../../contrib/openvpn/server.conf");
const MODULE: &str = include_str!("../../../contrib/freeradius/mods-available/mfactl");
const SITE: &str = include_str!("../../../contrib/freeradius/sites-available/mfactl");

/// Copies of the folders in `/etc`, which a run sees in their places.
struct Machine<'w> {
    world: &'w World,
    folders: Vec<&'static str>,
}

impl<'w> Machine<'w> {
    fn new(world: &'w World, folders: &[&'static str]) -> Self {
        for folder in folders {
            let copy = Self::copy(world, folder);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            let copied = Command::new("cp").arg("-aL").arg(folder).arg(&copy).status().unwrap();
            assert!(copied.success() || copy.is_dir());
        }
        Self { world, folders: folders.to_vec() }
    }

    fn copy(world: &World, folder: &str) -> std::path::PathBuf {
        world.path("machine").join(folder.trim_start_matches('/'))
    }

    fn put(&self, path: &str, text: &str) {
        let place = Self::copy(self.world, path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(Self::copy(self.world, path)).unwrap();
        assert!(text.contains(from), "{path}: {text}");
        self.put(path, &text.replacen(from, to, 1));
    }

    fn doctor(&self, service: &str) -> Output {
        let mount = |folder: &&str| {
            format!("mount --bind {} {folder}", Self::copy(self.world, folder).display())
        };
        let mounts: Vec<String> = self.folders.iter().map(mount).collect();
        let script = format!("{}; exec {MFACTL} doctor --service {service}", mounts.join("; "));
        Command::new("unshare")
            .args(["-m", "sh", "-ec", &script])
            .env("MFACTL_STORE", self.world.place())
            .env("MFACTL_KEY_FILE", self.world.key())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn expect(&self, service: &str, code: i32, words: &str) {
        let ran = self.doctor(service);
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(ran.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&ran.stderr));
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

fn can(what: &str, folder: &str) -> bool {
    if !is_root(what) || !has("unshare", what) || !has("oathtool", what) {
        return false;
    }
    if !Path::new(folder).is_dir() {
        leave_out(&format!("{folder} is not there"), what);
        return false;
    }
    let may = Command::new("unshare").args(["-m", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        leave_out("a mount namespace is not permitted", what);
        return false;
    }
    true
}

#[test]
fn doctor_leads_through_the_setup_of_sshd() {
    if !can("doctor --service pam", "/etc/ssh") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let machine = Machine::new(&world, &["/etc/pam.d", "/etc/ssh"]);
    // Other tests put their own stacks there.
    let folder = Machine::copy(&world, "/etc/pam.d");
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("mfactl") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    machine.expect("pam", 1, "mfactl /etc/pam.d/mfactl");
    let line = Installed::new(&world).line;
    machine
        .put("/etc/pam.d/mfactl", &STACK.replace(&format!(" {INSTALLED} "), &format!(" {line} ")));
    machine.expect("pam", 1, "@include mfactl in place of @include common-auth");
    machine.change("/etc/pam.d/sshd", "@include common-auth", "@include mfactl");
    machine.expect("pam", 1, "/etc/ssh/sshd_config.d/mfactl.conf");
    machine.put("/etc/ssh/sshd_config.d/mfactl.conf", SSHD);
    machine.expect("pam", 0, "nothing is missing: pam can ask for codes");
}

#[test]
fn doctor_leads_through_the_setup_of_openvpn() {
    if !can("doctor --service openvpn", "/etc/openvpn") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let machine = Machine::new(&world, &["/etc/openvpn"]);
    machine.expect("openvpn", 1, "/etc/openvpn/server/mfactl.inc");
    let line = Installed::new(&world).line;
    let sample = OPENVPN.replace(&format!("\"{INSTALLED} "), &format!("\"{line} "));
    machine.put("/etc/openvpn/server/mfactl.inc", &sample);
    machine.put("/etc/openvpn/server/vpn.conf", "port 1194\n");
    machine.expect("openvpn", 1, "config mfactl.inc");
    machine.put("/etc/openvpn/server/vpn.conf", "port 1194\nconfig mfactl.inc\n");
    machine.expect("openvpn", 0, "nothing is missing");
    machine.put("/etc/openvpn/server/vpn.conf", "user daemon\nconfig mfactl.inc\n");
    machine.expect("openvpn", 1, "daemon may not");
}

#[test]
fn doctor_leads_through_the_setup_of_freeradius() {
    if !can("doctor --service radius", "/etc/freeradius/3.0") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let machine = Machine::new(&world, &["/etc/freeradius"]);
    let at = |name: &str| format!("/etc/freeradius/3.0/{name}");
    machine.expect("radius", 1, "mods-available/");
    let line = Installed::new(&world).line;
    let started = format!("{INSTALLED} --config /etc/mfactl/config.toml");
    assert!(MODULE.contains(&started));
    machine.put(&at("mods-enabled/mfactl"), &MODULE.replace(&started, &line));
    machine.expect("radius", 1, "no virtual server");
    machine.put(&at("sites-enabled/mfactl"), SITE);
    machine.expect("radius", 1, "freerad may not");
    machine.change(&at("radiusd.conf"), "user = freerad", "user = root");
    machine.expect("radius", 0, "nothing is missing: radius can ask for codes");
}

#[test]
fn doctor_leads_a_service_without_rights_to_the_verifier() {
    if !can("doctor --service radius beside a verifier", "/etc/freeradius/3.0") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let machine = Machine::new(&world, &["/etc/freeradius"]);
    let at = |name: &str| format!("/etc/freeradius/3.0/{name}");
    let config = world.path("config.toml");
    let of_group = |group: &str| {
        fs::write(&config, format!("[serve]\ngroup = \"{group}\"\n")).unwrap();
    };
    let (line, socket) = (Installed::new(&world).line, Verifier::place(&world, "verify"));
    let module = MODULE
        .replace(
            &format!("{INSTALLED} --config /etc/mfactl/config.toml"),
            &format!("{line} --config {}", config.display()),
        )
        .replace("--from radius", &format!("--from radius --socket {}", socket.display()));
    machine.put(&at("mods-enabled/mfactl"), &module);
    machine.put(&at("sites-enabled/mfactl"), SITE);
    of_group("daemon");
    machine.expect("radius", 1, "systemctl enable --now mfactl-verify.socket");
    let verifier = Verifier::start(&world);
    machine.expect("radius", 1, "adduser freerad daemon; systemctl restart freeradius");
    fs::write(&config, "").unwrap();
    machine.expect("radius", 1, "name a group as group of [serve]");
    of_group("freerad");
    machine.expect("radius", 0, "freerad asks the verifier, and needs no rights of its own");
    machine.change(&at("radiusd.conf"), "user = freerad", "user = root");
    machine.expect("radius", 0, "it is asked first, and the store is opened where it is down");
    machine.change(&at("radiusd.conf"), "user = root", "user = freerad");
    verifier.signal(Signal::STOP);
    machine.expect("radius", 1, "systemctl restart mfactl-verify.socket mfactl-verify");
    verifier.signal(Signal::CONT);
    machine.expect("radius", 0, "freerad asks the verifier");
    assert_eq!(verifier.end(Signal::KILL), None);
    machine.expect("radius", 1, "it does not answer at");
}
