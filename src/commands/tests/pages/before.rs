//! What stands in the store before a command of a page, and what is typed.

use std::fs;

use crate::testing::World;

const ROLES: &str =
    "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\nsecond_operator = [\"disable\"]\n";
const REQUIRED: &str = "[policy]\nmfa = \"required\"\n[password]\nmemory = 19\npasses = 2\n";

const OLD_PASSWORD: &str = "correct horse battery staple";
pub const NEW_PASSWORD: &str = "vurmel taktor ninety-three";

impl World {
    fn done(&self, lines: &[&str]) {
        for line in lines {
            let _ = self.run(line).ok();
        }
    }
}

/// Alice with a phone, as the pages have her.
fn alice(world: &World) {
    alice_without_phone(world);
    let _ = world.active("alice");
    let _ = world.pending("robert", "");
    world.wait(30);
}

fn alice_without_phone(world: &World) {
    world.done(&["add-user alice --display-name Alice --email alice@example.com --group staff"]);
}

/// A request to disable victor, and its id.
fn request(world: &World) -> String {
    let _ = world.active("victor");
    world.done(&["edit-user victor --protected"]);
    world.configure(ROLES);
    world.uid.set(1);
    let asked = world.run("disable --ticket HELP-12 --json -- victor").ok().json();
    world.uid.set(3);
    asked["request"].as_str().unwrap().to_owned()
}

fn before_disable(world: &World, command: &str) -> (String, Vec<&'static str>) {
    if command.ends_with("victor") {
        let _ = world.active("victor");
        world.done(&["edit-user victor --protected"]);
        world.configure(ROLES);
        world.uid.set(1);
        return (String::new(), vec![]);
    }
    alice(world);
    if command.contains("--yes") {
        world.configure(REQUIRED);
    }
    (String::new(), vec!["y"])
}

/// Alice with a phone and a password, where users may do everything themselves.
fn before_me(world: &World, command: &mut String) -> (String, Vec<&'static str>) {
    let all = "[self_service]\nadd_device = true\nreplace_device = true\nswitch_off = true\n\
               remove_device = true\nrename_device = true\nrecovery_codes = true\n";
    world.configure(&format!("{all}[password]\nmemory = 19\npasses = 2\n"));
    let secret = world.active("alice");
    world.wait(30);
    let _ = world.run_with("set-password alice", OLD_PASSWORD).ok();
    let [code, next] = [0, 1].map(|steps| &*world.code(&secret, steps).leak());
    "mfactl me --name alice".clone_into(command);
    (String::new(), vec![OLD_PASSWORD, code, "1", "", next])
}

/// A list in the place of the file that the command names.
fn write_list(world: &World, command: &mut String, name: &str, list: &str) {
    let file = world.folder.path().join(name);
    fs::write(&file, list).unwrap();
    *command = command.replace(name, file.to_str().unwrap());
}

fn before_joiners_and_leavers(world: &World, command: &mut String) {
    if command.contains("leavers.txt") {
        let _ = world.pending("dave", "");
        world.done(&["add-user erin"]);
        write_list(world, command, "leavers.txt", "dave\nerin\n");
    } else {
        world.done(&["add-user alicia", "add-user erin"]);
        let list = "name,display_name,email,groups\n\
                    alicea,Alicea Roy,alicea@example.com,staff;vpn\n\
                    bob,Bob Stone,bob@example.com,staff\n\
                    erin,Erin Li,erin@example.com,staff\n";
        write_list(world, command, "joiners.csv", list);
    }
}

fn before_restore(world: &World, command: &mut String) {
    alice(world);
    let file = world.folder.path().join("monday.backup");
    world.done(&[&format!("backup {}", file.display())]);
    *command = command.replace("monday.backup", file.to_str().unwrap());
    let _ = world.pending("frank", "");
    (0..5).for_each(|_| drop(world.verify("frank", "000000")));
    world.done(&["unlock frank", "disable frank --yes"]);
}

/// What the login service hands over.
fn before_verify(world: &World, command: &str) -> String {
    let secret = world.active("alice");
    world.wait(30);
    if command.contains("--batch") {
        return "alice\t123456\t77\n{\"user\":\"bob\",\"code\":\"123456\",\"id\":78}\n".to_owned();
    }
    world.code(&secret, 0)
}

/// The code of a phone that is five minutes behind.
fn before_diagnose(world: &World) -> &'static str {
    let _ = world.active("alice");
    let name = "--display-name Alice --email alice@example.com --group staff";
    world.done(&[&format!("edit-user alice {name}")]);
    world.wait(900);
    let secret = world.run("show-qr alice --active --json --reveal-secrets").ok();
    world.code(&crate::testing::secret(&secret), -10).leak()
}

/// Puts the world into the state before a command; returns standard input and answers, and may fill in the
/// command what only this world knows.
pub fn prepare(world: &mut World, command: &mut String) -> (String, Vec<&'static str>) {
    let verb = command.trim_start_matches("mfactl ").split(' ').next().unwrap().to_owned();
    let is_of = |name: &str| command.ends_with(name);
    match verb.as_str() {
        "add-user" | "remove-user" if command.contains("--from") => {
            before_joiners_and_leavers(world, command);
            return (String::new(), vec!["2"]);
        }
        "enrol" => alice_without_phone(world),
        "handout" => drop(world.pending("alice", "")),
        "add-user" => {}
        "list-status" => world.done(&[
            "add-user alice --display-name Alice",
            "add-user robert",
            "enrol alice --no-confirm --json --reveal-secrets",
        ]),
        "find" => {
            world.done(&["add-user mmartin --display-name Martine --email martine@example.com"]);
        }
        "remove-user" => world.done(&["add-user robert"]),
        "changes" => {
            world.wait(2 * 86_400);
            let _ = world.active("carol");
            world.done(&["disable carol --yes --ticket HR-9"]);
        }
        "disable" => return before_disable(world, command),
        "enable" => {
            alice(world);
            world.done(&["disable alice --yes"]);
        }
        "unlock" if is_of("frank") => {
            let _ = world.pending("frank", "");
            (0..5).for_each(|_| drop(world.verify("frank", "000000")));
        }
        "approve" => {
            let id = request(world);
            if command.contains("approve --") {
                *command = format!("mfactl approve -- {id}");
            }
        }
        "force-new-password" => {
            world.configure("[password]\nmemory = 19\npasses = 2\n");
            alice(world);
            let _ = world.run_with("set-password alice", OLD_PASSWORD).ok();
        }
        "undo" if is_of("alicia") => {
            let _ = world.active("alicia");
            let reset = world.run("reset alicia --yes --json --reveal-secrets").ok();
            world.wait(60);
            let code = world.code(&crate::testing::secret(&reset), 0);
            let _ = world.verify("alicia", &code).ok();
        }
        "undo" => {
            let _ = world.pending("robert", "");
            world.done(&["delete robert --yes"]);
        }
        "sign-in" => {
            world.configure(REQUIRED);
            world.done(&["add-user alice"]);
            let _ = world.run_with("set-password alice", OLD_PASSWORD).ok();
            let asked = world.run("force-new-password alice --yes --json --reveal-secrets").ok();
            let password = asked.json()["temporary_password"].as_str().unwrap().to_owned();
            return (String::new(), vec![password.leak(), NEW_PASSWORD, NEW_PASSWORD, ""]);
        }
        "me" => return before_me(world, command),
        "show-user" | "log" => {
            alice(world);
            world.done(&["reset alice --yes --ticket HELP-1234 --proof callback --no-enrol"]);
            let _ = world.active("alice");
        }
        "diagnose" => return (String::new(), vec![before_diagnose(world)]),
        "bypass" => {
            alice(world);
            return (String::new(), vec!["", "yes"]);
        }
        "verify" => return (before_verify(world, command), vec![]),
        "verify-log" if command.contains("--anchor") => {
            alice(world);
            let file = world.folder.path().join("anchors.txt");
            let anchor = world.run("verify-log --save-anchor -").ok().out;
            fs::write(&file, anchor).unwrap();
            *command = command.replace("anchors.txt", file.to_str().unwrap());
        }
        "check" if !is_of("log") => {
            alice(world);
            world.done(&["add-user bob"]);
        }
        "backup" => {
            alice(world);
            let file = world.folder.path().join("monday.backup");
            *command = format!("mfactl backup {}", file.display());
        }
        "restore" => before_restore(world, command),
        _ => alice(world),
    }
    (String::new(), vec!["y"])
}
