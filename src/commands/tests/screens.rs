//! What a person is asked at a terminal, and the pages that hold secrets.

use crate::env::Size;
use crate::testing::{CommandResult, World, secret};

const TERMINAL: Option<Size> = Some(Size { columns: 80, rows: 24 });

/// Gives the world a terminal that has pages, and these answers.
fn answering(world: &mut World, answers: &[&str]) {
    (world.terminal, world.has_pages) = (TERMINAL, true);
    let answers = answers.iter().map(|answer| &*answer.to_string().leak());
    world.answers = Some(answers.collect());
}

/// Runs the line twice in worlds of the same history, which draw the same secrets: without an answer after `before`,
/// and then with the code of the new device, so many steps from now.
fn with_code(
    world: fn() -> World,
    line: &str,
    before: &[&str],
    steps: &[i64],
) -> (World, CommandResult) {
    let mut twin = world();
    answering(&mut twin, before);
    let _ = twin.run(line);
    twin.answers = None;
    let shown = secret(&twin.run("show-qr alice --json --reveal-secrets").ok());
    let mut world = world();
    let codes: Vec<String> = steps.iter().map(|step| world.code(&shown, *step)).collect();
    let answers = before.iter().copied().chain(codes.iter().map(String::as_str));
    answering(&mut world, &answers.collect::<Vec<_>>());
    let ran = world.run(line);
    (world, ran)
}

fn with_alice() -> World {
    let world = World::new();
    let _ = world.active("alice");
    world.wait(60);
    world
}

fn wrong_codes(world: &mut World) -> usize {
    world.answers = None;
    let log = world.run("log --user alice --outcome rejected --json").ok().json();
    log["events"].as_array().unwrap().len()
}

/// The key in groups of four, as a page shows it.
fn has_key(text: &str) -> bool {
    let is_group = |word: &&str| {
        word.len() == 4 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    text.split_whitespace().filter(is_group).count() >= 8
}

#[test]
fn d8_a_question_takes_a_word_and_asks_again_at_any_other() {
    for (answers, is_yes) in [
        (&["y"][..], true),
        (&["yes"], true),
        (&[" YES "], true),
        (&["n"], false),
        (&["no"], false),
        (&[""], false),
        (&["q"], false),
        (&["yess", "es", "maybe", "y"], true),
        (&["1", "n"], false),
    ] {
        let mut world = with_alice();
        answering(&mut world, answers);
        let ran = world.run("disable alice");
        assert_eq!((ran.code == 0, ran.prompts.len()), (is_yes, answers.len()), "{answers:?}");
        world.answers = None;
        let status = if is_yes { "disabled" } else { "enabled" };
        assert_eq!(world.listed("alice")["status"], status, "{answers:?}");
    }
}

#[test]
fn d3_reset_asks_for_the_code_and_needs_no_right_to_verify() {
    let world = || {
        let world = with_alice();
        world.configure("[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\n");
        world.uid.set(1);
        world
    };
    let (mut world, ran) = with_code(world, "reset alice", &["y"], &[0]);
    let ran = ran.ok();
    assert_eq!(ran.out, "alice: reset; 1 device cut off; MFA is enabled\n");
    assert_eq!(ran.prompts[1], "The 6 digits that the app shows (Enter: later)");
    assert!(!ran.err.contains("hint"), "{}", ran.err);
    world.answers = None;
    world.uid.set(3);
    let log = world.run("log --user alice --outcome confirmed --verb reset").ok().out;
    assert!(log.contains("reset") && log.contains("confirmed"), "{log}");
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn d3_enter_leaves_the_new_device_for_later_and_says_how_to_go_on() {
    let mut world = with_alice();
    answering(&mut world, &["y", ""]);
    let ran = world.run("reset alice").ok();
    let unwrapped = ran.err.replace("\n  ", " ");
    assert!(
        unwrapped.contains("to see it again and give a code, run: mfactl show-qr -- alice"),
        "{ran:?}"
    );
    assert!(ran.interrupt_messages[1].contains("show-qr -- alice"), "{ran:?}");
    let (mut world, ran) = with_code(
        || {
            let world = with_alice();
            let _ = world.run("reset alice --yes --json").ok();
            world
        },
        "show-qr alice",
        &[],
        &[0],
    );
    assert_eq!(ran.ok().out, "alice: phone is active\n");
    answering(&mut world, &["y"]);
    let ran = world.run("reset alice --no-confirm").ok();
    assert_eq!(ran.prompts[1], "Enter ends this screen");
}

#[test]
fn d3_a_planned_change_of_phone_is_done_in_one_run() {
    let (mut world, ran) =
        with_code(with_alice, "reset alice --keep-until-confirmed", &["y"], &[0]);
    assert_eq!(ran.ok().out, "alice: reset; 1 device cut off; MFA is enabled\n");
    world.answers = None;
    assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 1);
}

#[test]
fn d12_what_is_no_code_is_asked_again_and_counts_for_nothing() {
    let mut world = World::new();
    let typed = ["abc", "1234", "1234567", "12345x", "١٢٣٤٥٦", "-", "123 4567", ""];
    answering(&mut world, &typed);
    let ran = world.run("enrol alice --create").ok();
    assert_eq!(ran.prompts.len(), typed.len());
    for page in &ran.pages[2..] {
        assert!(page.contains("that is no code: type the 6"), "{page}");
    }
    assert_eq!(wrong_codes(&mut world), 0);
    // From a pipe too.
    let input = "abc\n12\n\n000000\n";
    let ran = world.run_with("enrol alice --json --reveal-secrets --device tablet", input);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(wrong_codes(&mut world), 1);
    let endless = "x\n".repeat(1000);
    let _ = world.run_with("enrol alice --json --reveal-secrets --device third", &endless).ok();
}

#[test]
fn d12_a_phone_whose_clock_is_off_is_told_for_the_new_device_only() {
    let line = "enrol alice --create";
    for (steps, words) in [
        (-8, "the phone's clock is about 4 minutes behind"),
        (8, "the phone's clock is about 4 minutes ahead"),
        (1680, "the phone's clock is about 14 hours ahead"),
    ] {
        let (mut world, ran) = with_code(World::new, line, &[], &[steps]);
        let said = ran.err.replace('\n', " ");
        assert!(said.contains(words), "{ran:?}");
        assert!(ran.pages.iter().any(|page| page.contains("clock")), "{ran:?}");
        assert_eq!(wrong_codes(&mut world), 1, "it counts as always");
    }
    // A code of another device of the same user tells nothing.
    let mut world = World::new();
    let phone = world.active("alice");
    let typed = world.code(&phone, -8);
    answering(&mut world, &[&typed]);
    let ran = world.run("enrol alice --device tablet");
    assert_eq!(ran.code, 1);
    assert!(!ran.pages.concat().contains("clock") && !ran.err.contains("clock"), "{ran:?}");
}

#[test]
fn d16_secrets_are_on_a_page_and_in_no_other_output() {
    for (line, answers) in [
        ("enrol alice --device tablet", &[""][..]),
        ("enrol alice --device tablet --no-confirm", &[""]),
        ("reset alice", &["y", ""]),
        ("reset alice --yes --no-confirm", &[""]),
        ("show-qr alice --active", &[""]),
    ] {
        let mut world = with_alice();
        answering(&mut world, answers);
        let ran = world.run(line).ok();
        assert_eq!(ran.prompts.len(), answers.len(), "{line}: {ran:?}");
        assert!(
            ran.pages.iter().any(|page| has_key(page) && page.contains('▀')),
            "{line}: {ran:?}"
        );
        assert!(!has_key(&ran.out) && !has_key(&ran.err), "{line}: {ran:?}");
        // A terminal that has no second screen.
        let mut world = with_alice();
        answering(&mut world, answers);
        world.has_pages = false;
        let ran = world.run(line).ok();
        assert!(ran.pages.is_empty() && has_key(&ran.out), "{line}: {ran:?}");
    }
}

#[test]
fn d19_what_is_shown_once_has_a_label_a_lifetime_and_a_use() {
    for (line, words) in [
        (
            "bypass alice --for 1h --yes",
            &["Bypass code of alice", "1 use until 2026-01-01T01:01:00Z"][..],
        ),
        ("recovery-codes alice --yes", &["Recovery codes of alice", "until they are used"]),
        (
            "force-new-password alice --yes",
            &["Temporary password of alice", "until 2026-01-02T00:01:00Z", "choose a new password"],
        ),
    ] {
        let mut world = with_alice();
        world.configure("[password]\nmemory = 19\npasses = 2\n");
        let _ = world.run_with("set-password alice", "vurmel taktor ninety-three").ok();
        answering(&mut world, &[""]);
        let ran = world.run(line).ok();
        assert_eq!(ran.prompts, ["Enter wipes this screen"], "{line}");
        assert_eq!(ran.interrupt_messages, ["the change was saved; what was shown is in force"]);
        let page = ran.pages[0].replace('\n', " ");
        for words in words {
            assert!(page.contains(words), "{line}: {page}");
        }
        let code =
            page.split_whitespace().find(|word| word.matches('-').count() >= 2 && word.len() >= 14);
        let code = code.unwrap_or_else(|| panic!("{line}: {page}"));
        let is_time = code.contains('T') && code.contains(':');
        assert!(is_time || !(ran.out.contains(code) || ran.err.contains(code)), "{line}: {ran:?}");
    }
}

#[test]
fn d22_a_used_code_is_called_used_only_after_the_right_password() {
    const PASSWORD: &str = "vurmel taktor ninety-three";
    let mut world = World::new();
    world.configure("[password]\nmemory = 19\npasses = 2\n");
    let alice = world.active("alice");
    let _ = world.run_with("set-password alice", PASSWORD).ok();
    let (used, fresh) = (world.code(&alice, 0), world.code(&alice, 1));
    answering(&mut world, &[PASSWORD, "12", &used, &fresh]);
    let ran = world.run("sign-in alice").ok();
    assert!(ran.err.contains("that is no code"), "{ran:?}");
    assert!(ran.err.contains("that code was used already: wait for the next one"), "{ran:?}");
    answering(&mut world, &["wrong horse", &used]);
    let ran = world.run("sign-in alice");
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains("used"), "{ran:?}");
    answering(&mut world, &[PASSWORD, ""]);
    let ran = world.run("sign-in alice");
    assert_eq!((ran.code, ran.out.as_str()), (1, "alice: a code is required\n"));
}

#[test]
fn d15_no_screen_that_asks_for_a_code_says_that_nobody_ever_will() {
    for (language, only) in
        [("en", "Only this screen and your"), ("fr", "Seuls cet écran et votre")]
    {
        let mut world = World::new();
        answering(&mut world, &[""]);
        let ran = world.run(&format!("enrol alice --create --lang {language}")).ok();
        let page = &ran.pages[0];
        assert!(
            page.contains(only) && !page.contains("never") && !page.contains("jamais"),
            "{page}"
        );
    }
}

#[test]
fn what_a_new_device_means_is_said_as_it_is_after_the_page() {
    // The plan that is asked about says it too, before the page.
    for (world, line, before) in [
        (World::new as fn() -> World, "enrol alice --create --yes", &[][..]),
        (with_alice, "reset alice", &["y"][..]),
    ] {
        let said = |ran: &CommandResult| ran.err.matches("has to be confirmed by").count();
        let (_, ran) = with_code(world, line, before, &[0]);
        assert_eq!(said(&ran), before.len(), "{ran:?}");
        assert!(!ran.ok().err.ends_with("alice: \n"));
        let mut later = world();
        answering(&mut later, &[before, &[""]].concat());
        let ran = later.run(line).ok();
        assert_eq!(said(&ran), before.len() + 1, "{ran:?}");
    }
}
