//! Searching for a user at a terminal, in place of a name.

use super::screen::Screen;
use super::support::{World, has};

/// Alice, Hélène and 30 others.
fn world() -> World {
    let world = World::new();
    world.active("alice");
    world.run("add-user helene --display-name Hélène").expect(0);
    for n in 0..30 {
        world.run(&format!("add-user staff{n:02} --display-name Martin")).expect(0);
    }
    world
}

#[test]
fn d6_the_search_lists_while_one_types_and_the_arrows_choose() {
    if !has("tmux", "searching at a terminal") {
        return;
    }
    let world = world();
    let screen = Screen::new(&world, 80, 24);
    let modes = screen.modes();
    screen.line("clear; $M show-user");
    screen.until("show-user whom?");
    screen.type_in("mar");
    screen.until("and 10 more: type on");
    let shown = screen.coloured();
    assert!(shown.starts_with("show-user whom? mar\n> staff00, Martin\n"), "{shown}");
    screen.key("Down");
    screen.until("> staff01, Martin");
    screen.key("C-u");
    screen.type_in("HELENE");
    screen.until("> helene, Hélène");
    screen.key("Enter");
    screen.until("helene: not enabled");
    let shown = screen.coloured();
    assert!(shown.starts_with("show-user whom? helene, Hélène\nhelene: not enabled"), "{shown}");
    assert!(!shown.contains("Martin"), "the list is gone: {shown}");
    assert_eq!(screen.left(), ("0".into(), true));
    assert_eq!(screen.modes(), modes);
}

#[test]
fn d6_leaving_the_search_changes_nothing_and_leaves_the_terminal_as_it_was() {
    if !has("tmux", "leaving a search at a terminal") {
        return;
    }
    let world = world();
    for (key, code) in [("Escape", "1"), ("C-d", "1"), ("Enter", "1"), ("C-c", "130")] {
        let screen = Screen::new(&world, 80, 24);
        let modes = screen.modes();
        screen.line("clear; $M unlock");
        screen.until("unlock whom?");
        if key != "Enter" {
            screen.type_in("ali");
            screen.until("> alice");
            screen.key("C-z");
            screen.until("Stopped");
            assert_eq!(screen.modes(), modes, "{key}: stopped");
            screen.line("clear; fg");
            // The list of the first time is still in the scroll-back.
            screen.until_asked("> alice");
        }
        screen.key(key);
        screen.until("nothing was changed");
        assert_eq!(screen.left(), (code.into(), true), "{key}");
        assert_eq!(screen.modes(), modes, "{key}");
        assert!(screen.has_cursor(), "{key}");
    }
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn d6_a_line_that_was_typed_ahead_chooses_nobody() {
    if !has("tmux", "typing ahead at a terminal") {
        return;
    }
    let world = world();
    let screen = Screen::new(&world, 80, 24);
    screen.line("$M disable");
    screen.until("disable whom?");
    screen.type_in("alice\r");
    screen.until("> alice");
    screen.key("Enter");
    screen.until("Is it them?");
    screen.type_in("y");
    screen.key("Enter");
    screen.until("Switch MFA off?");
    screen.key("C-c");
    assert_eq!(screen.left().0, "130");
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn d6_a_low_terminal_counts_what_it_hides() {
    if !has("tmux", "searching at a low terminal") {
        return;
    }
    let world = world();
    for (rows, more) in [(12, "and 21 more: type on"), (6, "and 27 more: type on")] {
        let screen = Screen::new(&world, 80, rows);
        screen.line("clear; $M show-user");
        screen.until("show-user whom?");
        screen.type_in("mar");
        screen.until(more);
        screen.key("Escape");
        screen.until("nothing was changed");
    }
}

#[test]
fn d6_a_tiny_terminal_and_one_that_shrinks_are_searched_too() {
    if !has("tmux", "searching at a tiny terminal") {
        return;
    }
    let world = world();
    let screen = Screen::new(&world, 80, 24);
    screen.line("$M show-user");
    screen.until("show-user whom?");
    screen.type_in("mar");
    screen.until("and 10 more");
    screen.resize(12, 3);
    screen.key("BSpace");
    screen.key("BSpace");
    screen.key("BSpace");
    screen.type_in("alice");
    screen.resize(80, 24);
    screen.key("Down");
    screen.until("> alice");
    screen.key("Enter");
    screen.until("alice: enabled");
    assert_eq!(screen.left(), ("0".into(), true));
}
