//! docs/factors.md, typed section by section at a terminal of 80 by 24: each kind of device from the box to a first
//! sign-in that is accepted, and to a repeat that is refused.

use std::fs;
use std::path::Path;

use super::support::{REFUSED, Seed, World, has};

mod authenticator;
mod desk;
mod page;
mod pskctool;

use authenticator::Authenticator;
pub use authenticator::{Button, YubiKey};
use desk::Desk;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/tokens");
/// The secret of the token with a button in the sample table.
const BUTTON: &str = "6d666163746c2d73616d706c652d6361726f6c21";
/// The secret of the token with a clock in the encrypted sample.
const CLOCK: &str = "6d666163746c2d73616d706c652d616c69636521";

/// A world with the users of the page, unless a tool is missing here.
#[track_caller]
fn world(what: &str) -> Option<World> {
    if !["tmux", "oathtool"].into_iter().all(|tool| has(tool, what)) {
        return None;
    }
    let world = World::new();
    for user in ["alice", "bob", "robert"] {
        world.run(&format!("add-user {user}")).expect(0);
    }
    Some(world)
}

/// Puts a sample where the page has a file.
fn send(world: &World, sample: &str, name: &str) {
    fs::copy(Path::new(SAMPLES).join(sample), world.path(name)).unwrap();
}

#[test]
fn every_section_with_a_console_is_played() {
    let mut sections = page::sections();
    sections.sort();
    let mut played = vec![
        "A YubiKey programmed at the desk",
        "A YubiKey with the file of Yubico's tools",
        "A key that mfactl does not verify",
        "A printed list",
        "A token with a CSV file",
        "A token with an encrypted file",
        "An OATH slot of a YubiKey",
        "An app that counts",
        "Giving it back",
        "When it fails",
    ];
    played.sort_unstable();
    assert_eq!(sections, played, "play a new section here");
}

#[test]
fn the_table_says_what_each_kind_is_called_and_which_are_strong() {
    if !has("oathtool", "the table of the kinds") {
        return;
    }
    let world = World::new();
    let kinds = page::kinds();
    let mut weak: Vec<_> =
        kinds.iter().filter(|(_, cells)| cells.last().unwrap() == "weak").collect();
    weak.sort();
    for (kind, _) in &kinds {
        let mark = if kind == "external" { " --mark key" } else { "" };
        let line = format!("enrol {kind} --create --kind {kind}{mark} --json --reveal-secrets");
        let made = world.run(&line).expect(0).document();
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        let code = match kind.as_str() {
            "totp" => world.next(&mut Seed { base32: text("secret"), spent: 0 }),
            "hotp" => Button::new(text("secret"), 0).next(),
            "yubikey" => YubiKey::of_document(&made).next(),
            "paper" => made["codes"][0].as_str().unwrap().to_owned(),
            _ => "123456".to_owned(),
        };
        assert_eq!(world.verify(kind, &code).code == 0, kind != "external", "{kind}");
        assert_eq!(world.status(kind), "enabled");
    }
    let list =
        |filter: &str| world.run(&format!("list-status --json {filter}")).expect(0).document();
    let users = list("--weak");
    let users =
        users["users"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap());
    assert!(users.eq(weak.iter().map(|(kind, _)| kind.as_str())), "{weak:?}");
    let users = list("");
    let users = users["users"].as_array().unwrap();
    let mut labels: Vec<_> =
        users.iter().map(|user| user["devices"][0]["device"].as_str().unwrap()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["external", "paper", "phone", "token", "yubikey"]);
}

#[test]
fn a_token_with_an_encrypted_file() {
    let Some(world) = world("a token with an encrypted file") else {
        return;
    };
    send(&world, "pskc-passphrase.xml", "tokens.xml");
    let mut desk = Desk::new(&world);
    desk.passphrase = "sample-passphrase";
    desk.play("A token with an encrypted file", &mut Authenticator::clock_of_hex(CLOCK));
    desk.refuses_the_last_code("alice", "used already");
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn a_token_with_a_table_fails_helps_itself_and_is_given_back() {
    let Some(world) = world("a token with a table") else {
        return;
    };
    send(&world, "freeipa.csv", "tokens.csv");
    let mut desk = Desk::new(&world);
    let mut token = Authenticator::button_of_hex(BUTTON);
    desk.play("A token with a CSV file", &mut token);
    desk.refuses_the_last_code("robert", "used already");
    // In a pocket, the button is pressed without a sign-in.
    token.press(40);
    let ahead = token.next(&world);
    world.verify("robert", &ahead).expect(1);
    desk.play("When it fails", &mut token);
    let used = token.next(&world);
    world.verify("robert", &used).expect(0);
    desk.play("Giving it back", &mut token);
    assert_eq!(world.status("robert"), "not_enabled");
    world.verify("robert", &used).expect(REFUSED);
    world.run("assign GALT10280116 bob --yes").expect(67);
    // The other tokens of the file are still there.
    world.run("assign GALT10280114 bob --yes").expect(0);
    // Added again, it goes on where it stopped.
    let file = world.path("tokens.csv");
    let add = world.call("add-tokens --yes --skip-bad").arg(file.to_str().unwrap());
    add.run().expect(1);
    world.run("assign GALT10280116 alice --yes").expect(0);
    let first = Authenticator::button_of_hex(BUTTON).next(&world);
    world.verify("alice", &first).expect(1);
    assert_eq!(world.verify("alice", &used).expect(1).outcome(), "replayed");
    world.verify("alice", &token.next(&world)).expect(0);
}

#[test]
fn an_app_that_counts() {
    let Some(world) = world("an app that counts") else {
        return;
    };
    let mut desk = Desk::new(&world);
    desk.play("An app that counts", &mut Authenticator::OfPage);
    desk.refuses_the_last_code("alice", "used already");
}

#[test]
fn a_yubikey_with_the_file_of_its_tool() {
    let Some(world) = world("a YubiKey with a file") else {
        return;
    };
    let key = YubiKey::of_the_tool();
    fs::write(world.path("yubikeys.csv"), key.line_of_ykman(12_345_678)).unwrap();
    let mut desk = Desk::new(&world);
    desk.play("A YubiKey with the file of Yubico's tools", &mut Authenticator::YubiKey(key));
    desk.refuses_the_last_code("alice", "used already");
}

#[test]
fn a_yubikey_programmed_at_the_desk() {
    let Some(world) = world("a YubiKey programmed at the desk") else {
        return;
    };
    let mut desk = Desk::new(&world);
    desk.play("A YubiKey programmed at the desk", &mut Authenticator::OfPage);
    desk.refuses_the_last_code("alice", "used already");
}

#[test]
fn an_oath_slot_of_a_yubikey() {
    let Some(world) = world("an OATH slot of a YubiKey") else {
        return;
    };
    let mut desk = Desk::new(&world);
    desk.play("An OATH slot of a YubiKey", &mut Authenticator::OfPage);
    desk.refuses_the_last_code("bob", "used already");
}

#[test]
fn a_printed_list() {
    let Some(world) = world("a printed list") else {
        return;
    };
    let mut desk = Desk::new(&world);
    let mut list = Authenticator::OfPage;
    desk.play("A printed list", &mut list);
    desk.refuses_the_last_code("alice", "used already");
    // In any order.
    world.verify("alice", &list.next(&world)).expect(0);
}

#[test]
fn a_key_that_is_not_verified() {
    let Some(world) = world("a key that is not verified") else {
        return;
    };
    let mut desk = Desk::new(&world);
    let mut other = Authenticator::button_of_hex(BUTTON);
    desk.play("A key that mfactl does not verify", &mut other);
    assert_eq!(world.status("alice"), "enabled");
    // A device beside it is verified.
    let mut seed = world.pending("alice");
    world.verify("alice", &world.next(&mut seed)).expect(0);
}
