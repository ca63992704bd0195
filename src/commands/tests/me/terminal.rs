//! `me` as a conversation.

use super::{ALL, CHEAP, OLD, REQUIRED, world};
use crate::env::Size;
use crate::testing::{CommandResult, World};

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A terminal of 80 by 24 with these answers.
fn at_terminal(world: &mut World, answers: Vec<&'static str>) -> CommandResult {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.has_pages = true;
    world.answers = Some(answers);
    let ran = world.run("me --name alice");
    world.answers = None;
    world.terminal = None;
    ran
}

#[test]
fn d23_a_terminal_offers_a_menu_and_proves_the_new_device() {
    let (mut world, phone) = world(ALL);
    let code = |steps| leaked(world.code(&phone, steps));
    let (first, next) = (code(-1), code(0));
    let ran = at_terminal(&mut world, vec![OLD, first, "1", "tablet", "000000", next, ""]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("1  set up a further device"), "{ran:?}");
    assert!(ran.err.contains("that code is wrong"), "{ran:?}");
    assert!(ran.pages.iter().any(|page| page.contains('█')), "{:?}", ran.pages);
    assert!(
        ran.out.replace("\n  ", " ").contains("confirmed by 4 January 2026 at 00:01 (UTC)"),
        "{ran:?}"
    );
    assert_eq!(
        ran.prompts,
        [
            "Password of alice",
            "Code",
            "What do you want to do? Number, or Enter to leave",
            "Name of the new device (Enter: chosen for you)",
            "Next code of phone",
            "Next code of phone",
            "The 6 digits that the app shows (Enter: later)",
        ]
    );
    let messages = &ran.interrupt_messages;
    assert!(messages[1..6].iter().all(|words| words == "nothing was changed"), "{messages:?}");
    assert_eq!(messages[6], "the new device tablet is pending: its first code confirms it");

    // Rename takes one code; a number that is none is asked again.
    world.wait(60);
    let code = leaked(world.code(&phone, 0));
    let ran = at_terminal(&mut world, vec![OLD, code, "9", "5", "1", "a=b", "mobile"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "alice: phone is now called mobile\n"), "{ran:?}");
    // Enter leaves, and so does a no.
    for answers in [vec![""], vec!["3", ""], vec!["3", "n"]] {
        world.wait(60);
        let code = leaked(world.code(&phone, 0));
        let answers = [vec![OLD, code], answers].concat();
        let ran = at_terminal(&mut world, answers);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(world.listed("alice")["status"], "enabled");
    }
    world.wait(60);
    let codes = [leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0))];
    let ran = at_terminal(&mut world, vec![OLD, codes[0], "6", codes[1], ""]);
    assert!(ran.pages[0].contains("Recovery codes of alice"), "{ran:?}");
    assert_eq!(ran.out, "alice: 10 new recovery codes; the earlier ones are void\n", "{ran:?}");
    world.wait(60);
    let codes = [leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0))];
    let ran = at_terminal(&mut world, vec![OLD, codes[0], "3", "y", codes[1]]);
    assert!(ran.err.contains("afterwards: you can sign in with the password alone"), "{ran:?}");
    assert_eq!(world.listed("alice")["status"], "disabled", "{ran:?}");
    let ran = at_terminal(&mut world, vec![OLD]);
    assert_eq!((ran.code, ran.prompts.len()), (0, 1), "only the status is left: {ran:?}");
}

#[test]
fn d23_a_terminal_answers_in_the_words_of_a_sign_in() {
    let (mut world, _) = world(ALL);
    for answers in [vec!["hunter2"], vec![OLD, "000000", "000000", "000000"], vec![OLD, ""]] {
        let ran = at_terminal(&mut world, answers.clone());
        assert_eq!(ran.code, 1, "{ran:?}");
        let _ = world.run("unlock alice").ok();
        world.terminal = Some(Size { columns: 80, rows: 24 });
        world.answers = Some(answers);
        let expected = world.run("sign-in alice");
        assert_eq!(ran.out, expected.out, "{ran:?}");
        world.answers = None;
        let _ = world.run("unlock alice").ok();
    }
}

#[test]
fn d23_a_first_device_is_set_up_with_the_password_alone_and_in_the_users_language() {
    let mut world = World::new();
    world.configure(&format!("{ALL}{REQUIRED}{CHEAP}"));
    let _ = world.run("add-user alice --language fr").ok();
    let _ = world.run_with("set-password alice", OLD).ok();
    let ran = at_terminal(&mut world, vec![OLD, "1", "mobile", ""]);
    assert!(ran.err.contains("  1  installer un appareil\n"), "{ran:?}");
    assert!(!ran.err.contains("  2  "), "{ran:?}");
    assert!(ran.pages[0].contains("Scannez"), "{:?}", ran.pages);
    assert!(ran.out.contains("mobile est en attente"), "{ran:?}");
    assert_eq!(world.sql("SELECT label FROM devices"), "mobile");
}

#[test]
fn d23_a_secret_that_cannot_be_shown_is_not_made() {
    let (mut world, phone) = world(ALL);
    let code = leaked(world.code(&phone, 0));
    world.answers = Some(vec![OLD, code, "1"]);
    let ran = world.run("me --name alice");
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.err.contains("standard output is no terminal"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "1");
}
