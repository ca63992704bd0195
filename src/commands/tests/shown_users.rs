//! A change is made to the user whom the operator was shown, or to nobody.

use std::cell::Cell;
use std::rc::Rc;

use clap::Command;

use crate::commands::tests::remembered::remember;
use crate::commands::{VERBS, VerbEntry};
use crate::env::Size;
use crate::testing::{CommandResult, World};

const PASSWORD: &str = "granite walrus pickle tram";

/// How a verb that changes a user is run at a terminal.
struct Case {
    options: &'static str,
    /// In place of these, for a list.
    list_options: &'static str,
    answers: &'static [&'static str],
    /// What both users need before.
    prepare: &'static str,
}

/// Every verb that changes a user has its case here.
fn case(verb: &str) -> Case {
    let case = |options, answers| Case { options, list_options: options, answers, prepare: "" };
    match verb {
        "disable" | "delete" => case("", &["y"]),
        "require-mfa" => case("", &[]),
        "enable" => Case { prepare: "disable", ..case("", &[]) },
        "undo" => Case { prepare: "disable", ..case("", &["y"]) },
        "unlock" => Case { prepare: "lock", ..case("", &[]) },
        "enrol" => {
            Case { list_options: "--device tablet --no-confirm", ..case("--device tablet", &[]) }
        }
        "show-qr" => case("--active", &[]),
        "handout" => case("--active --recovery-codes --output alice.html", &["y"]),
        "edit-user" => Case { list_options: "--add-group vpn", ..case("--rename carol", &["y"]) },
        "remove-user" => case("", &["alice"]),
        "reset" => Case { list_options: "--no-enrol", ..case("", &["y"]) },
        "force-new-password" | "recovery-codes" => {
            Case { list_options: "--output secrets", ..case("", &["y"]) }
        }
        "bypass" => {
            Case { list_options: "--for 1h --output secrets", ..case("--for 1h --uses 1", &["y"]) }
        }
        "resync" => case("", &["123456", "654321"]),
        "set-password" => case("", &[PASSWORD, PASSWORD]),
        "remembered" => Case { prepare: "remember", ..case("--revoke", &[]) },
        "assign" => Case { prepare: "token", ..case("T1", &["y", ""]) },
        _ => panic!("{verb}: say how it is run at a terminal"),
    }
}

/// Alice and Bob are alike but for name and e-mail address.
fn world(case: &Case) -> World {
    let mut world = World::new();
    for name in ["alice", "bob"] {
        let secret = world.active(name);
        let _ = world.run(&format!("edit-user {name} --email {name}@example.com")).ok();
        let _ = world.run_with(&format!("set-password {name}"), PASSWORD).ok();
        match case.prepare {
            "" | "token" => {}
            "remember" => remember(&mut world, name, &secret),
            "lock" => {
                for _ in 0..12 {
                    let _ = world.verify(name, "000000");
                    world.wait(1);
                }
            }
            verb => drop(world.run(&format!("{verb} {name} --yes")).ok()),
        }
    }
    if case.prepare == "token" {
        let token = "T1,6d666163746c2d73616d706c652d6572696e2121,totp,6,30\n";
        let _ = world.run_with("add-tokens - --yes", token).ok();
    }
    world.terminal = Some(Size { columns: 100, rows: 50 });
    world
}

fn events(world: &World) -> String {
    world.sql("SELECT count(*) FROM events")
}

/// What a run came to while others acted.
struct Crossed {
    ran: CommandResult,
    /// Whether something was asked before the verb had changed anything.
    asked_first: bool,
    /// Whether the verb changed anything after that.
    went_on: bool,
}

/// Runs the verb, and `others` while it waits for the first answer.
fn crossed(mut world: World, line: &str, answers: Vec<&'static str>, others: &[&str]) -> Crossed {
    world.answers = Some(answers);
    let before = events(&world);
    let world = Rc::new(world);
    let (begun, left) = (Rc::new(Cell::new(String::new())), Rc::new(Cell::new(String::new())));
    let meanwhile = {
        let (world, begun, left) = (Rc::clone(&world), Rc::clone(&begun), Rc::clone(&left));
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        move || {
            begun.set(events(&world));
            for line in &others {
                let ran = world.run_with(&format!("{line} --no-input"), "000000");
                assert!(ran.code == 0 || line.starts_with("verify"), "{line}: {ran:?}");
            }
            left.set(events(&world));
        }
    };
    *world.meanwhile.borrow_mut() = Some(Box::new(meanwhile));
    let ran = world.run(line);
    let (begun, left) = (begun.take(), left.take());
    let went_on = !left.is_empty() && left != events(&world);
    Crossed { ran, asked_first: begun == before, went_on }
}

const SWAP: [&str; 3] = [
    "edit-user alice --rename nobody --yes",
    "edit-user bob --rename alice --yes",
    "edit-user nobody --rename bob --yes",
];
const ADDED_AGAIN: [&str; 3] = [
    "remove-user alice --yes",
    "add-user alice --email alice@example.com",
    "enrol alice --no-confirm --output other.png",
];
const CUT_OFF: [&str; 1] = ["reset alice --no-enrol --yes"];

/// The verbs that change a user whom they name. `unassign` has a test of its own.
fn changing() -> impl Iterator<Item = &'static VerbEntry> {
    VERBS.iter().filter(|entry| entry.spec.changes_user && entry.spec.name != "unassign")
}

#[test]
fn a_token_is_taken_from_nobody_but_the_user_who_was_shown() {
    for others in [&SWAP[..], &ADDED_AGAIN, &CUT_OFF, &["unassign T1 --yes"]] {
        let world = world(&case("assign"));
        let _ = world.run("assign T1 alice --active --proof video").ok();
        let others: Vec<String> = others.iter().map(|o| in_folder(&world, o)).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let done = crossed(world, "unassign T1", vec!["y"], &others);
        assert!(done.asked_first && !done.went_on, "{others:?}: {:?}", done.ran);
        assert_eq!(done.ran.code, 75, "{others:?}: {:?}", done.ran);
    }
    let world = world(&case("assign"));
    let _ = world.run("assign T1 alice --active --proof video").ok();
    let done = crossed(world, "unassign T1", vec!["y"], &["verify alice", "verify bob"]);
    assert!(done.asked_first && done.went_on && done.ran.code == 0, "{:?}", done.ran);
}

fn in_folder(world: &World, options: &str) -> String {
    let folder = world.folder.path().display();
    options.replace("--output ", &format!("--output {folder}/"))
}

#[test]
fn nobody_but_the_user_who_was_shown_is_changed() {
    for entry in changing() {
        let verb = entry.spec.name;
        let case = case(verb);
        for others in [&SWAP[..], &ADDED_AGAIN, &CUT_OFF] {
            for by_mail in [false, true] {
                let world = world(&case);
                let others: Vec<String> = others.iter().map(|o| in_folder(&world, o)).collect();
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                let (name, first) =
                    if by_mail { ("alice@example.com", &["y"][..]) } else { ("alice", &[][..]) };
                let answers = first.iter().chain(case.answers).copied().collect();
                let options = in_folder(&world, case.options);
                let line = format!("{verb} {options} {name}");
                let done = crossed(world, &line, answers, &others);
                assert!(!done.went_on, "{line} {others:?}: {:?}", done.ran);
                assert!(done.asked_first || !by_mail, "{line}: {:?}", done.ran);
                if done.asked_first {
                    let ran = done.ran;
                    assert_eq!(ran.code, 75, "{line} {others:?}: {ran:?}");
                    assert!(ran.err.contains("alice was changed meanwhile"), "{line}: {ran:?}");
                }
            }
        }
    }
}

#[test]
fn attempts_to_sign_in_do_not_prevent_what_was_agreed_to() {
    for entry in changing() {
        let verb = entry.spec.name;
        let case = case(verb);
        let answers = ["y"].iter().chain(case.answers).copied().collect();
        let world = world(&case);
        let line = format!("{verb} {} alice@example.com", in_folder(&world, case.options));
        let done = crossed(world, &line, answers, &["verify alice", "verify bob"]);
        assert!(done.asked_first && done.went_on, "{line}: {:?}", done.ran);
        assert!(matches!(done.ran.code, 0 | 1), "{line}: {:?}", done.ran);
    }
}

#[test]
fn nobody_but_the_users_of_a_plan_is_changed() {
    let takes_list = |entry: &&VerbEntry| {
        let command = (entry.arguments)(Command::new(entry.spec.name));
        command.get_arguments().any(|argument| argument.get_id() == "from")
    };
    let mut lists = 0;
    for entry in changing().filter(takes_list) {
        lists += 1;
        let verb = entry.spec.name;
        let case = case(verb);
        for (others, is_refused) in
            [(&SWAP[..], true), (&CUT_OFF, true), (&["verify alice", "verify bob"], false)]
        {
            let world = world(&case);
            let list = world.folder.path().join("list");
            std::fs::write(&list, "alice\nbob\n").unwrap();
            let options = in_folder(&world, case.list_options);
            let line = format!("{verb} {options} --max-changes 2 --from {}", list.display());
            let done = crossed(world, &line, vec!["2"], others);
            assert!(done.asked_first, "{line}: {:?}", done.ran);
            assert_eq!(done.ran.code, if is_refused { 75 } else { 0 }, "{line}: {:?}", done.ran);
            assert_eq!(done.went_on, !is_refused, "{line}: {:?}", done.ran);
        }
    }
    assert!(lists > 9, "{lists}");
}

#[test]
fn a_user_who_was_made_meanwhile_is_not_enrolled() {
    let case = case("enrol");
    let made = ["add-user alicf"];
    let done = crossed(world(&case), "enrol alicf --create", vec!["y"], &made);
    assert!(done.asked_first && !done.went_on && done.ran.code == 75, "{:?}", done.ran);
    let done = crossed(world(&case), "enrol alicf --create", vec!["y"], &[]);
    assert!(done.asked_first && done.went_on && done.ran.code == 0, "{:?}", done.ran);
}

#[test]
fn approve_shows_the_user_and_the_consequences_before_it_asks() {
    let mut world = world(&case("disable"));
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(
        "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\nsecond_operator = [\"disable\"]\n",
    );
    world.uid.set(1);
    let request = world.run("disable alice --json").ok().json()["request"].clone();
    let line = format!("approve {}", request.as_str().unwrap());
    world.uid.set(3);
    for (answer, status) in [("n", "enabled"), ("y", "disabled")] {
        world.answers = Some(vec![answer]);
        let ran = world.run(&line);
        assert!(ran.err.starts_with("alice, alice@example.com\n"), "{ran:?}");
        assert!(ran.err.contains("afterwards: can sign in with the password alone"), "{ran:?}");
        assert_eq!((ran.prompts.len(), ran.code), (1, u8::from(answer == "n")), "{ran:?}");
        assert_eq!(world.listed("alice")["status"], status);
    }
}

#[test]
fn undo_says_that_codes_and_the_password_come_back() {
    let mut world = world(&case("undo"));
    let _ = world.run("enable alice").ok();
    let _ = world.run("recovery-codes alice --yes --json --reveal-secrets").ok();
    let _ = world.run("force-new-password alice --yes --json --reveal-secrets").ok();
    world.answers = Some(vec!["n"]);
    let ran = world.run("undo alice");
    let question = &ran.prompts[0];
    assert!(question.contains("; 10 recovery codes will be good again"), "{ran:?}");
    assert!(question.contains("; the state of the password will be as before"), "{ran:?}");
}

#[test]
fn an_interrupt_on_the_page_says_how_to_take_the_device_back() {
    let mut world = world(&case("enrol"));
    world.answers = Some(vec![""]);
    let ran = world.run("enrol alice --device tablet").ok();
    assert!(ran.err.starts_with("alice, alice@example.com\n"), "{ran:?}");
    let (_, take_back) = ran.interrupt_messages[0].split_once("to take it back, run: ").unwrap();
    assert_eq!(take_back, "mfactl delete --device tablet -- alice");
    let _ = world.run("delete --device tablet --yes -- alice").ok();
    assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 1);
}
