//! Who `me` is about, what has to be proved, and what the answers tell.

use serde_json::{Value, json};

use super::{ALL, CHEAP, OLD, REQUIRED, refused, secret_of, world};
use crate::testing::World;

#[test]
fn d23_wrong_second_codes_are_counted_and_lock() {
    let (world, phone) = world(ALL);
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let line = json!({ "password": OLD, "code": "000000", "next_code": "000000", "act": "switch-off" });
        outcomes.push(world.me(&line).json()["outcome"].clone());
    }
    assert_eq!(outcomes, vec![json!("rejected"); 5]);
    let ran = world.acts(&phone, "switch-off", &json!({}));
    // The lock of 30 seconds is over after the wait of `acts`.
    assert_eq!(ran.code, 0, "{ran:?}");
    let _ = world.run("undo alice --yes").ok();
    for _ in 0..5 {
        let _ = world.verify("alice", "000000");
    }
    let line = json!({ "password": OLD, "code": world.code(&phone, 1), "next_code": "1", "act": "switch-off" });
    let ran = world.me(&line);
    let locked =
        world.run_with("sign-in --json alice", &format!("{}\n", json!({ "password": OLD })));
    assert_eq!(ran.code, 1);
    for field in ["outcome", "locked_until"] {
        assert_eq!(ran.json()[field], locked.json()[field], "as at a sign-in: {ran:?}");
    }
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn d23_the_door_tells_no_more_than_a_sign_in() {
    let (world, phone) = world(ALL);
    let wrong = json!({ "password": "hunter2", "code": world.code(&phone, 0), "act": "switch-off", "next_code": "1" });
    let answer = |line: &Value, name: &str| {
        let line = format!("{line}\n");
        let ran = world.run_with(&format!("me --json --name {name}"), &line);
        (ran.code, ran.out.replace(name, "NAME"), ran.err.replace(name, "NAME"))
    };
    let expected = answer(&wrong, "alice");
    assert_eq!(expected.0, 1);
    assert!(
        expected.1.contains("\"rejected\"") && !expected.1.contains("\"status\""),
        "{expected:?}"
    );
    assert_eq!(answer(&wrong, "mallory"), expected, "an unknown name");
    let wrong_code =
        json!({ "password": OLD, "code": "000000", "act": "switch-off", "next_code": "1" });
    assert_eq!(answer(&wrong_code, "alice"), expected, "a wrong code");
    let no_code = answer(&json!({ "password": OLD, "act": "switch-off" }), "alice");
    assert!(no_code.1.contains("code_required"), "{no_code:?}");
    let used = world.code(&phone, 0);
    let line = json!({ "password": OLD, "code": used });
    assert_eq!(answer(&line, "alice").0, 0);
    let wrong = expected.1.replace("\"switch-off\"", "null");
    let told = wrong.replace("\"locked_until\"", "\"reason\":\"replayed\",\"locked_until\"");
    assert_eq!(answer(&line, "alice").1, told, "used, and the password was right");
    let no_password = json!({ "password": "hunter2", "code": used });
    assert_eq!(answer(&no_password, "alice").1, wrong, "a stranger learns nothing of it");
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(world.newest("sign-in", "outcome"), "rejected", "and it is logged as one");
    let log = world.run("log --user alice --json").ok().out;
    assert!(log.contains("replayed"), "{log}");
}

#[test]
fn d23_recovery_and_bypass_codes_replace_a_device_and_do_nothing_else() {
    let (world, phone) = world(ALL);
    let made = world.run("recovery-codes alice --json --reveal-secrets --yes").ok().json();
    let recovery = |n: usize| made["codes"][n].as_str().unwrap().to_owned();
    for (n, act) in ["add-device", "switch-off", "remove-device", "rename-device", "recovery-codes"]
        .iter()
        .enumerate()
    {
        let ran =
            world.me(&json!({ "password": OLD, "code": recovery(n), "act": act, "label": "x" }));
        refused(&ran, 77, "not_permitted");
        let stranger =
            world.me(&json!({ "password": "no", "code": recovery(n), "act": act, "label": "x" }));
        assert_eq!(
            (stranger.code, &stranger.err),
            (ran.code, &ran.err),
            "no password was looked at"
        );
    }
    let left = world.listed("alice")["recovery_codes_left"].clone();
    assert_eq!(left, 10, "what is refused anyway spends no code");
    let ran =
        world.me(&json!({ "password": OLD, "code": recovery(6), "act": "replace-device" })).ok();
    let new = secret_of(&ran.json());
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).code, 0, "not before the first code");
    let _ = world.verify("alice", &world.code(&new, 0)).ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).code, 1);
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets --yes").ok().json();
    let bypass = bypass["code"].as_str().unwrap().to_owned();
    let line = json!({ "password": OLD, "code": bypass, "act": "replace-device" });
    assert_eq!(world.me(&line).ok().json()["enrolment"]["device"], "phone-2");
    assert_eq!(world.me(&line).json()["outcome"], "rejected", "it was good once");
}

#[test]
fn d23_the_password_alone_sets_up_a_first_device_only_where_a_sign_in_would() {
    for policy in [REQUIRED, ""] {
        let world = World::new();
        world.configure(&format!("{ALL}{policy}{CHEAP}"));
        let _ = world.run("add-user alice").ok();
        let _ = world.run_with("set-password alice", OLD).ok();
        for act in
            ["replace-device", "switch-off", "remove-device", "rename-device", "recovery-codes"]
        {
            let ran = world.me(&json!({ "password": OLD, "act": act, "label": "x" }));
            refused(&ran, 77, "not_permitted");
        }
        let status = world.me(&json!({ "password": OLD }));
        assert_eq!(status.json()["status"]["acts"], json!(["add-device"]), "{status:?}");
        assert_eq!(status.code, u8::from(!policy.is_empty()), "as at a sign-in: {status:?}");
        let ran = world.me(&json!({ "password": OLD, "act": "add-device" })).ok();
        let phone = secret_of(&ran.json());
        let _ = world.me(&json!({ "password": OLD, "code": world.code(&phone, 0) })).ok();
        assert_eq!(world.listed("alice")["status"], "enabled");
        let ran = world.me(&json!({ "password": OLD, "act": "add-device" }));
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &json!("code_required")));
        // After a reset or a removal the old password is no proof.
        for verb in ["delete", "reset --no-enrol"] {
            let _ = world.run(&format!("{verb} alice --yes")).ok();
            let ran = world.me(&json!({ "password": OLD, "act": "add-device" }));
            assert!(ran.code == 1 || ran.code == 77, "{verb}: {ran:?}");
            assert_eq!(world.listed("alice")["status"], "not_enabled", "{verb}");
        }
        // A forced password change sends the user to a sign-in.
        let forced =
            world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
        let temporary = forced["temporary_password"].as_str().unwrap();
        let ran = world.me(&json!({ "password": temporary, "act": "add-device" }));
        assert_eq!(ran.json()["outcome"], "password_change_required", "{ran:?}");
        world.wait(24 * 3600);
        let ran = world.me(&json!({ "password": temporary }));
        assert_eq!(ran.json()["reason"], "temporary_password_expired", "{ran:?}");
        assert_eq!(world.listed("alice")["status"], "not_enabled");
    }
}

#[test]
fn d23_a_protected_user_may_do_it_too() {
    let (world, phone) = world("");
    world.configure(&format!(
        "{ALL}[roles]\nadmin = [\"root\"]\nservice = [\"daemon\"]\nsecond_operator = [\"disable\"]\n{CHEAP}"
    ));
    world.uid.set(0);
    let _ = world.run("edit-user alice --protected").ok();
    world.uid.set(1);
    let _ = world.acts(&phone, "switch-off", &json!({})).ok();
}

#[test]
fn d23_the_user_is_the_one_who_called_sudo() {
    let (world, _) = world("");
    world.uid.set(0);
    let _ = world.run("add-user daemon").ok();
    let _ = world.run_with("set-password daemon", OLD).ok();
    let ask = |line: &str, uid| {
        world.sudo_uid.set(Some(uid));
        world.run_with(line, &format!("{}\n", json!({ "password": OLD })))
    };
    let own = ask("me", 1).ok();
    assert_eq!(own.json()["user"], "daemon");
    assert_eq!(ask("me --name DAEMON", 1).ok().json()["user"], "daemon");
    for name in ["alice", "mallory", "CORP\\daemon"] {
        let ran = ask(&format!("me --json --name {name}"), 1);
        refused(&ran, 77, "not_permitted");
        assert!(!ran.err.contains(name), "the answer is the same for every name: {ran:?}");
    }
    // No uid, root, and a uid without a name.
    for uid in [u32::MAX, 0, 4_000_000_000] {
        refused(&ask("me --json", uid), 77, "not_permitted");
    }
    // Somebody who is not in the store gets the answer of a sign-in.
    assert_eq!(ask("me", 3).json()["outcome"], "rejected");
    world.configure("[names]\nstrip_realm = [\"corp.example\"]\n");
    assert_eq!(ask("me --name daemon@corp.example", 1).ok().json()["user"], "daemon");
}

#[test]
fn d23_with_roles_only_services_and_admins_ask_about_others() {
    let (world, _) = world("");
    world.configure(&format!(
        "[roles]\nadmin = [\"games\"]\nservice = [\"daemon\"]\nhelpdesk = [\"sys\"]\nauditor = [\"bin\"]\n{CHEAP}"
    ));
    world.uid.set(0);
    let _ = world.run("add-user bin").ok();
    let _ = world.run_with("set-password bin", OLD).ok();
    for (uid, sudo, code) in [
        (0, None, 1),
        (0, Some(1), 1),
        (0, Some(5), 1),
        (0, Some(0), 1),
        (1, None, 1),
        (0, Some(3), 77),
        (0, Some(2), 77),
        (0, Some(65534), 77),
        (3, None, 77),
        (3, Some(0), 77),
    ] {
        world.uid.set(uid);
        world.sudo_uid.set(sudo);
        let ran = world.run_with("me --json --name alice", "{\"password\":\"x\"}\n");
        assert_eq!(ran.code, code, "{uid} {sudo:?}: {ran:?}");
    }
    // An auditor, or anybody, about themselves.
    world.uid.set(0);
    world.sudo_uid.set(Some(2));
    let _ = world.run_with("me", &format!("{}\n", json!({ "password": OLD }))).ok();
}

#[test]
fn d23_what_is_no_request_is_refused_without_echoing_it() {
    let (world, phone) = world(ALL);
    let events = world.sql("SELECT count(*) FROM events");
    for (line, code) in [
        ("", 64),
        ("hunter2", 65),
        ("{\"password\":\"hunter2\",\"pass\":1}", 65),
        ("[\"hunter2\"]", 65),
        ("{\"password\":\"hunter2\",\"act\":\"sudo\"}", 65),
        ("{\"password\":\"hunter2\",\"act\":\"rename-device\"}", 65),
        ("{\"password\":\"hunter2\",\"act\":\"add-device\",\"label\":\"a,b\"}", 65),
    ] {
        let ran = world.run_with("me --name alice --json --reveal-secrets", line);
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        assert!(!ran.err.contains("hunter2") && ran.out.is_empty(), "{ran:?}");
    }
    let hidden = json!({ "password": OLD, "code": world.code(&phone, 0), "act": "recovery-codes" });
    for options in ["--json", "--reveal-secrets --format table", "--reveal-secrets --format csv"] {
        let ran = world.run_with(&format!("me --name alice {options}"), &hidden.to_string());
        assert!(ran.code == 64 || ran.code == 65, "{options}: {ran:?}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    let help = world.run("help me").ok().out;
    for line in ["me --help", "me --json --help", "me --name alice -h", "--help me"] {
        let ran = world.run(line).ok();
        assert!(
            ran.out == help || line.contains("-h") && ran.out.contains("mfactl me"),
            "{line}: {ran:?}"
        );
    }
}

/// What each state of a user allows, with the password and, where there is a device, its codes.
#[test]
fn d23_every_state_of_a_user_meets_every_act() {
    const TABLE: &str = "
                   | not_enabled      | pending          | expired          | barred           | disabled    | locked
        add-device     | 0 pending        | 0 pending        | 0 pending        | 77 not_permitted | 76 disabled | 1
        replace-device | 77 not_permitted | 77 not_permitted | 77 not_permitted | 77 not_permitted | 76 disabled | 1
        switch-off     | 77 not_permitted | 77 not_permitted | 77 not_permitted | 77 not_permitted | 76 disabled | 1
        remove-device  | 77 not_permitted | 77 not_permitted | 77 not_permitted | 77 not_permitted | 76 disabled | 1
        rename-device  | 77 not_permitted | 77 not_permitted | 77 not_permitted | 77 not_permitted | 76 disabled | 1
        recovery-codes | 77 not_permitted | 77 not_permitted | 77 not_permitted | 77 not_permitted | 76 disabled | 1
";
    let mut lines = TABLE.trim().lines().map(|line| line.split('|').map(str::trim));
    let states: Vec<_> = lines.next().unwrap().filter(|state| !state.is_empty()).collect();
    for mut line in lines {
        let act = line.next().unwrap();
        for (state, expected) in states.iter().zip(line) {
            let world = World::new();
            world.configure(&format!("{ALL}{CHEAP}"));
            let _ = world.run("add-user alice").ok();
            let _ = world.run_with("set-password alice", OLD).ok();
            match *state {
                "pending" => drop(world.pending("alice", "")),
                "expired" => {
                    let _ = world.pending("alice", "");
                    world.wait(72 * 3600);
                }
                "barred" => {
                    let _ = world.active("alice");
                    let _ = world.run("delete alice --yes").ok();
                }
                "disabled" => {
                    let _ = world.active("alice");
                    let _ = world.run("disable alice --yes").ok();
                }
                "locked" => {
                    let _ = world.active("alice");
                    (0..5).for_each(|_| drop(world.verify("alice", "000000")));
                }
                _ => {}
            }
            let before = world.listed("alice");
            let ran = world.me(&json!({ "password": OLD, "act": act, "label": "x" }));
            let mark = match ran.code {
                0 => world.listed("alice")["status"].as_str().unwrap().to_owned(),
                _ => ran.error(),
            };
            assert_eq!(
                format!("{} {mark}", ran.code).trim(),
                expected,
                "{act} on {state}: {ran:?}"
            );
            let after = world.listed("alice");
            assert!(ran.code == 0 || after == before, "{act} on {state} changed something");
        }
    }
}
