//! Names of users: their spellings, the forms of a site, apostrophes, and long ones, at every door.

use std::ffi::OsString;

use crate::testing::{World, secret};

const SITE: &str = "[names]\nstrip_domain = [\"CORP\"]\nstrip_realm = [\"corp.example\"]\n";

fn variables(variables: &[(&str, &str)]) -> Vec<(String, OsString)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

/// The exit code of a login service's question.
fn login(world: &mut World, service: &str, set: &[(&str, &str)], typed: &str) -> u8 {
    world.variables = variables(set);
    let files = world.folder.path().display();
    let paths = format!(
        "--config {files}/config.toml --store {} --key-file {files}/key/mfactl.key",
        world.engine.location().display()
    );
    let code = world.run_with(&format!("{paths} verify --from {service}"), typed).code;
    world.variables.clear();
    code
}

/// Presents the next code of the user by this call, which must accept it.
fn proves(
    world: &mut World,
    secret: &crate::domain::secret::Secret,
    door: impl FnOnce(&mut World, &str) -> u8,
) -> bool {
    world.wait(30);
    let code = world.code(secret, 0);
    door(world, &code) == 0
}

#[test]
fn w5_capitals_are_the_same_user_at_every_verb() {
    let world = World::new();
    let niko = world.active("νίκος");
    for (line, code) in
        [("add-user ΝΊΚΟΣ", 76), ("enrol ΝΊΚΟΣ --create --no-confirm --device x --json", 0)]
    {
        assert_eq!(world.run(line).code, code, "{line}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM users"), "1");
    world.wait(30);
    let ran = world.verify("ΝΊΚΟΣ", &world.code(&niko, 0)).ok().json();
    assert_eq!((&ran["user"], &ran["outcome"]), (&"νίκος".into(), &"accepted".into()));
    assert_eq!(world.verify("νίκοσ", &world.code(&niko, 0)).json()["outcome"], "replayed");
    for line in [
        "show-user ΝΊΚΟΣ",
        "log --user ΝΊΚΟΣ",
        "disable ΝΊΚΟΣ --yes",
        "edit-user Νίκος --rename Weiß",
    ] {
        let _ = world.run(line).ok();
    }
    assert_eq!(world.run("show-user WEISS --json").ok().json()["user"], "weiss");
    let ran = world.run("add-user ᾳλφις --json");
    assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"));
    assert!(ran.err.contains("use the name αιλφις"), "{}", ran.err);
    let _ = world.run("edit-user weiss --rename WEISS --display-name x").ok();
    // One user by two spellings in one list.
    let plan =
        world.run_with("delete --from - --dry-run --json", "weiß\nWEISS\nweiss\n").ok().json();
    assert_eq!(plan["users"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["rows"], 3);
    let _ = world.run_with("delete --from - --yes --json", "weiß\nWEISS\n").ok();
}

#[test]
fn w5_two_stored_spellings_of_a_group_are_one_in_totals() {
    let world = World::new();
    let _ = world.run("add-user alice --group φοιτητές").ok();
    let _ = world.run("add-user bob --group φοιτητές").ok();
    let ran = world.run("add-user eve --group ᾳλφις --json");
    assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"));
    let ran = world.run("edit-user bob --add-group ᾳλφις --json");
    assert!(ran.err.contains("use the name αιλφις"), "{}", ran.err);
    let ran = world.run("edit-user bob --remove-group ᾳλφις --add-group ΦΟΙΤΗΤΈΣ");
    assert!(ran.code == 65 && ran.err.contains("nobody is in"), "{}", ran.err);
    let _ = world.run("edit-user bob --add-group ΦΟΙΤΗΤΈΣ").ok();
    // As an earlier version stored it.
    world.sql("UPDATE users SET groups = replace(groups, 'ς', 'σ') WHERE name = 'bob'");
    let totals = world.run("list-status --group-by group --json").ok().json();
    let groups = totals["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{totals}");
    assert_eq!((&groups[0]["group"], &groups[0]["users"]), (&"φοιτητές".into(), &2.into()));
    let listed = world.run("list-status --group φοιτητές --json").ok().json();
    assert_eq!(listed["users"].as_array().unwrap().len(), 2);
}

#[test]
fn w5_the_forms_of_a_site_are_taken_at_every_door() {
    let mut world = World::new();
    world.configure(SITE);
    let alice = world.active("CORP\\alice");
    assert_eq!(world.sql("SELECT name FROM users"), "alice");
    assert_eq!(world.run("add-user alice@corp.example").code, 76);
    for form in [
        "CORP\\alice",
        "corp\\ALICE",
        "alice@corp.example",
        "Alice@CORP.example",
        "CORP\\alice@corp.example",
    ] {
        assert!(proves(&mut world, &alice, |w, code| w.verify(form, code).code), "verify {form}");
        let pam = |w: &mut World, code: &str| {
            login(w, "pam", &[("PAM_TYPE", "auth"), ("PAM_USER", form)], code)
        };
        assert!(proves(&mut world, &alice, pam), "pam {form}");
        let openvpn = |w: &mut World, code: &str| {
            let set = [("script_type", "user-pass-verify"), ("username", form), ("password", code)];
            login(w, "openvpn", &set, "")
        };
        assert!(proves(&mut world, &alice, openvpn), "openvpn {form}");
        let radius = |w: &mut World, code: &str| {
            login(w, "radius", &[("User-Name", form), ("User-Password", code)], "")
        };
        assert!(proves(&mut world, &alice, radius), "radius {form}");
        let batch = |w: &mut World, code: &str| {
            let json = serde_json::json!({"user": form, "code": code});
            let ran = w.run_with("verify --batch", &format!("{json}\n{form}\t{code}\n")).ok().out;
            let words: Vec<_> =
                ["accepted", "replayed"].iter().filter(|w| ran.contains(**w)).collect();
            u8::from(words.len() != 2)
        };
        assert!(proves(&mut world, &alice, batch), "batch {form}");
        for verb in [
            "show-user",
            "show-qr --active --json",
            "log --user",
            "unlock",
            "require-mfa --dry-run",
            "edit-user --language en",
            "undo --dry-run --yes",
            "disable --yes --dry-run",
        ] {
            let ran = world.run(&format!("{verb} {form}"));
            assert!(matches!(ran.code, 0 | 76), "{verb} {form}: {ran:?}");
        }
        let plan =
            world.run_with("delete --from - --dry-run --json", &format!("{form}\n")).ok().json();
        assert_eq!(plan["users"][0]["user"], "alice", "{form}");
        let answer =
            world.run_with(&format!("sign-in --json {form}"), r#"{"password":"x"}"#).json();
        assert_eq!((&answer["user"], &answer["outcome"]), (&"alice".into(), &"rejected".into()));
    }
    for other in ["OTHER\\alice", "alice@other.example", "alice@corp.example.org", "CORP\\"] {
        world.wait(30);
        let code = world.code(&alice, 0);
        assert!(matches!(world.verify(other, &code).code, 65 | 67), "{other}");
        let set = [("PAM_TYPE", "auth"), ("PAM_USER", other)];
        assert_eq!(login(&mut world, "pam", &set, &code), 1, "{other}");
    }
}

#[test]
fn w5_a_name_that_radius_stripped_is_taken() {
    let mut world = World::new();
    world.configure("[names]\nstrip_domain = [\"ANY\"]\nstrip_realm = [\"anything.example\"]\n");
    let alice = world.active("alice");
    let ask = |w: &mut World, name: &str, stripped: &str| {
        let quoted = [name, stripped].map(|text| format!("\"{}\"", text.replace('\\', "\\\\")));
        let alice = &alice;
        proves(w, alice, |w, code| {
            let code = format!("\"{code}\"");
            let set = [
                ("USER_NAME", &*quoted[0]),
                ("STRIPPED_USER_NAME", &quoted[1]),
                ("USER_PASSWORD", &code),
            ];
            login(w, "radius", &set, "")
        })
    };
    for name in ["alice@anything.example", "ANY\\alice", "alice"] {
        assert!(ask(&mut world, name, "alice"), "{name}");
    }
    for name in ["alice@other.example", "OTHER\\alice", "other.example/alice"] {
        assert!(!ask(&mut world, name, "alice"), "{name}: its realm is not configured");
    }
    assert!(!ask(&mut world, "bob@anything.example", "alice"), "no part of the name");
    assert!(!ask(&mut world, "alice@anything.example", ""));
    // Whoever is stored by the whole name is asked for their own code.
    world.configure("");
    let _ = world.active("alice@anything.example");
    world.configure("[names]\nstrip_realm = [\"anything.example\"]\n");
    assert!(!ask(&mut world, "alice@anything.example", "alice"));
    assert!(ask(&mut world, "alice", "alice"));
    world.configure("");
    assert!(!ask(&mut world, "alice@other.example", "alice"), "no realm is configured");
}

#[test]
fn w5_users_stored_by_the_whole_name_are_still_found() {
    let world = World::new();
    let (short, long) = (world.active("alice"), world.active("alice@corp.example"));
    world.configure(SITE);
    world.wait(30);
    assert_eq!(world.verify("alice@corp.example", &world.code(&short, 0)).code, 1, "not alice's");
    assert_eq!(world.verify("alice@corp.example", &world.code(&long, 0)).code, 0);
    assert_eq!(world.verify("alice", &world.code(&short, 0)).code, 0);
    let _ = world.run("add-user bob").ok();
    for taken in ["ALICE", "alice@corp.example", "CORP\\alice"] {
        assert_eq!(world.run(&format!("edit-user bob --rename {taken}")).code, 76, "{taken}");
        assert_eq!(world.run(&format!("add-user {taken}")).code, 76, "{taken}");
    }
    // The short name goes to nobody who could be taken for the user of the long one.
    let _ = world.run("edit-user alice --rename carol").ok();
    assert_eq!(world.run("edit-user bob --rename alice@corp.example").code, 76);
    assert_eq!(world.run("edit-user carol --rename alice").code, 76, "a new pair");
    world.configure("");
    let _ = world.run("edit-user carol --rename alice").ok();
    world.configure(SITE);
    let list = "alice\nalice@corp.example\nCORP\\alice\n";
    let plan = world.run_with("delete --from - --dry-run --json", list).ok().json();
    let users: Vec<_> =
        plan["users"].as_array().unwrap().iter().map(|u| u["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["alice", "alice@corp.example"]);
    let done = world.run_with("disable --from - --yes --json", list).ok().json();
    assert_eq!(done["users"].as_array().unwrap().len(), 2, "{done}");
}

#[test]
fn w5_a_bad_list_of_domains_is_refused_with_its_key() {
    let world = World::new();
    for (text, key) in [
        ("[names]\nstrip_domain = [\"CORP\\\\\"]\n", "names.strip_domain"),
        ("[names]\nstrip_realm = [\"@corp.example\"]\n", "names.strip_realm"),
        ("[names]\nstrip_realm = [\"\"]\n", "names.strip_realm"),
    ] {
        world.configure(text);
        let ran = world.run("list-status");
        assert!(ran.code == 78 && ran.err.contains(key) && ran.err.contains("line 2"), "{ran:?}");
    }
}

#[test]
fn w5_apostrophes_and_long_names_go_everywhere() {
    let mut world = World::new();
    let long = format!("{}@example.com", "x".repeat(243));
    let long_russian = "жд".repeat(63);
    for name in ["o'brien@example.com", "'t.hooft", "d'angelo", &long, &long_russian] {
        let line = format!("enrol {name} --create --no-confirm --json --reveal-secrets");
        let made = world.run(&line).ok();
        let key = secret(&made);
        let encoded = name.replace('\'', "%27").replace('@', "%40");
        let uri = made.json()["uri"].as_str().unwrap().to_owned();
        assert!(!name.is_ascii() || uri.contains(&encoded), "{uri}");
        let _ = world.verify(name, &world.code(&key, 0)).ok();
        assert_eq!(world.listed(name)["user"], name);
        let _ = world.run(&format!("edit-user {name} --group d'or --protected")).ok();
        let svg = world.folder.path().join("qr.svg");
        let _ = world.run(&format!("show-qr {name} --active --output {}", svg.display())).ok();
        std::fs::remove_file(svg).unwrap();
        assert!(world.run(&format!("log --user {name}")).ok().out.lines().count() > 2);
        assert!(proves(&mut world, &key, |w, code| {
            let quoted = format!("\"{}\"", name.replace('\'', "\\'"));
            let code = format!("\"{code}\"");
            let files = w.folder.path().join("config.toml");
            std::fs::write(files, "").unwrap();
            login(w, "radius", &[("USER_NAME", &*quoted), ("USER_PASSWORD", &code)], "")
        }));
    }
    assert_eq!(world.run("list-status --group d'or --format csv").ok().out.lines().count(), 6);
    let all = world.run("list-status --format csv").ok().out;
    let plan = world.run_with("disable --from - --dry-run --json", &all).ok().json();
    assert_eq!(plan["users"].as_array().unwrap().len(), 5);
    for name in ["'", "'+x", "''x", "a'", "a'--", &format!("{long}x")] {
        assert_eq!(world.run(&format!("add-user {name}")).code, 65, "{name}");
    }
    // A hint is a line for a shell.
    let ran = world.run_with("verify --json o'brien@example.com", "");
    assert!(ran.err.contains(r"mfactl verify -- 'o'\\''brien@example.com'"), "{}", ran.err);
}

/// A site where alice is stored by both forms of the name, and has a device by each.
fn both_forms() -> World {
    let world = World::new();
    for name in ["alice", "alice@corp.example"] {
        let _ = world.active(name);
    }
    world.configure(SITE);
    world
}

/// The words in which somebody is named, without the whole name.
fn names_the_other(text: &str) -> bool {
    let rest = text.replace("alice@corp.example", "").replace("alice%40corp.example", "");
    rest.contains("alice")
}

#[test]
fn w5_every_answer_names_the_user_who_is_stored() {
    for line in [
        "show-user",
        "show-qr --active",
        "show-qr",
        "show-qr --device none",
        "log --user",
        "edit-user --language en",
        "edit-user --language en --dry-run",
        "edit-user --relabel none=other",
        "enrol --dry-run",
        "enrol --device second --no-confirm",
        "enrol",
        "unlock",
        "enable",
        "enable --dry-run",
        "resync",
        "undo --list",
        "undo",
        "undo --dry-run",
        "undo --yes",
        "recovery-codes",
        "recovery-codes --dry-run",
        "bypass",
        "bypass --dry-run",
        "bypass --revoke",
        "bypass --revoke --dry-run",
        "diagnose",
        "require-mfa",
        "require-mfa --not",
        "require-mfa --dry-run",
        "set-password",
        "sign-in",
        "verify",
        "verify 123456",
        "force-new-password",
        "force-new-password --dry-run",
        "force-new-password --yes",
        "reset",
        "reset --dry-run",
        "reset --yes",
        "reset --yes --no-enrol",
        "reset --device none --yes",
        "disable",
        "disable --dry-run",
        "disable --yes",
        "delete",
        "delete --dry-run",
        "delete --yes",
        "delete --device none --yes",
        "remove-user",
        "remove-user --dry-run",
        "remove-user --yes",
        "remove-user --damaged --yes",
    ] {
        let mut world = both_forms();
        for output in ["", "--json"] {
            for answers in [None, Some(vec!["no"])] {
                world.answers = answers;
                if world.listed("alice@corp.example").is_null() {
                    continue;
                }
                let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
                let line = if more == "123456" {
                    format!("{verb} {output} CORP\\Alice@Corp.example {more}")
                } else {
                    format!("{verb} {more} {output} alice@corp.example")
                };
                let ran = world.run_with(&line, "000000");
                let said = format!("{}{}{}", ran.out, ran.err, ran.prompts.join("\n"));
                assert!(!names_the_other(&said), "{line}: {ran:?}");
                assert!(ran.code != 0 || said.contains("alice@corp.example"), "{line}: {ran:?}");
            }
        }
    }
}

#[test]
fn w5_logins_are_answered_for_the_user_who_is_stored() {
    let world = both_forms();
    let long = "alice@corp.example";
    let ran = world.run_with(&format!("sign-in --json {long}"), r#"{"password":"x"}"#).json();
    assert_eq!((&ran["user"], &ran["outcome"]), (&long.into(), &"rejected".into()));
    assert_eq!(world.verify(long, "000000").json()["user"], long);
    let _ = world.run(&format!("delete --yes {long}")).ok();
    let ran = world.verify(long, "000000");
    assert!(ran.err.contains(long) && !names_the_other(&ran.err), "{ran:?}");
    let input = format!("{long}\t000000\n");
    let ran = world.run_with("verify --batch", &input).ok().json();
    assert_eq!((&ran["user"], &ran["code"]), (&long.into(), &"not_enabled".into()));
}

#[test]
fn w5_what_takes_away_from_a_user_needs_the_name_as_it_is_stored() {
    let mut world = both_forms();
    let _ = world.run("remove-user --yes -- alice@corp.example").ok();
    let before = world.sql("SELECT count(*) FROM events");
    for typed in ["alice@corp.example", "CORP\\alice"] {
        for verb in ["remove-user", "delete", "reset", "disable", "force-new-password"] {
            for (option, answers) in [
                ("--yes", None),
                ("--yes", Some(vec!["y"])),
                ("--json", Some(vec!["y"])),
                ("", None),
            ] {
                world.answers = answers;
                let ran = world.run(&format!("{verb} {option} -- {typed}"));
                assert_eq!(ran.code, 67, "{verb} {option} {typed}: {ran:?}");
                let hint = format!("the user is stored as alice: mfactl {verb} -- alice");
                assert!(ran.err.contains(&hint), "{ran:?}");
            }
            world.answers = Some(vec!["no"]);
            let more = if verb == "reset" { "--no-enrol" } else { "" };
            let ran = world.run(&format!("{verb} {more} -- {typed}"));
            assert_eq!(ran.code, 1, "{verb} {typed}: {ran:?}");
            assert!(ran.err.contains(&format!("{typed} is stored as alice")), "{ran:?}");
        }
    }
    world.answers = None;
    assert_eq!(world.sql("SELECT count(*) FROM events"), before);
    let _ = world.run("remove-user --dry-run -- alice@corp.example").ok();
    world.answers = Some(vec!["alice"]);
    let ran = world.run("remove-user -- alice@corp.example").ok();
    assert!(ran.prompts[0].contains("type the name alice"), "{ran:?}");
    assert_eq!(world.run("remove-user -- alice@corp.example").code, 67);
}
