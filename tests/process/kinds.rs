//! Devices that are no time-based app, as real processes meet them; counted codes by `oathtool`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::support::{World, has};

/// The code of a counter, computed by `oathtool`.
fn counted(base32: &str, counter: u64) -> String {
    let counter = counter.to_string();
    let output = Command::new("oathtool").args(["--hotp", "-b", "-c", &counter, base32]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_codes_of_another_program_confirm_a_counting_app_and_go_forward_only() {
    if !has("oathtool", "counted codes") {
        return;
    }
    let world = World::new();
    let line = "enrol alice --create --no-confirm --kind hotp --json --reveal-secrets";
    let secret = world.run(line).expect(0).json("secret");
    world.verify("alice", &counted(&secret, 10)).expect(1);
    assert_eq!(world.status("alice"), "pending");
    world.verify("alice", &counted(&secret, 4)).expect(0);
    assert_eq!(world.status("alice"), "enabled");
    for used in [4, 3, 0] {
        world.verify("alice", &counted(&secret, used)).expect(1);
    }
    world.verify("alice", &counted(&secret, 14)).expect(0);
    world.assert_sound();
}

#[test]
fn the_values_of_a_yubikey_are_in_a_file_that_only_its_owner_reads() {
    let world = World::new();
    let file = world.path("key.txt");
    let line = "enrol alice --create --no-confirm --kind yubikey --output";
    let ran = world.run(&format!("{line} {}", file.display())).expect(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let value = |n: usize| text.lines().nth(n).unwrap().split_whitespace().last().unwrap();
    assert!(value(0).starts_with("vv") && value(1).len() == 12 && value(2).len() == 32, "{text}");
    for secret in [value(1), value(2)] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret));
    }
    world.run("show-qr alice --json --reveal-secrets").expect(64);
}
