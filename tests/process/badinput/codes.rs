//! Malformed codes, and codes of other users.

use super::{House, is_raw, tools};
use crate::support::{REFUSED, USAGE, USER_NOT_FOUND};

/// Inputs that are not alice's code, though many contain it.
fn codes(right: &str) -> Vec<Vec<u8>> {
    let scripts = ['\u{660}', '\u{966}', '\u{ff10}', '\u{1d7ce}', '\u{2080}'].map(|zero| {
        let digit = |c: char| char::from_u32(zero as u32 + c.to_digit(10).unwrap()).unwrap();
        right.chars().map(digit).collect::<String>()
    });
    let (head, tail) = right.split_at(3);
    let mut codes: Vec<Vec<u8>> = [
        format!(" {right}"),
        format!("{right} "),
        format!("\t{right}"),
        format!("\n{right}"),
        format!("{right}\n\n"),
        format!("{right}\r\n\r\n"),
        format!("{right}\n{right}\n"),
        format!("{right}\0junk"),
        format!("{right}\0\0"),
        format!("\0{right}"),
        format!("{right}x"),
        format!("+{right}"),
        format!("-{right}"),
        format!("+{}", &right[1..]),
        format!("{head} {tail}"),
        format!("{head}-{tail}"),
        format!("{head}\u{a0}{tail}"),
        format!("{head}\u{200b}{tail}"),
        format!("\u{feff}{right}"),
        format!("{right}."),
        format!("{right}.0"),
        format!("0{right}"),
        format!("{right}0"),
        format!("00{right}"),
        format!("{right}{right}"),
        format!("'{right}'"),
        format!("\"{right}\""),
        format!("{right} OR 1=1"),
        right[1..].to_owned(),
        right[..5].to_owned(),
        "1".to_owned(),
        "0x1e240".to_owned(),
        "1e5".to_owned(),
        "true".to_owned(),
        "\u{1b}[2J".to_owned(),
    ]
    .into_iter()
    .chain(scripts)
    .map(String::into_bytes)
    .collect();
    for wrong in ["000000", "123456", "999999", "111111"].into_iter().filter(|c| *c != right) {
        codes.push(wrong.into());
    }
    codes.push(vec![0xff; 6]);
    codes.push(vec![b'1'; 64 * 1024]);
    codes.push(vec![0; 6]);
    codes
}

#[test]
fn a_malformed_code_is_rejected_and_the_code_inside_it_stays_unused() {
    if !tools() {
        return;
    }
    let house = House::new();
    let right = house.alice.code(house.world.step() + 1);
    for code in codes(&right) {
        let world = house.world.copy();
        let ran = world.call("verify --json alice").input(&code).run();
        assert_eq!((ran.code, &*ran.outcome()), (1, "rejected"), "{code:?}: {ran:?}");
        assert!(!ran.err.contains(is_raw) && !ran.out.contains(is_raw), "{ran:?}");
        let count = "SELECT failures, wrong_codes FROM users WHERE name = 'alice'";
        assert_eq!(world.sql(count), "1|1", "{code:?}");
        assert_eq!(world.verify("alice", &right).outcome(), "accepted", "{code:?}");
    }
}

#[test]
fn a_code_with_one_line_end_is_accepted_once_over_all_forms() {
    if !tools() {
        return;
    }
    let house = House::new();
    let right = house.alice.code(house.world.step() + 1);
    let forms: Vec<String> = ["", "\n", "\r\n", "\0", "\n\0"].map(|e| format!("{right}{e}")).into();
    for form in &forms {
        let world = house.world.copy();
        assert_eq!(world.verify("alice", form).expect(0).outcome(), "accepted", "{form:?}");
        for again in &forms {
            assert_eq!(world.verify("alice", again).outcome(), "replayed", "{form:?} {again:?}");
        }
        for again in codes(&right).iter().take(3) {
            world.call("verify alice").input(again).run().expect(1);
        }
    }
}

#[test]
fn a_missing_code_is_misuse_and_counts_as_no_failure() {
    if !tools() {
        return;
    }
    let house = House::new();
    for empty in ["", "\n", "\r\n", " ", " \n", "\t"] {
        house.refuses(house.world.call("verify alice").input(empty), USAGE, &["code"]);
    }
    // A code in an argument could be read by everybody on the machine.
    let code = house.alice.code(house.world.step() + 1);
    for words in [vec!["verify", "alice", &code], vec!["verify", "alice", "--code", &code]] {
        house.refuses(house.world.call_of(words).input(&code), USAGE, &["argument"]);
    }
}

#[test]
fn a_code_of_another_user_or_of_a_former_device_is_rejected() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    let bob = world.pending("bob");
    let step = world.step() + 1;
    assert_eq!(world.verify("alice", &bob.code(step)).expect(1).outcome(), "rejected");
    assert_eq!(world.verify("bob", &house.alice.code(step)).expect(1).outcome(), "rejected");
    world.run("reset alice --yes --json").expect(0);
    assert_eq!(world.verify("alice", &house.alice.code(step)).expect(1).outcome(), "rejected");
    world.run("remove-user alice --yes").expect(0);
    world.verify("alice", &house.alice.code(step)).expect(USER_NOT_FOUND);
    world.run("add-user alice").expect(0);
    world.verify("alice", &house.alice.code(step)).expect(REFUSED);
    let anew = world.active("alice");
    assert_ne!(anew.base32, house.alice.base32);
    assert_eq!(world.verify("alice", &house.alice.code(step)).expect(1).outcome(), "rejected");
}
