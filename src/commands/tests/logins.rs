//! `verify --from`: the input of login services, and the one answer they get.

use std::ffi::OsString;

use crate::testing::{CommandResult, World};

/// The call that `pam_exec` makes.
fn pam_with(world: &mut World, more: &str, user: &str, typed: &str) -> CommandResult {
    world.variables = variables(&[("PAM_TYPE", "auth"), ("PAM_USER", user)]);
    run(world, &format!("--from pam {more}"), typed)
}

fn pam(world: &mut World, user: &str, typed: &str) -> CommandResult {
    let ran = pam_with(world, "", user, typed);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "no output for the user");
    ran
}

pub fn variables(variables: &[(&str, &str)]) -> Vec<(String, OsString)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

pub fn run(world: &World, line: &str, typed: &str) -> CommandResult {
    let (store, folder) = (world.engine.location(), world.folder.path());
    let config = folder.join("config.toml");
    let config =
        if config.exists() { format!("--config {}", config.display()) } else { String::new() };
    let (store, key) = (store.display(), folder.join("key/mfactl.key"));
    let line = format!("--store {store} --key-file {} {config} verify {line}", key.display());
    world.run_with(&line, typed)
}

/// The outcomes of the log since the last enrolment, oldest first.
fn outcomes(world: &World) -> Vec<String> {
    let last = "(SELECT max(seq) FROM events WHERE verb <> 'verify')";
    let query = format!("SELECT outcome FROM events WHERE seq > {last} ORDER BY seq");
    world.sql(&query).lines().map(str::to_owned).collect()
}

#[test]
fn every_rejection_has_one_answer_and_the_log_has_the_reason() {
    let mut world = World::new();
    let secret = world.active("alice");
    let _ = world.run("add-user bob").ok();
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(pam(&mut world, "alice", &code).code, 0);
    assert_eq!(pam(&mut world, "alice", &code).code, 1);
    assert_eq!(pam(&mut world, "alice", "hunter2").code, 1);
    assert_eq!(pam(&mut world, "bob", "123456").code, 1);
    assert_eq!(pam(&mut world, "nobody", "123456").code, 1);
    for n in 0..4 {
        assert_eq!(pam(&mut world, "alice", &format!("00000{n}\0")).code, 1);
    }
    let code = world.code(&secret, 1);
    assert_eq!(pam(&mut world, "alice", &code).code, 1);
    let before = ["accepted", "replayed", "rejected", "not_enabled", "unknown"];
    let after = ["rejected", "rejected", "rejected", "rejected", "locked"];
    assert_eq!(outcomes(&world), [before, after].concat());
    let _ = world.run("unlock alice").ok();
    assert_eq!(pam(&mut world, "alice", &code).code, 0);
    let _ = world.run("disable alice --yes").ok();
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(pam(&mut world, "alice", &code).code, 1);
    assert_eq!(outcomes(&world), ["disabled"]);
    let from = world.sql("SELECT count(*) FROM events WHERE detail LIKE '%\"from\":\"pam\"%'");
    assert_eq!(from, "12");
}

#[test]
fn unknown_users_do_not_fill_the_log() {
    let mut world = World::new();
    world.active("alice");
    for n in 0..30 {
        assert_eq!(pam(&mut world, &format!("unknown{n}"), "123456").code, 1);
    }
    assert_eq!(outcomes(&world).iter().filter(|o| *o == "unknown").count(), 1);
    world.wait(60);
    assert_eq!(pam(&mut world, "unknown", "123456").code, 1);
    assert_eq!(outcomes(&world).iter().filter(|o| *o == "unknown").count(), 2);
    assert_eq!(world.sql("SELECT count(*) FROM users"), "1");
}

#[test]
fn hostile_names_and_codes_are_rejected() {
    let mut world = World::new();
    let secret = world.active("alice");
    let long = "a".repeat(300);
    let names = [
        "",
        "--help",
        "-V",
        "-h",
        "--version",
        "$(id)",
        "a b",
        "é",
        "alice\n",
        "alice/../",
        "%u",
        "*",
        "alice'--",
        "0",
        &long,
    ];
    for name in names {
        assert_eq!(pam(&mut world, name, "123456").code, 1, "{name:?}");
    }
    let many = "1".repeat(70_000);
    let junk = [
        "",
        "\0",
        "\n",
        "\u{8}\n\r\u{7f}INCORRECT",
        "--help",
        "12345",
        "1234567890",
        "+12345",
        "１２３４５６",
        "123456\n\n",
        "123 456",
        &many,
    ];
    for typed in junk {
        let _ = world.run("unlock alice").ok();
        assert_eq!(pam(&mut world, "alice", typed).code, 1, "{typed:?}");
    }
    let _ = world.run("unlock alice").ok();
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(pam(&mut world, "alice", &code).code, 0, "and the next good login");
}

#[test]
fn only_pam_auth_is_answered_and_names_as_arguments_are_refused() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    let code = world.code(&secret, 0);
    for kind in ["account", "session", ""] {
        world.variables = variables(&[("PAM_TYPE", kind), ("PAM_USER", "alice")]);
        assert_eq!(run(&world, "--from pam", &code).code, 64, "{kind}");
    }
    world.variables = variables(&[("PAM_TYPE", "auth"), ("PAM_USER", "alice")]);
    for arguments in
        ["--from pam alice", "--from radius alice", "--from", "--from ssh", "--split last alice"]
    {
        assert_eq!(run(&world, arguments, &code).code, 64, "{arguments}");
    }
    assert_eq!(run(&world, "--from pam --help", &code).code, 64);
    assert_eq!(run(&world, "--from pam", &code).code, 0);
}

#[test]
fn the_environment_of_a_login_service_is_ignored() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    // World sets MFACTL_CONFIG too, so only the option is left out here.
    world.configure("this is no configuration");
    let code = world.code(&secret, 0);
    world.variables = variables(&[
        ("PAM_TYPE", "auth"),
        ("PAM_USER", "alice"),
        ("COMPLETE", "bash"),
        ("CREDENTIALS_DIRECTORY", "/nonexistent"),
        ("CLICOLOR_FORCE", "1"),
    ]);
    let (store, folder) = (world.engine.location(), world.folder.path());
    let line = format!(
        "--store {} --key-file {}/key/mfactl.key verify --from pam --json",
        store.display(),
        folder.display()
    );
    let ran = world.run_with(&line, &code);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn the_policy_takes_precedence_over_the_option() {
    let mut world = World::new();
    let _ = world.run("add-user bob").ok();
    let accept = "--not-enabled accept";
    assert_eq!(pam_with(&mut world, "--not-enabled refuse", "bob", "x").code, 1);
    assert_eq!(pam_with(&mut world, accept, "bob", "x").code, 0);
    assert_eq!(outcomes(&world), ["not_enabled", "not_asked"]);
    assert_eq!(pam_with(&mut world, accept, "nobody", "x").code, 1);
    let _ = world.run("require-mfa bob --effective 2027-01-01").ok();
    assert_eq!(pam_with(&mut world, accept, "bob", "x").code, 0);
    let _ = world.run("require-mfa bob").ok();
    assert_eq!(pam_with(&mut world, accept, "bob", "x").code, 1);
    world.active("alice");
    assert_eq!(pam_with(&mut world, accept, "alice", "x").code, 1);
    let _ = world.run("disable alice --yes").ok();
    assert_eq!(pam_with(&mut world, accept, "alice", "x").code, 0);
    world.configure("[policy]\nmfa = \"required\"\n");
    assert_eq!(pam_with(&mut world, accept, "alice", "x").code, 1);
}

#[test]
fn a_required_password_change_and_backup_codes() {
    let mut world = World::new();
    let secret = world.active("alice");
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets").ok().json();
    let bypass = bypass["code"].as_str().unwrap().to_owned();
    assert_eq!(pam(&mut world, "alice", &bypass).code, 0);
    assert_eq!(pam(&mut world, "alice", &bypass).code, 1);
    let _ = world.run("force-new-password alice --keep-mfa --yes").ok();
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(pam(&mut world, "alice", &code).code, 1);
    assert_eq!(pam_with(&mut world, "--not-enabled accept", "alice", &code).code, 1);
    assert_eq!(outcomes(&world), ["password_change_required"]);
}

#[test]
fn password_and_code_in_one_line() {
    let mut world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let secret = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery 9\n").ok();
    let _ = world.run("add-user bob").ok();
    let _ = world.run_with("set-password bob", "correct horse battery 9\n").ok();
    world.wait(30);
    let both = |code: &str| format!("correct horse battery 9{code}");
    let code = world.code(&secret, 0);
    let split = |world: &mut World, more: &str, user: &str, typed: &str| {
        pam_with(world, &format!("--split last {more}"), user, typed).code
    };
    assert_eq!(split(&mut world, "", "alice", &code), 1, "the code alone");
    assert_eq!(split(&mut world, "", "alice", &both("")), 1, "the password alone");
    assert_eq!(split(&mut world, "", "alice", &format!("wrong{code}")), 1);
    assert_eq!(split(&mut world, "", "nobody", &both(&code)), 1);
    assert_eq!(split(&mut world, "", "bob", &both("123456")), 1, "no device");
    assert_eq!(split(&mut world, "", "alice", &both(&code)), 0);
    assert_eq!(split(&mut world, "", "alice", &both(&code)), 1, "replayed");
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'unknown'"), "1");
    let outcomes =
        |more| world.sql(&format!("SELECT count(*) FROM events WHERE verb = 'sign-in' {more}"));
    assert_eq!(
        outcomes("AND detail LIKE '%\"from\":\"pam\"%'"),
        outcomes(""),
        "the service is in the detail"
    );
}

#[test]
fn an_input_that_cannot_be_split_is_counted_as_a_wrong_password_and_logged() {
    let mut world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let secret = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery 9\n").ok();
    world.wait(30);
    let code = world.code(&secret, 0);
    let counts = |world: &World| world.sql("SELECT failures || '/' || wrong_codes FROM users");
    let logged = |world: &World| {
        world.sql("SELECT count(*) FROM events WHERE detail LIKE '%no password with a code%'")
    };
    let split = |world: &mut World, user: &str, typed: &str| {
        pam_with(world, "--split last", user, typed).code
    };
    let letters = "c".repeat(44);
    for (n, typed) in ["correct horse battery 9", &code, &letters, "12345"].into_iter().enumerate()
    {
        assert_eq!(split(&mut world, "alice", typed), 1, "{typed}");
        assert_eq!(counts(&world), format!("{}/0", n + 1), "no wrong code: {typed}");
        assert_eq!(logged(&world), (n + 1).to_string(), "{typed}");
    }
    assert_eq!(split(&mut world, "alice", ""), 1);
    assert_eq!(counts(&world), "4/0", "nothing was typed");
    assert_eq!(split(&mut world, "nobody", "correct horse battery 9"), 1);
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'unknown'"), "1");
    assert_eq!(split(&mut world, "alice", &format!("wrong{code}")), 1);
    assert_eq!((counts(&world), logged(&world)), ("5/0".into(), "4".into()), "a wrong password");
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(split(&mut world, "alice", &format!("correct horse battery 9{code}")), 0);
    assert_eq!(counts(&world), "0/0");
    let log = world.run("log --user alice").ok().out;
    assert!(log.contains("no password with a code"), "{log}");
    let _ = world.run("verify-log").ok();
}

#[test]
fn a_password_is_enough_where_mfa_is_neither_enabled_nor_required() {
    let mut world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let password = "correct horse 123456";
    let secret = world.active("alice");
    let phone = world.pending("carol", "");
    let _ = world.run("add-user bob").ok();
    for user in ["alice", "bob", "carol"] {
        let _ = world.run_with(&format!("set-password {user}"), &format!("{password}\n")).ok();
    }
    world.wait(30);
    let split = |world: &mut World, user: &str, typed: &str| {
        pam_with(world, "--split last --not-enabled accept", user, typed).code
    };
    assert_eq!(split(&mut world, "bob", password), 0);
    assert_eq!(split(&mut world, "bob", &format!("{password}000000")), 1, "nothing is cut off");
    assert_eq!(split(&mut world, "bob", "correct horse"), 1);
    assert_eq!(split(&mut world, "bob", ""), 1);
    assert_eq!(split(&mut world, "nobody", password), 1);
    assert_eq!(split(&mut world, "nobody", "hunter2"), 1);
    assert_eq!(split(&mut world, "alice", password), 1, "alice has a code to show");
    let code = world.code(&secret, 0);
    assert_eq!(split(&mut world, "alice", &format!("{password}{code}")), 0);
    let code = world.code(&phone, 0);
    assert_eq!(split(&mut world, "carol", &format!("{password}{code}")), 0, "the first code");
    assert_eq!(world.listed("carol")["status"], "enabled");

    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    for (typed, code, expected) in [(password, "", 0), (password, "0", 0), ("wrong", "000000", 1)] {
        world.variables = variables(&[("script_type", "user-pass-verify")]);
        let credentials = world.folder.path().join("credentials");
        let both = format!("bob\nSCRV1:{}:{}\n", base64(typed), base64(code));
        std::fs::write(&credentials, both).unwrap();
        let line = "--from openvpn --split last --not-enabled accept";
        let ran = run(&world, &format!("{line} {}", credentials.display()), "");
        assert_eq!(ran.code, expected, "{typed} {code}");
    }
    let _ = world.run("require-mfa bob").ok();
    assert_eq!(split(&mut world, "bob", password), 1, "required by now");
}

#[test]
fn openvpn_gets_the_answer_in_its_files() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    let code = world.code(&secret, 0);
    let file = |world: &World, name: &str, text: &str| {
        let path = world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let reason = file(&world, "reason", "");
    let (control, pending) = (file(&world, "control", ""), file(&world, "pending", ""));
    let common = [
        ("auth_failed_reason_file", reason.as_str()),
        ("auth_control_file", &control),
        ("auth_pending_file", &pending),
        ("IV_SSO", "webauth,crtext"),
    ];
    let verify = [&common[..], &[("script_type", "user-pass-verify")]].concat();
    let answer = [&common[..], &[("script_type", "client-crresponse"), ("username", "alice")]];
    let answer = answer.concat();

    world.variables = variables(&verify);
    let credentials = file(&world, "credentials", "alice\n000000\n");
    assert_eq!(run(&world, &format!("--from openvpn {credentials}"), "").code, 1);
    assert_eq!((read(&reason).as_str(), read(&control).as_str()), ("not accepted", ""));
    let credentials = file(&world, "credentials", &format!("alice\n{code}\n"));
    assert_eq!(run(&world, &format!("--from openvpn {credentials}"), "").code, 0);

    let credentials = file(&world, "credentials", "alice\n\n");
    let ran = run(&world, &format!("--from openvpn {credentials}"), "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(read(&pending), "60\ncrtext\nCR_TEXT:R,E:Verification code\n");
    world.wait(30);
    let code = data_encoding::BASE64.encode(world.code(&secret, 0).as_bytes());
    world.variables = variables(&answer);
    let credentials = file(&world, "credentials", &format!("{code}\n"));
    assert_eq!(run(&world, &format!("--from openvpn {credentials}"), "").code, 0);
    assert_eq!(read(&control), "1");
    assert_eq!(run(&world, &format!("--from openvpn {credentials}"), "").code, 1);
    assert_eq!(read(&control), "0", "replayed");
    std::fs::remove_dir_all(world.folder.path().join("key")).unwrap();
    std::fs::write(&control, "").unwrap();
    assert_eq!(run(&world, &format!("--from openvpn {credentials}"), "").code, 78);
    assert_eq!(read(&control), "0", "trouble");
}

#[test]
fn the_second_prompt_does_not_bypass_the_password() {
    let mut world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let secret = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery 9\n").ok();
    world.wait(30);
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let file = |world: &World, name: &str, text: &str| {
        let path = world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let files = ["reason", "control", "pending"].map(|name| file(&world, name, ""));
    let [reason, control, pending] = files.each_ref().map(String::as_str);
    let common = [
        ("auth_failed_reason_file", reason),
        ("auth_control_file", control),
        ("auth_pending_file", pending),
        ("IV_SSO", "crtext"),
        ("username", "alice"),
    ];
    let password = base64("correct horse battery 9");
    for typed in [String::new(), "SCRV1::".into(), format!("SCRV1:{password}:")] {
        std::fs::write(reason, "").unwrap();
        world.variables =
            variables(&[&common[..], &[("script_type", "user-pass-verify")]].concat());
        let credentials = file(&world, "credentials", &format!("alice\n{typed}\n"));
        assert_eq!(run(&world, &format!("--from openvpn --split last {credentials}"), "").code, 1);
        assert_eq!((read(pending).as_str(), read(reason).as_str()), ("", "not accepted"));
    }
    world.variables = variables(&[&common[..], &[("script_type", "client-crresponse")]].concat());
    let code = world.code(&secret, 0);
    for typed in [code.clone(), format!("correct horse battery 9{code}")] {
        std::fs::write(control, "").unwrap();
        let credentials = file(&world, "credentials", &format!("{}\n", base64(&typed)));
        assert_eq!(run(&world, &format!("--from openvpn --split last {credentials}"), "").code, 1);
        assert_eq!(read(control), "0");
    }
}

#[test]
fn radius_gets_attribute_value_pairs() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    let code = world.code(&secret, 0);
    let mut ask = |name: &str, password: &str| {
        world.variables = variables(&[("USER_NAME", name), ("USER_PASSWORD", password)]);
        let ran = run(&world, "--from radius", "");
        (ran.code, ran.out)
    };
    let (exit, out) = ask("\"alice\"", "\"\"");
    assert_eq!(exit, 1, "a challenge is no yes");
    assert!(out.starts_with("State := 0x") && out.ends_with("\"Verification code\"\n"), "{out}");
    let no = (1, "Reply-Message := \"not accepted\"\n".to_owned());
    for (name, password) in [
        ("\"alice\"", "\"000000\""),
        ("\"--help\"", "\"123456\""),
        ("\"nobody\"", "\"123456\""),
        ("alice", "\"123456\""),
    ] {
        assert_eq!(ask(name, password), no, "{name} {password}");
    }
    assert_eq!(ask("\"alice\"", &format!("\"{code}\"")), (0, String::new()));
}

#[test]
fn a_verifier_has_a_socket() {
    let world = World::new();
    let ran = world.run("serve --socket none");
    assert!(ran.code == 64 && ran.err.contains("--socket: none is no path"), "{ran:?}");
    assert!(!std::path::Path::new("none").exists());
}
