//! What an attempt through a login service leaves behind: in the log, or in the system's log.

use std::sync::{Arc, Mutex};

use super::logins::{run, variables};
use crate::testing::World;

/// An event names where its attempt came from, and the log is searched by it.
#[test]
fn l5_the_log_says_which_service_and_which_host() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    let at = |user, service, host| {
        [("PAM_TYPE", "auth"), ("PAM_USER", user), ("PAM_SERVICE", service), ("PAM_RHOST", host)]
    };
    for (user, service, host, typed) in [
        ("alice", "sshd", "203.0.113.5", world.code(&secret, 0)),
        ("alice", "sudo", "", "000000".to_owned()),
        ("nobody", "sshd", "evil\"%_\\\u{1b}[2J", "000000".to_owned()),
    ] {
        world.variables = variables(&at(user, service, host));
        let ran = run(&world, "--from pam", &typed);
        assert_eq!(ran.code, u8::from(typed == "000000"), "{ran:?}");
    }
    let logged = |filter: &[&str]| {
        let line = format!("log --verb verify --json {}", filter.join(" "));
        let events = world.run(&line).ok().json()["events"].as_array().unwrap().clone();
        let one = |event: &serde_json::Value| {
            let said = |name| event["detail"][name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", event["outcome"].as_str().unwrap(), said("service"), said("remote"))
        };
        events.iter().map(one).collect::<Vec<_>>()
    };
    let hostile = "unknown sshd evil\"%_\\\\u{1b}[2J";
    assert_eq!(logged(&["--service", "sudo"]), ["rejected sudo -"]);
    assert_eq!(logged(&["--service", "sshd"]), ["accepted sshd 203.0.113.5", hostile]);
    assert_eq!(logged(&["--service", "pam"]).len(), 3);
    assert_eq!(logged(&["--remote", "203.0.113.5"]), ["accepted sshd 203.0.113.5"]);
    assert_eq!(logged(&["--remote", "evil\"%_\\\\u{1b}[2J"]), [hostile]);
    for filter in [["--service", "ssh"], ["--service", "SSHD"], ["--remote", "203.0.113.%"]] {
        assert_eq!(logged(&filter).len(), 0, "{filter:?}");
    }
    let refused = world.run("log --prune --before 2025-01-01 --service sshd");
    assert_eq!(refused.code, 64, "{refused:?}");
}

/// An attempt that no event records is a line in the system's log, without a name and without a code.
#[test]
fn l5_an_attempt_that_reaches_no_store_leaves_a_line() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let mut world = World::new();
    let written = Arc::clone(&lines);
    world.system_log = Arc::new(move |line| written.lock().unwrap().push(line.to_owned()));
    let secret = world.active("alice");
    world.wait(30);
    let code = world.code(&secret, 0);
    world.variables = variables(&[
        ("PAM_TYPE", "auth"),
        ("PAM_USER", "alice"),
        ("PAM_SERVICE", "sshd"),
        ("PAM_RHOST", "203.0.113.5"),
    ]);
    assert_eq!(run(&world, "--from pam", &code).code, 0);
    assert_eq!(run(&world, "--from pam", "000000").code, 1);
    assert!(lines.lock().unwrap().is_empty(), "these are in the log");
    let config = world.folder.path().join("config.toml");
    std::fs::write(&config, "nonsense").unwrap();
    assert_eq!(run(&world, "--from pam", &code).code, 78);
    std::fs::remove_file(config).unwrap();
    let key = world.folder.path().join("key/mfactl.key");
    std::fs::remove_file(key).unwrap();
    assert_eq!(run(&world, "--from pam", &code).code, 78);
    world.variables = variables(&[("USER_NAME", "\"alice\""), ("USER_PASSWORD", "\"1\"")]);
    assert_eq!(run(&world, "--from radius", "").code, 78);
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "verify: refused: config",
            "verify: refused: key from=\"pam\" service=\"sshd\" remote=\"203.0.113.5\"",
            "verify: refused: key from=\"radius\"",
        ]
    );
}
