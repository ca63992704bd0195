//! `[services]`: who is let in without a code, and what the log says of it.

use crate::commands::tests::logins::{run, variables};
use crate::testing::{CommandResult, World};

const RULES: &str = "[password]\nmemory = 19\n\
    [services.sshd]\nexempt_networks = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n\
    exempt_groups = [\"robots\"]\nnot_enabled = \"accept\"\n\
    [services.openvpn]\nexempt_networks = [\"10.0.0.0/8\"]\n\
    [services.radius]\nexempt_networks = [\"10.0.0.0/8\"]\n";

/// What `pam_exec` asks for sshd.
pub fn pam(world: &mut World, more: &str, user: &str, remote: &str, typed: &str) -> CommandResult {
    by_pam(world, "sshd", more, user, remote, typed)
}

pub fn by_pam(
    world: &mut World,
    service: &str,
    more: &str,
    user: &str,
    remote: &str,
    typed: &str,
) -> CommandResult {
    world.variables = variables(&[
        ("PAM_TYPE", "auth"),
        ("PAM_USER", user),
        ("PAM_SERVICE", service),
        ("PAM_RHOST", remote),
    ]);
    run(world, &format!("--from pam {more}"), typed)
}

/// The newest event, as outcome and reason.
pub fn newest(world: &World) -> String {
    let log = world.run("log --last 1 --json").ok().json();
    let event = &log["events"][0];
    let why = event["detail"]["why"].as_str().unwrap_or("-");
    format!("{} {why}", event["outcome"].as_str().unwrap())
}

pub fn events(world: &World) -> String {
    world.sql("SELECT count(*) FROM events")
}

#[test]
fn from_an_exempt_network_no_code_is_looked_at() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.configure(RULES);
    world.wait(30);
    let code = world.code(&secret, 0);
    for (remote, typed) in [
        ("10.1.2.3", ""),
        ("10.1.2.3", "000000"),
        ("10.1.2.3", &code),
        ("::ffff:10.1.2.3", "x"),
        ("2001:db8::7", ""),
    ] {
        let ran = pam(&mut world, "", "alice", remote, typed);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{remote} {typed}");
        assert_eq!(newest(&world), "not_asked exempt_network");
    }
    let table = world.run("log --last 1").ok().out;
    assert!(table.contains("not_asked") && table.contains("why exempt_network"), "{table}");
    assert_eq!(world.sql("SELECT failures FROM users"), "0");
    let before = events(&world);
    for remote in ["", "10.example.org", "192.0.2.1", "10.1.2.3.example.org"] {
        assert_eq!(pam(&mut world, "", "alice", remote, "").code, 1, "{remote}");
    }
    assert_eq!(by_pam(&mut world, "sudo", "", "alice", "10.1.2.3", "").code, 1, "no rules");
    assert_eq!(events(&world), before, "who types nothing attempts nothing");
    assert_eq!(world.sql("SELECT failures || '/' || turned_away FROM users"), "0/0");
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", "000000").code, 1);
    assert_eq!(newest(&world), "rejected -");
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", &code).code, 0, "it was not used up");
    let report = world.run("report --json --since 1h").ok();
    let attempts = &report.json()["attempts"];
    assert_eq!(
        (attempts["accepted"].as_u64(), attempts["without_code"].as_u64()),
        (Some(7), Some(5))
    );
    let _ = world.run("verify-log").ok();
}

#[test]
fn nobody_is_let_in_whom_a_code_would_not_let_in() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.configure(RULES);
    let exempt = |world: &mut World, user: &str| pam(world, "", user, "10.1.2.3", "").code;
    assert_eq!(exempt(&mut world, "alice"), 0);
    assert_eq!(exempt(&mut world, "nobody"), 1);
    assert_eq!(exempt(&mut world, "--help"), 1);
    assert_eq!(exempt(&mut world, ""), 1);
    let _ = world.run("disable alice --yes").ok();
    assert_eq!(exempt(&mut world, "alice"), 1, "disabled");
    let _ = world.run("enable alice --yes").ok();
    assert_eq!(exempt(&mut world, "alice"), 0);
    let _ = world.run("force-new-password alice --keep-mfa --yes").ok();
    assert_eq!(exempt(&mut world, "alice"), 1, "a new password is due");
    let _ = world.run("undo alice --yes").ok();
    assert_eq!(exempt(&mut world, "alice"), 0);
    for n in 0..5 {
        assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", &format!("00000{n}")).code, 1);
    }
    assert_eq!(exempt(&mut world, "alice"), 1, "locked");
    world.wait(60);
    assert_eq!(exempt(&mut world, "alice"), 0);
    for _ in 0..100 {
        world.wait(3600);
        assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", "000000").code, 1);
    }
    assert_eq!(exempt(&mut world, "alice"), 1, "until unlocked");
    let code = world.code(&secret, 0);
    assert_eq!(pam(&mut world, "", "alice", "10.1.2.3", &code).code, 1);
}

#[test]
fn a_group_and_users_without_mfa_have_rules_of_their_own() {
    let mut world = World::new();
    let _ = world.run("add-user backup --group robots").ok();
    let _ = world.run("add-user bob").ok();
    let _ = world.run("require-mfa backup").ok();
    world.configure(RULES);
    let outside =
        |world: &mut World, more: &str, user: &str| pam(world, more, user, "192.0.2.1", "").code;
    assert_eq!(outside(&mut world, "", "backup"), 0, "also where MFA is required of them");
    assert_eq!(newest(&world), "not_asked exempt_group");
    assert_eq!(outside(&mut world, "", "bob"), 0);
    assert_eq!(newest(&world), "not_asked not_enabled");
    assert_eq!(by_pam(&mut world, "sudo", "", "bob", "", "x").code, 1, "as without rules");
    assert_eq!(by_pam(&mut world, "sudo", "", "backup", "", "x").code, 1);
    let _ = world.run("require-mfa bob").ok();
    assert_eq!(outside(&mut world, "", "bob"), 1, "required");
    let _ = world.run("require-mfa bob --not").ok();
    let _ = world.pending("bob", "");
    let _ = world.run("disable bob --yes").ok();
    assert_eq!(outside(&mut world, "", "bob"), 1, "switched off");
    world.configure("[services.sshd]\nnot_enabled = \"refuse\"\n");
    let _ = world.run("delete bob --yes").ok();
    assert_eq!(outside(&mut world, "--not-enabled accept", "bob"), 1, "the rule decides");
}

#[test]
fn the_password_must_be_right_wherever_it_is_asked_for() {
    let mut world = World::new();
    let secret = world.active("alice");
    let _ = world.run("add-user backup --group robots").ok();
    for user in ["alice", "backup"] {
        let password = "correct horse battery 9\n";
        let _ = world.run_with(&format!("set-password {user}"), password).ok();
    }
    world.configure(RULES);
    world.wait(30);
    let split = |world: &mut World, user: &str, remote: &str, typed: &str| {
        pam(world, "--split last", user, remote, typed).code
    };
    let password = "correct horse battery 9";
    let code = world.code(&secret, 0);
    for typed in [password.to_owned(), format!("{password}000000"), format!("{password}{code}")] {
        assert_eq!(split(&mut world, "alice", "10.1.2.3", &typed), 0, "{typed}");
        assert_eq!(newest(&world), "not_asked exempt_network");
    }
    for typed in ["wrong".to_owned(), String::new(), code.clone(), format!("wrong{code}")] {
        assert_eq!(split(&mut world, "alice", "10.1.2.3", &typed), 1, "{typed}");
    }
    assert_eq!(newest(&world), "rejected password");
    assert_eq!(split(&mut world, "alice", "192.0.2.1", password), 1, "the code is missing");
    assert_eq!(newest(&world), "code_required -");
    assert_eq!(split(&mut world, "nobody", "10.1.2.3", password), 1);
    assert_eq!(split(&mut world, "backup", "192.0.2.1", password), 0);
    assert_eq!(newest(&world), "not_asked exempt_group");
    assert_eq!(split(&mut world, "backup", "192.0.2.1", "wrong"), 1);
    world.wait(60);
    let code = world.code(&secret, 0);
    assert_eq!(split(&mut world, "alice", "192.0.2.1", &format!("{password}{code}")), 0);
}

#[test]
fn openvpn_and_radius_do_not_ask_where_no_code_is_needed() {
    let mut world = World::new();
    world.active("alice");
    world.configure(RULES);
    let file = |world: &World, name: &str, text: &str| {
        let path = world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let pending = file(&world, "pending", "");
    for (address, name, exit) in [
        ("10.1.2.3", "alice", 0),
        ("192.0.2.1", "alice", 2),
        ("10.1.2.3", "nobody", 2),
        ("10.1.2.3.example.org", "alice", 2),
    ] {
        let credentials = file(&world, "credentials", &format!("{name}\n\n"));
        world.variables = variables(&[
            ("script_type", "user-pass-verify"),
            ("auth_pending_file", &pending),
            ("IV_SSO", "crtext"),
            ("untrusted_ip", address),
        ]);
        let ran = run(&world, &format!("--from openvpn {credentials}"), "");
        assert_eq!(ran.code, exit, "{address} {name}");
        let is_asked = !std::fs::read_to_string(&pending).unwrap().is_empty();
        assert_eq!(is_asked, exit == 2, "{address} {name}");
        std::fs::write(&pending, "").unwrap();
    }
    let mut radius = |client: &str, address: &str, name: &str| {
        world.variables = variables(&[
            ("USER_NAME", &format!("\"{name}\"")),
            ("USER_PASSWORD", "\"\""),
            ("NAS_IDENTIFIER", &format!("\"{client}\"")),
            ("CALLING_STATION_ID", &format!("\"{address}\"")),
        ]);
        let ran = run(&world, "--from radius", "");
        assert_eq!(ran.code == 1, ran.out.starts_with("State := "), "{ran:?}");
        ran.code
    };
    assert_eq!(radius("office", "10.1.2.3", "alice"), 0);
    assert_eq!(radius("sshd", "192.0.2.1", "alice"), 1);
    assert_eq!(radius("office", "00-11-22-33-44-55", "alice"), 1);
    assert_eq!(radius("office", "10.1.2.3", "nobody"), 1);
    world.configure("[services.\"radius:office\"]\nexempt_networks = [\"10.0.0.0/8\"]\n");
    let mut radius = |client: &str| {
        world.variables = variables(&[
            ("USER_NAME", "\"alice\""),
            ("USER_PASSWORD", "\"\""),
            ("NAS_IDENTIFIER", &format!("\"{client}\"")),
            ("CALLING_STATION_ID", "\"10.1.2.3\""),
        ]);
        run(&world, "--from radius", "").code
    };
    assert_eq!((radius("office"), radius("other")), (0, 1));
}

#[test]
fn a_store_that_is_down_lets_nobody_in_and_asks_for_a_code() {
    let mut world = World::new();
    world.active("alice");
    world.configure(RULES);
    std::fs::remove_dir_all(world.folder.path().join("key")).unwrap();
    assert_eq!(pam(&mut world, "", "alice", "10.1.2.3", "").code, 78);
    world.variables = variables(&[
        ("USER_NAME", "\"alice\""),
        ("USER_PASSWORD", "\"\""),
        ("CALLING_STATION_ID", "\"10.1.2.3\""),
    ]);
    let ran = run(&world, "--from radius", "");
    assert_eq!((ran.code, ran.out.starts_with("State := ")), (1, true), "{ran:?}");
}

#[test]
fn what_is_no_rule_is_refused_with_its_line() {
    let world = World::new();
    let long = "s".repeat(128);
    for (text, words) in [
        ("[services.sshd]\nexempt_network = []\n", "unknown key"),
        ("[services]\nsshd = 1\n", "expected a table [services.NAME]"),
        ("[services.sshd]\nexempt_networks = []\n", "services.sshd.exempt_networks: is an empty"),
        ("[services.sshd]\nexempt_groups = []\n", "services.sshd.exempt_groups: is an empty"),
        ("[services.sshd]\nexempt_networks = [\"10.1.0.0/8\"]\n", "\"10.1.0.0/8\" has bits set"),
        ("[services.sshd]\nexempt_networks = [\"0.0.0.0/0\"]\n", "\"0.0.0.0/0\" is every address"),
        ("[services.sshd]\nexempt_networks = [\"vpn.example.org\"]\n", "is no network"),
        ("[services.sshd]\nexempt_networks = [\"::ffff:10.0.0.0/104\"]\n", "write it as IPv4"),
        ("[services.sshd]\nexempt_groups = [\"a b\"]\n", "services.sshd.exempt_groups"),
        ("[services.sshd]\nremember = \"31d\"\n", "services.sshd.remember: "),
        ("[services.sshd]\nremember = \"0h\"\n", "services.sshd.remember: "),
        ("[services.sshd]\nremember = \"long\"\n", "services.sshd.remember: "),
        ("[services.sshd]\nremember = 12\n", "services.sshd.remember: invalid type"),
        ("[services.sshd]\nnot_enabled = \"yes\"\n", "is neither accept nor refuse"),
        ("[services.\"\"]\nnot_enabled = \"accept\"\n", "is no name of a login service"),
        ("[services.\" sshd\"]\nnot_enabled = \"accept\"\n", "is no name of a login service"),
        (&format!("[services.{long}]\nnot_enabled = \"accept\"\n"), "is no name of a login"),
    ] {
        world.configure(text);
        let ran = world.run("list-status");
        assert_eq!((ran.code, ran.out.as_str()), (78, ""), "{text}: {ran:?}");
        let error = ran.err.lines().next().unwrap();
        assert!(error.contains(words) && error.contains("config.toml, line"), "{text}: {error}");
    }
    world.configure("[services.\"radius:office vpn\"]\nexempt_groups = [\"robots\"]\n");
    let _ = world.run("init").ok();
}
