//! Pages with secrets at a real terminal: scanned, wiped, interrupted and made too small.

use super::pty::{key, right};
use super::qr::{Picture, uri};
use super::screen::Screen;
use super::support::{World, has, now};

fn tools(what: &str) -> bool {
    has("tmux", what) && has("oathtool", what)
}

/// The secret of a user's pending device, in base 32.
fn secret(world: &World, user: &str) -> String {
    let uri = uri(world, user);
    uri.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

/// Neither the screen nor what has scrolled off it has a group of the key, or a piece of the code.
#[track_caller]
pub fn assert_wiped(screen: &Screen, secret: &str) {
    screen.until_page(false);
    let left = screen.everything();
    assert!(!left.contains(['█', '▀', '▄']), "{left}");
    for group in secret.as_bytes().chunks(4) {
        let group = std::str::from_utf8(group).unwrap();
        assert!(!left.split_whitespace().any(|word| word == group), "{left}");
    }
}

#[test]
fn d2_the_code_scans_in_every_verb_and_width_and_is_wiped() {
    if !(tools("scanning a page") && has("zbarimg", "scanning a page")) {
        return;
    }
    for (columns, rows) in [(80, 24), (60, 24), (40, 24)] {
        let world = World::new();
        world.active("alice");
        world.run("enrol bob --create --no-confirm --json").expect(0);
        for (line, user) in [
            ("reset alice", "alice"),
            ("show-qr bob", "bob"),
            ("enrol carol --create", "carol"),
            ("enrol dave --create --no-confirm", "dave"),
        ] {
            let at = format!("{line} at {columns}x{rows}");
            let screen = Screen::new(&world, columns, rows);
            screen.line(&format!("clear; seq 99; $M {line}"));
            if line.starts_with("reset") {
                screen.until("[y/N]");
                screen.line("yes");
            }
            screen.until_page(true);
            screen.until("Enter");
            let shown = screen.coloured();
            let secret = secret(&world, user);
            for background in [0, 255] {
                let picture = Picture::paint(&shown, background);
                let expected = format!("secret={secret}");
                let zbar = picture.zbar(&world);
                assert!(zbar.contains(&expected), "zbarimg: {at}, {background}: {zbar}\n{shown}");
                assert!(picture.rqrr().contains(&expected), "rqrr: {at}, {background}\n{shown}");
            }
            assert!(key(&screen.text()).base32 == secret, "{at}: the key can be read too");
            screen.key("Enter");
            assert_wiped(&screen, &secret);
            assert_eq!(screen.left(), ("0".into(), true), "{at}");
            assert_wiped(&screen, &secret);
        }
    }
}

#[test]
fn d3_a_lost_phone_is_replaced_and_proved_in_one_run() {
    if !tools("a reset at a terminal") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let screen = Screen::new(&world, 80, 24);
    screen.line("$M reset alice");
    screen.until("[y/N]");
    screen.line("y");
    let seed = key(&screen.until("The 6 digits that the app shows"));
    screen.line("12345");
    screen.until("that is no code");
    let behind = seed.code(now().cast_unsigned() / 30 - 10);
    screen.line(&behind);
    screen.until("5 minutes");
    screen.line(&right(&seed));
    let shown = screen.until("alice: reset; 1 device cut off; MFA is enabled");
    assert!(!shown.contains("that is no code"), "{shown}");
    assert_wiped(&screen, &seed.base32);
    assert_eq!(screen.left(), ("0".into(), true));
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn d19_a_code_that_is_shown_once_is_wiped_after_enter() {
    if !tools("a bypass code at a terminal") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let screen = Screen::new(&world, 80, 24);
    screen.line("$M bypass alice --for 1h --yes");
    let page = screen.until("Enter wipes this screen");
    assert!(page.contains("Bypass code of alice"), "{page}");
    let is_code = |line: &&str| line.trim().len() == 14 && line.trim().matches('-').count() == 2;
    let code = page.lines().find(is_code).unwrap().trim().to_owned();
    // It counts while it is in view.
    assert_eq!(world.verify("alice", &code).outcome(), "accepted");
    screen.key("Enter");
    screen.until("alice: a bypass code for 1 use");
    assert!(!screen.everything().contains(&code), "{}", screen.everything());
    assert_eq!(screen.left(), ("0".into(), true));
}

#[test]
fn d8_a_typed_yes_leaves_nothing_for_the_shell() {
    if !tools("a question at a terminal") {
        return;
    }
    let world = World::new();
    for (keys, is_yes) in [
        (&["y", "e", "s", "Enter"][..], true),
        (&["n", "o", "Enter"], false),
        (&["y", "x", "BSpace", "Enter"], true),
        (&["q", "Enter"], false),
        (&["Enter"], false),
        (&["Escape"], false),
        (&["C-d"], false),
        (&["Up", "m", "Enter", "C-u", "y", "Enter"], true),
    ] {
        let name = format!("u{}", keys.concat().to_lowercase().replace('-', ""));
        world.active(&name);
        let screen = Screen::new(&world, 40, 24);
        let modes = screen.modes();
        screen.line(&format!("clear; $M disable {name}"));
        let asked = screen.until("[y/N]");
        assert_eq!(asked.matches("Switch MFA off?").count(), 1, "drawn once: {asked}");
        for key in keys {
            screen.key(key);
        }
        let (code, echoes) = screen.left();
        assert_eq!((code.as_str(), echoes), (if is_yes { "0" } else { "1" }, true), "{keys:?}");
        let shown = screen.text();
        assert!(!shown.contains("not found"), "{keys:?}: {shown}");
        assert_eq!(screen.modes(), modes, "{keys:?}");
        let status = if is_yes { "disabled" } else { "enabled" };
        assert_eq!(world.status(&name), status, "{keys:?}");
    }
}

#[test]
fn a_stop_and_an_interrupt_leave_the_terminal_as_it_was_at_every_prompt() {
    if !tools("^Z and ^C at a prompt") {
        return;
    }
    let world = World::new();
    world.active("alice");
    world.run("enrol bob --create --no-confirm --json").expect(0);
    let bob = secret(&world, "bob");
    for (line, prompt) in [
        ("verify alice", "Code of alice"),
        ("diagnose alice", "The code that the app shows"),
        ("disable alice", "[y/N]"),
        ("set-password alice", "New password"),
        ("sign-in alice", "Password of alice"),
        ("show-qr bob", "The 6 digits"),
        ("show-qr bob --no-confirm", "Enter ends this screen"),
        ("bypass bob --for 1h --yes", "Enter wipes this screen"),
    ] {
        let screen = Screen::new(&world, 80, 24);
        let modes = screen.modes();
        screen.line(&format!("clear; $M {line}"));
        screen.until_asked(prompt);
        screen.key("C-z");
        screen.until("Stopped");
        assert_wiped(&screen, &bob);
        assert_eq!(screen.modes(), modes, "{line}: stopped");
        screen.line("clear; fg");
        // The words of the first time are still in the scroll-back.
        screen.until_asked(prompt);
        screen.key("C-c");
        screen.until("interrupted: ");
        assert_eq!(screen.left(), ("130".into(), true), "{line}");
        assert_wiped(&screen, &bob);
        assert_eq!(screen.modes(), modes, "{line}: interrupted");
        assert!(screen.has_cursor(), "{line}");
    }
}

#[test]
fn d2_a_terminal_that_shrinks_while_it_asks_gets_its_page_back() {
    if !(tools("a terminal that shrinks") && has("zbarimg", "a terminal that shrinks")) {
        return;
    }
    let world = World::new();
    let screen = Screen::new(&world, 80, 24);
    screen.line("$M enrol alice --create");
    screen.until("The 6 digits");
    let secret = secret(&world, "alice");
    for (columns, rows) in [(1, 1), (30, 10), (200, 1), (1, 60)] {
        screen.resize(columns, rows);
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    screen.resize(80, 24);
    screen.until("Scan this with your");
    screen.until("The 6 digits");
    let picture = Picture::paint(&screen.coloured(), 0);
    assert!(picture.zbar(&world).contains(&secret));
    screen.resize(1, 1);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let seed = super::support::Seed { base32: secret.clone(), spent: 0 };
    screen.line(&right(&seed));
    screen.until_page(false);
    screen.resize(80, 24);
    assert_wiped(&screen, &secret);
    assert_eq!(world.status("alice"), "enabled");
    // One that is too small from the start.
    screen.until_prompt();
    screen.line("clear");
    screen.resize(1, 1);
    screen.line("$M show-qr alice --active");
    screen.until_page(true);
    screen.key("Enter");
    screen.until_page(false);
    screen.resize(80, 24);
    assert_eq!(screen.left(), ("0".into(), true));
    assert_wiped(&screen, &secret);
}

#[test]
fn what_was_typed_ahead_answers_no_page_that_is_shown_once() {
    if !tools("typing ahead") {
        return;
    }
    let world = World::new();
    world.active("alice");
    for (line, words) in [
        ("$M enrol alice --kind paper --no-confirm", "Enter wipes this screen"),
        ("$M recovery-codes alice --yes", "Enter wipes this screen"),
    ] {
        let screen = Screen::new(&world, 80, 24);
        // Typed while another program runs, which reads nothing.
        screen.line(&format!("sleep 1; {line}"));
        screen.key("Enter");
        screen.key("Enter");
        screen.until(words);
        std::thread::sleep(std::time::Duration::from_millis(500));
        screen.until_page(true);
        screen.key("Enter");
        screen.until_page(false);
        assert_eq!(screen.left(), ("0".into(), true), "{line}");
    }
}

#[test]
fn an_interrupted_search_leaves_its_message_alone_on_its_line() {
    if !tools("interrupting a search") {
        return;
    }
    let world = World::new();
    world.active("alice");
    for (typed, listed) in [("", "Esc leaves"), ("ali", "> alice")] {
        let screen = Screen::new(&world, 80, 24);
        screen.line("$M disable");
        screen.until("Esc leaves");
        if !typed.is_empty() {
            screen.type_in(typed);
        }
        screen.until(listed);
        screen.key("C-c");
        let shown = screen.until("interrupted: nothing was changed");
        let line = shown.lines().find(|line| line.contains("interrupted")).unwrap();
        assert_eq!(line.trim_end(), "mfactl: interrupted: nothing was changed", "{shown}");
        assert!(!shown.contains("Esc leaves") && !shown.contains("> alice"), "{shown}");
        assert_eq!(screen.left(), ("130".into(), true));
    }
}
