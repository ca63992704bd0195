//! Dialogues at a terminal.

use super::screen::Screen;
use super::support::{Seed, World, has, now};

fn tools(what: &str) -> bool {
    has("tmux", what) && has("oathtool", what)
}

/// The manual key on the screen.
pub fn key(text: &str) -> Seed {
    let group = |g: &&str| {
        g.len() == 4 && g.chars().all(|c| c.is_ascii_uppercase() || ('2'..='7').contains(&c))
    };
    let base32: String = text.split_whitespace().filter(group).collect();
    assert_eq!(base32.len(), 32, "{text}");
    Seed { base32, spent: 0 }
}

pub fn right(seed: &Seed) -> String {
    seed.code(now().cast_unsigned() / 30)
}

#[test]
fn a_first_enrolment_from_nothing_to_enabled() {
    if !tools("enrolling at a terminal") {
        return;
    }
    let world = World::empty();
    let screen = Screen::new(&world, 100, 45);
    screen.line("$M enrol alice --create");
    let shown = screen.until("The 6 digits that the app shows");
    assert!(shown.contains("Scan this with your"));
    let seed = key(&shown);
    screen.line(&seed.wrong(now().cast_unsigned() / 30));
    screen.until("alice: rejected");
    screen.line(&right(&seed));
    let shown = screen.until("alice: enabled");
    assert!(shown.contains("made the store"), "{shown}");
    assert_eq!(screen.left(), ("0".into(), true));
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn three_wrong_codes_leave_the_device_pending_with_a_hint() {
    if !tools("wrong codes at a terminal") {
        return;
    }
    let world = World::new();
    let screen = Screen::new(&world, 100, 45);
    screen.line("$M enrol alice --create");
    let seed = key(&screen.until("The 6 digits that the app shows"));
    let wrong = seed.wrong(now().cast_unsigned() / 30);
    for _ in 0..3 {
        screen.line(&wrong);
    }
    let shown = screen.until("alice: pending");
    assert!(shown.contains("show-qr -- alice") && shown.contains("verify -- alice"));
    assert_eq!(screen.left(), ("1".into(), true));
}

#[test]
fn a_code_typed_into_verify_is_never_shown() {
    if !tools("verifying at a terminal") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let screen = Screen::new(&world, 100, 30);
    screen.line("$M verify alice");
    screen.until("Code of alice");
    let code = world.next(&mut seed);
    screen.line(&code);
    let shown = screen.until("alice: accepted");
    assert!(!shown.contains(&code), "{shown}");
    assert_eq!(screen.left(), ("0".into(), true));
}

#[test]
fn an_interruption_restores_the_terminal_and_reports_the_state() {
    if !tools("interrupting at a terminal") {
        return;
    }
    let world = World::new();
    world.active("alice");
    for (line, prompt, stands) in [
        ("$M verify alice", "Code of alice", "nothing was changed"),
        ("$M reset alice", "Cut off 1 device (phone)?", "nothing was changed"),
        ("$M disable alice", "Switch MFA off?", "nothing was changed"),
        ("$M enrol bob --create", "The 6 digits", "bob's device phone is pending"),
    ] {
        let screen = Screen::new(&world, 100, 45);
        screen.line(line);
        screen.until(prompt);
        screen.key("C-c");
        let shown = screen.until("interrupted: ");
        assert!(shown.contains(stands), "{line}: {shown}");
        assert_eq!(screen.left(), ("130".into(), true), "{line}");
    }
    assert_eq!((world.status("alice"), world.status("bob")), ("enabled".into(), "pending".into()));
}

#[test]
fn destructive_verbs_ask_and_only_yes_confirms() {
    if !tools("questions at a terminal") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let screen = Screen::new(&world, 100, 45);
    screen.line("$M delete alice");
    screen.until("[y/N]");
    screen.key("Enter");
    screen.until("nothing was changed");
    assert_eq!(screen.left().0, "1");
    assert_eq!(world.status("alice"), "enabled");
    screen.line("clear; $M delete alice");
    screen.until("Delete 1 device of alice?");
    screen.line("yes");
    screen.until("MFA is not enabled");
    assert_eq!(world.status("alice"), "not_enabled");
}

#[test]
fn no_input_never_prompts_at_a_terminal() {
    if !tools("--no-input at a terminal") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let screen = Screen::new(&world, 100, 45);
    for verb in ["reset", "verify", "delete"] {
        screen.line(&format!("clear; $M {verb} alice --no-input"));
        screen.until("mfactl: error: ");
        assert_eq!(screen.left().0, "64", "{verb}");
    }
}

#[test]
fn a_small_terminal_gets_the_key_and_the_reason_and_no_broken_picture() {
    if !tools("a narrow terminal") {
        return;
    }
    let world = World::new();
    let screen = Screen::new(&world, 36, 16);
    screen.line("$M enrol alice --create --no-confirm");
    let shown = screen.until("Enter ends this screen");
    assert!(!shown.contains(['█', '▀', '▄']), "{shown}");
    assert!(shown.contains("enlarge"), "{shown}");
    key(&shown);
}
