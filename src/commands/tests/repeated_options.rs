//! A hint that repeats a command keeps its options, and a plan refuses what its list would refuse.

use crate::testing::{CommandResult, World};

/// Users of every Linux system.
const HELPDESK: u32 = 1;
const ADMIN: u32 = 3;

const ROLES: &str = "[roles]
helpdesk = [\"daemon\"]
admin = [\"sys\"]
";
const TWO: &str = "second_operator = [\"disable\", \"reset\"]\n";

/// Alicia, and victor who is protected.
fn world(more: &str) -> World {
    let world = World::new();
    let _ = world.active("alicia");
    let _ = world.active("victor");
    let _ = world.run("edit-user victor --protected").ok();
    world.configure(&format!("{ROLES}{more}"));
    world.uid.set(HELPDESK);
    world
}

/// Runs the command at the end of the hint, which may not have words that need a shell.
fn pasted(world: &World, ran: &CommandResult, uid: u32) -> CommandResult {
    let (_, line) = ran.err.rsplit_once(": mfactl ").unwrap_or_else(|| panic!("{ran:?}"));
    world.uid.set(uid);
    world.run(line.trim())
}

#[test]
fn w18_a_plan_refuses_protected_users_as_the_list_does() {
    let list = "victor\nalicia\n";
    for (more, words) in [(TWO, "disable needs a second operator"), ("", "only an admin may")] {
        let world = world(more);
        let wet = world.run_with("disable --from - --yes", list);
        let dry = world.run_with("disable --from - --dry-run", list);
        assert_eq!((wet.code, &wet.err), (77, &dry.err), "{wet:?}");
        assert!(dry.code == 77 && dry.err.contains(words), "{dry:?}");
        let plan = world.run_with("disable --from - --dry-run --json", "alicia\n").ok().json();
        assert_eq!(plan["users"][0]["result"], "would_change");
        if more == TWO {
            world.uid.set(ADMIN);
            assert_eq!(world.run_with("disable --from - --dry-run", list).code, 77);
            let _ = world.run("disable victor --dry-run").ok();
        }
    }
}

#[test]
fn d5_a_hint_for_an_admin_keeps_the_options() {
    let world = world("");
    let ran = world.run("edit-user victor --email v@example.com --add-group vpn");
    assert_eq!(ran.code, 77, "{ran:?}");
    let line = "mfactl edit-user --email v@example.com --add-group vpn -- victor";
    assert!(ran.err.contains(line), "{ran:?}");
    let _ = pasted(&world, &ran, ADMIN).ok();
    assert_eq!(world.sql("SELECT email FROM users WHERE name = 'victor'"), "v@example.com");
    world.uid.set(HELPDESK);
    let ran = world.run_with("disable --from - --ticket T-1 --yes --max-changes 9", "victor\n");
    assert!(ran.err.contains("mfactl disable --ticket T-1 -- victor"), "{ran:?}");
}

#[test]
fn d5_a_hint_for_the_stored_name_keeps_the_options() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --email am@example.com").ok();
    world.configure("[names]\nstrip_realm = [\"corp.example\"]\n");
    let ran = world.run("reset alice@corp.example --device phone --no-enrol --ticket T-1 --yes");
    let line = "mfactl reset --device phone --no-enrol --ticket T-1 -- alice";
    assert!(ran.code == 67 && ran.err.contains(line), "{ran:?}");
    let ran = world.run("edit-user am@example.com --add-group vpn --yes");
    assert!(ran.err.contains("mfactl edit-user --add-group vpn -- alice"), "{ran:?}");
    let _ = pasted(&world, &ran, 1000).ok();
    assert_eq!(world.sql("SELECT groups FROM users"), "vpn");
}

#[test]
fn d5_the_option_that_can_not_be_combined_is_one_that_was_given() {
    let world = world("");
    for option in ["--add-group z", "--remove-group z", "--group z", "--email a@b.example"] {
        let (name, _) = option.split_once(' ').unwrap();
        let field = if name == "--email" { "email" } else { "groups" };
        let ran = world.run(&format!("edit-user alicia --clear {field} {option}"));
        let words = format!("{name} and --clear {field} can't be combined");
        assert!(ran.code == 64 && ran.err.contains(&words), "{ran:?}");
    }
}

#[test]
fn a_hint_for_another_name_keeps_the_file_that_was_named() {
    let world = World::new();
    let _ = world.pending("alice", "");
    let _ = world.run("edit-user alice --email am@example.com").ok();
    let folder = world.folder.path().display();
    for (line, repeated) in [
        (
            format!("reset am@example.com --handout {folder}/a.pdf --lang fr --app okta --yes"),
            format!("mfactl reset --app okta --handout {folder}/a.pdf --lang fr -- alice"),
        ),
        (
            format!("recovery-codes am@example.com --output {folder}/codes --dry-run --yes"),
            format!("mfactl recovery-codes --output {folder}/codes --dry-run -- alice"),
        ),
    ] {
        let ran = world.run(&line);
        assert_eq!(ran.code, 67, "{ran:?}");
        let words: String = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&repeated), "{repeated} is not in {words}");
    }
    // A page of a protected user.
    let world = self::world("");
    world.uid.set(ADMIN);
    let _ = world.run("enrol victor --device tablet --no-confirm --reveal-secrets").ok();
    world.uid.set(HELPDESK);
    let page = world.folder.path().join("v.html").display().to_string();
    let ran = world.run(&format!("handout victor --output {page} --paper letter"));
    assert_eq!(ran.code, 77, "{ran:?}");
    let line = format!("mfactl handout --output {page} --paper letter -- victor");
    assert!(ran.err.contains(&line), "{line}: {ran:?}");
    let _ = pasted(&world, &ran, ADMIN).ok();
}
