//! The life cycle of a user at a real terminal: enrol, sign in, lose the phone, reset, sign in again.

use super::fleet::cluster::Cluster;
use super::pty::{key, right};
use super::screen::Screen;
use super::support::{Seed, World, has, now};

const OLD: &str = "correct horse battery staple";
const NEW: &str = "vurmel taktor ninety-three";
const CONFIG: &str = "[policy]\nmfa = \"required\"\n[password]\nmemory = 19\n";

fn next(seed: &Seed) -> String {
    seed.code(now().cast_unsigned() / 30 + 1)
}

/// Uses a new terminal, so that no earlier output matches the words that are waited for.
fn sign_in(world: &World, password: &str) -> Screen {
    let screen = Screen::new(world, 100, 45);
    screen.line("$M sign-in alice");
    screen.until("Password of alice");
    screen.line(password);
    screen
}

fn signed_in(screen: &Screen) {
    screen.until("alice: signed in");
    assert_eq!(screen.left(), ("0".into(), true));
}

fn tell(world: &World) {
    world.configure(CONFIG);
    world.run("add-user alice --display-name Alice").expect(0);
    let screen = Screen::new(world, 100, 45);
    screen.line("$M set-password alice");
    screen.until("New password");
    screen.line(OLD);
    screen.until("Once more");
    screen.line(OLD);
    assert!(!screen.until("the password is set").contains(OLD));

    let screen = sign_in(world, OLD);
    let shown = screen.until("Code");
    assert!(shown.contains("MFA is required"), "{shown}");
    let phone = key(&shown);
    screen.line(&right(&phone));
    signed_in(&screen);
    let screen = sign_in(world, OLD);
    screen.until("Code");
    screen.line(&next(&phone));
    signed_in(&screen);

    // The phone is lost, and the helpdesk is called.
    let screen = Screen::new(world, 100, 45);
    screen.line("$M force-new-password alice --ticket HELP-1234");
    screen.until("[y/N]");
    screen.line("y");
    let shown = screen.until("Enter wipes this screen");
    let line = shown.lines().find(|line| line.starts_with("alice  ")).expect("the password");
    let temporary = line.trim_start_matches("alice").trim().to_owned();
    assert!(shown.contains("Temporary password of alice: good until"), "{shown}");
    screen.key("Enter");
    screen.until("new password forced");
    assert!(!screen.everything().contains(&temporary));

    let screen = sign_in(world, OLD);
    screen.until("alice: rejected");
    let screen = sign_in(world, &temporary);
    let shown = screen.until("New password");
    assert!(!shown.contains(&temporary), "{shown}");
    screen.line(OLD);
    screen.until_asked("Once more");
    screen.line(OLD);
    screen.until("is the same as before");
    screen.until_asked("New password");
    screen.line(NEW);
    screen.until_asked("Once more");
    screen.line(NEW);
    let tablet = key(&screen.until("Code"));
    assert_ne!(tablet.base32, phone.base32);
    screen.line(&right(&tablet));
    signed_in(&screen);
    assert_eq!(world.status("alice"), "enabled");
    let screen = sign_in(world, &temporary);
    screen.until("alice: rejected");
}

#[test]
fn the_life_cycle_works_on_one_machine() {
    if has("tmux", "the helpdesk's day") && has("oathtool", "the helpdesk's day") {
        tell(&World::new());
    }
}

#[test]
fn the_life_cycle_works_in_a_fleet() {
    if !has("tmux", "the day of a fleet") || !has("oathtool", "the day of a fleet") {
        return;
    }
    let Some(cluster) = Cluster::start("the helpdesk's day on PostgreSQL") else { return };
    let mut world = World::empty();
    world.address = Some(cluster.address());
    world.run("init").expect(0);
    tell(&world);
}
