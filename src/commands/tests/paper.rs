//! Printed lists of codes, from the sheet to the last code.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::env::Size;
use crate::testing::World;

/// Makes a list for alice, whom it adds if she is new, and returns the codes in their order.
fn list(world: &World, more: &str) -> Vec<String> {
    let line = format!("enrol alice --create --kind paper --json --reveal-secrets {more}");
    let made = world.run(&line).ok().json();
    assert_eq!((&made["kind"], &made["state"]), (&json!("paper"), &json!("pending")), "{made}");
    made["codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect()
}

fn answer(world: &World, code: &str) -> (u8, Value) {
    let ran = world.verify("alice", code);
    (ran.code, ran.json()["outcome"].clone())
}

fn device(world: &World, n: usize) -> Value {
    world.listed("alice")["devices"][n].clone()
}

fn accepted() -> (u8, Value) {
    (0, json!("accepted"))
}

fn replayed() -> (u8, Value) {
    (1, json!("replayed"))
}

fn rejected() -> (u8, Value) {
    (1, json!("rejected"))
}

#[test]
fn a_list_is_confirmed_by_one_of_its_codes_and_each_is_good_once() {
    let world = World::new();
    let codes = list(&world, "");
    assert_eq!((codes.len(), codes[0].len()), (50, 11));
    assert_eq!(device(&world, 0)["codes_left"], 50);
    assert_eq!(answer(&world, &codes[6]), (0, json!("confirmed")));
    assert_eq!(device(&world, 0)["codes_left"], 49);
    let ran = world.run_with("verify alice", &codes[49].to_lowercase().replace('-', " ")).ok();
    assert_eq!(ran.out, "alice: accepted by code 50 of paper; 48 left\n");
    assert_eq!(world.verify("alice", &codes[0]).ok().json()["factor"], "paper");
    for used in [0, 6, 49] {
        assert_eq!(answer(&world, &codes[used]), replayed(), "{used}");
    }
    assert_eq!(answer(&world, &codes[1]), accepted());
    let log = world.run("log --user alice --outcome accepted --json").ok().json();
    assert_eq!(log["events"][0]["detail"], json!({ "code": 50, "left": 48 }));
    let stored = world.sql("SELECT length(codes) || '/' || length(secret) FROM devices");
    assert_eq!(stored, "850/0", "hashes of the codes, and no secret");
    let people = world.run("list-status").ok().out;
    assert!(people.contains("46 paper codes left"), "{people}");
    assert!(world.run("show-user alice").ok().out.contains("46 codes left"));
    let _ = (world.run("verify-log").ok(), world.run("doctor"));
}

#[test]
fn a_used_code_stays_used_over_disable_reset_delete_and_their_undo() {
    let world = World::new();
    let codes = list(&world, "--codes 10");
    let _ = world.verify("alice", &codes[0]).ok();
    for (next, change) in
        (1..).zip(["disable alice --yes", "reset alice --yes --json", "delete alice --yes"])
    {
        let _ = world.run(change).ok();
        assert_ne!(world.verify("alice", &codes[next]).code, 0, "{change}");
        let _ = world.run("unlock alice").ok();
        let _ = world.run("undo alice --yes").ok();
        for used in &codes[..next] {
            assert_eq!(answer(&world, used), replayed(), "{change}");
        }
        assert_eq!(answer(&world, &codes[next]), accepted(), "{change}");
    }
    let _ = world.run("disable alice --yes").ok();
    let _ = world.run("enable alice").ok();
    assert_eq!(answer(&world, &codes[0]), replayed());
    let _ = world.run("edit-user alice --relabel paper=safe").ok();
    assert_eq!(answer(&world, &codes[9]), accepted(), "the label is no part of the hashes");
}

#[test]
fn the_codes_of_another_user_or_list_are_wrong_and_lock() {
    let world = World::new();
    let codes = list(&world, "");
    let _ = world.verify("alice", &codes[0]).ok();
    let made = world.run("enrol bob --create --kind paper --json --reveal-secrets").ok().json();
    for n in 0..5 {
        assert_eq!(answer(&world, made["codes"][n].as_str().unwrap()), rejected());
    }
    assert_eq!(answer(&world, &codes[1]).1, "locked");
    let _ = world.run("unlock alice").ok();
    // A second list has a label of its own; that of the first is taken.
    let second = list(&world, "");
    assert_eq!(device(&world, 1)["device"], "paper-2");
    assert_eq!(answer(&world, &second[0]), (0, json!("confirmed")));
    assert_eq!(answer(&world, &codes[1]), accepted(), "the first is good still");
    let taken = world.run("enrol alice --kind paper --device paper --output x.txt");
    assert_eq!(taken.code, 76, "{taken:?}");
}

#[test]
fn a_list_goes_to_a_new_private_file_and_is_shown_this_once() {
    let world = World::new();
    let file = world.folder.path().join("alice.txt");
    let line = format!("enrol alice --create --kind paper --codes 20 --output {}", file.display());
    let ran = world.run(&line).ok();
    assert!(ran.err.contains("delete the file after printing it"), "{ran:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let codes: Vec<&str> = text.split_whitespace().filter(|word| word.len() == 11).collect();
    assert_eq!(codes.len(), 20, "{text}");
    assert!(
        text.starts_with("Codes of alice: paper, made 1 January 2026 at 00:00 (UTC)."),
        "{text}"
    );
    assert!(codes.iter().all(|code| !(ran.out.clone() + &ran.err).contains(code)), "{ran:?}");
    assert_eq!(world.run(&line).code, 73, "the file is there");
    let shown = world.run("show-qr alice --json --reveal-secrets");
    assert_eq!(shown.code, 64, "{shown:?}");
    assert!(shown.err.contains("printed list, which is shown only once"), "{shown:?}");
    assert_eq!(answer(&world, codes[0]), (0, json!("confirmed")));
    for more in ["", " --json"] {
        let ran = world.run(&format!("enrol alice --kind paper{more}"));
        assert_eq!(ran.code, 64, "where it can't be shown, nothing is made: {ran:?}");
    }
    assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 1);
}

#[test]
fn options_of_other_kinds_and_other_numbers_are_refused() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for (line, code, words) in [
        ("enrol alice --kind paper --codes 9", 64, "is not a whole number from 10 to 100"),
        ("enrol alice --kind paper --codes 101", 64, "is not a whole number from 10 to 100"),
        ("enrol alice --codes 20", 64, "--codes: is for a device of kind paper, and this is totp"),
        ("enrol alice --kind paper --digits 8", 64, "a printed list has no such setting"),
    ] {
        let ran = world.run(line);
        assert!(ran.code == code && ran.err.contains(words), "{line}: {ran:?}");
    }
    let ran = world.run("enrol alice --kind paper --dry-run --json").ok().json();
    assert_eq!((&ran["dry_run"], &ran["codes"]), (&json!(true), &Value::Null));
    assert_eq!(world.listed("alice")["status"], "not_enabled");
}

#[test]
fn who_has_few_codes_left_is_listed_counted_and_told() {
    let world = World::new();
    let codes = list(&world, "--codes 10");
    let below =
        |n: u32| world.run(&format!("list-status --codes-left-below {n} --fail-if-any")).code;
    assert_eq!(below(50), 0, "the list is not confirmed yet");
    for code in &codes[..4] {
        let ran = world.run_with("verify alice", code).ok();
        assert!(!ran.err.contains("left on the printed list"), "{ran:?}");
    }
    assert_eq!((below(6), below(7)), (0, 1));
    let csv = world.run("list-status --columns user,codes_left --format csv").ok().out;
    assert_eq!(csv.replace('\r', ""), "user,codes_left\nalice,6\n");
    assert_eq!(world.listed("alice")["codes_left"], 6);
    let _ = world.active("bob");
    assert_eq!(below(7), 1, "whoever has no list lacks no codes");
    assert!(world.listed("bob")["codes_left"].is_null());
    let low = || world.run("metrics").ok().out.contains("mfactl_paper_codes_left_low_users 1");
    assert!(!low());
    let ran = world.run_with("verify alice", &codes[4]).ok();
    assert!(ran.err.contains("5 codes left on the printed list"), "{ran:?}");
    assert!(ran.err.replace("\n  ", " ").contains("mfactl enrol --kind paper -- alice"), "{ran:?}");
    assert!(low());
    let _ = world.run("disable alice --yes").ok();
    assert!(!low() && below(7) == 0);
}

#[test]
fn diagnose_tells_what_a_code_of_a_list_is_worth_and_uses_none_up() {
    let world = World::new();
    let codes = list(&world, "--codes 10");
    let found = |code: &str| world.run_with("diagnose alice --json", code).json();
    assert_eq!(found(&codes[0])["finding"], "paper_code");
    let _ = world.verify("alice", &codes[0]).ok();
    let used = found(&codes[0]);
    assert_eq!(used["finding"], "paper_code_used", "{used}");
    let words = "it was used before: each is good once";
    assert!(used["sentence"].as_str().unwrap().contains(words), "{used}");
    assert_eq!(used["next"], "mfactl enrol --kind paper -- alice");
    assert_eq!(found("00000-00000")["finding"], "paper_code_unknown");
    let _ = world.run("disable alice --yes").ok();
    assert_eq!(found(&codes[1])["finding"], "disabled");
    let _ = world.run("enable alice").ok();
    for code in &codes[1..] {
        assert_eq!(found(code)["finding"], "paper_code");
        let _ = world.verify("alice", code).ok();
    }
    assert_eq!(found(&codes[9])["finding"], "paper_code_used");
}

/// A terminal with pages, and these answers.
fn at_terminal(columns: u16, answers: &[&str]) -> World {
    in_size(Size { columns, rows: 24 }, answers)
}

fn in_size(size: Size, answers: &[&str]) -> World {
    let answers = answers.iter().map(|answer| &*answer.to_string().leak()).collect();
    let mut world = World::new();
    world.terminal = Some(size);
    (world.has_pages, world.answers) = (true, Some(answers));
    world
}

fn codes_in(pages: &[String]) -> Vec<String> {
    let mut codes: Vec<String> = pages
        .join("\n")
        .split_whitespace()
        .filter(|word| word.len() == 11 && word.as_bytes()[5] == b'-')
        .map(str::to_owned)
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn on_a_terminal_every_code_is_on_a_page_and_one_of_them_confirms_the_list() {
    for (columns, codes, enters) in
        [(80, 50, 0), (60, 50, 0), (40, 50, 1), (80, 100, 1), (40, 100, 2)]
    {
        let line = format!("enrol alice --create --yes --kind paper --codes {codes}");
        let mut answers = vec![""; enters + 1];
        let world = at_terminal(columns, &answers);
        let ran = world.run(&line).ok();
        assert_eq!(ran.prompts.len(), enters + 1, "{columns}, {codes}: {:?}", ran.prompts);
        let seen = codes_in(&ran.pages);
        assert_eq!(seen.len(), codes, "{columns}, {codes}");
        assert!(!seen.iter().any(|code| ran.err.contains(code) || ran.out.contains(code)));
        assert!(ran.err.contains("pending"), "{ran:?}");
        // The same world draws the same codes.
        answers.splice(enters.., ["abc", "00000-00000", &seen[0]]);
        let ran = at_terminal(columns, &answers).run(&line).ok();
        let left = codes - 1;
        assert!(ran.out.contains(&format!("alice: enabled; {left} codes on paper")), "{ran:?}");
        assert!(ran.pages.concat().contains("that is no code of a list"), "{ran:?}");
        assert!(!ran.err.contains("has to be confirmed"), "it was: {ran:?}");
    }
}

#[test]
fn without_a_right_code_the_list_stays_pending() {
    let line = "enrol alice --create --yes --kind paper";
    let world = at_terminal(80, &["00000-00000"; 3]);
    let ran = world.run(line);
    assert_eq!((ran.code, ran.prompts.len()), (1, 3), "{ran:?}");
    assert!(ran.err.contains("pending") && ran.err.contains("rejected"), "{ran:?}");
    let ran = at_terminal(80, &[""]).run(&format!("{line} --no-confirm")).ok();
    assert_eq!(ran.prompts, ["Enter wipes this screen"]);
}

#[test]
fn on_the_smallest_terminals_the_list_is_confirmed_after_its_last_code() {
    for (columns, rows) in [(20, 8), (20, 6), (24, 5), (40, 4), (80, 3), (80, 24)] {
        let line = "enrol alice --create --yes --kind paper --codes 10";
        let ran = in_size(Size { columns, rows }, &[]).run(line).ok();
        let at = format!("{columns}x{rows}: {:?} {:#?}", ran.prompts, ran.pages);
        let (last, before) = ran.prompts.split_last().unwrap();
        assert!(last.starts_with("Confirm it"), "{at}");
        assert!(before.iter().all(|prompt| prompt == "Enter shows the next codes"), "{at}");
        assert_eq!(codes_in(&ran.pages).len(), 10, "{at}");
        assert!(ran.pages.last().unwrap().contains("10. "), "{at}");
    }
}

#[test]
fn a_list_is_in_the_language_of_the_user_or_of_the_option() {
    let line = "enrol alice --kind paper --yes";
    for (language, option, is_french) in
        [("fr", "", true), ("en", "", false), ("en", "--lang fr", true), ("fr", "--lang en", false)]
    {
        let world = at_terminal(80, &[]);
        let _ = world.run(&format!("add-user alice --language {language}")).ok();
        let ran = world.run(&format!("{line} {option}")).ok();
        let page = &ran.pages[0];
        assert_eq!(page.contains("Chacun sert une seule fois"), is_french, "{page}");
        assert_eq!(page.contains("Each is good once"), !is_french, "{page}");
        let file = world.folder.path().join("list.txt");
        let _ = world.run(&format!("{line} {option} --output {}", file.display())).ok();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(
            text.starts_with(
                "Codes de alice\u{a0}: paper, liste du 1er janvier 2026 à 0\u{a0}h\u{a0}00 (UTC)."
            ),
            is_french
        );
        assert_eq!(
            text.starts_with("Codes of alice: paper, made 1 January 2026 at 00:00 (UTC)."),
            !is_french,
            "{text}"
        );
    }
}

#[test]
fn codes_and_values_go_to_text_files_and_a_note_goes_to_none() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let output = |kind: &str, file: &str| {
        let path = world.folder.path().join(file);
        let line = format!("enrol alice --no-confirm --kind {kind} --output {}", path.display());
        let ran = world.run(&line);
        assert_eq!(path.exists(), ran.code == 0, "{ran:?}");
        ran
    };
    for kind in ["paper", "yubikey"] {
        for file in ["list.png", "list", "txt", "list.txt.svg"] {
            let ran = output(kind, file);
            assert!(ran.code == 64 && ran.err.contains("does not end in .txt"), "{ran:?}");
        }
    }
    for (kind, file) in [("paper", "list.txt"), ("yubikey", "values.TXT"), ("totp", "app.png")] {
        let _ = output(kind, file).ok();
    }
    let ran = output("external --mark k", "note.txt");
    assert!(ran.code == 64 && ran.err.contains("--output: an external device"), "{ran:?}");
    assert_eq!(output("totp", "app.txt").code, 64);
}

#[test]
fn a_password_alone_makes_no_app_beside_a_list_that_is_pending() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let codes = list(&world, "");
    let _ = world.run("require-mfa alice").ok();
    let _ = world.run_with("set-password alice", "correct horse battery 9\n").ok();
    let sign_in = |code: Option<&str>| {
        let line = json!({ "password": "correct horse battery 9", "code": code }).to_string();
        world.run_with("sign-in alice --reveal-secrets", &line).json()
    };
    let alone = sign_in(None);
    assert_eq!(alone["outcome"], "code_required", "{alone}");
    assert!(alone["enrolment"].is_null(), "{alone}");
    assert_eq!(sign_in(Some(&codes[3]))["outcome"], "accepted");
}
