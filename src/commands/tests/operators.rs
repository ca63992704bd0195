//! Roles, protected users, and verbs that need two operators.

use crate::testing::{CommandResult, World};

/// Users of every Linux system, with their roles in [`ROLES`].
const HELPDESK: u32 = 1;
const OTHER_HELPDESK: u32 = 8;
const AUDITOR: u32 = 2;
const ADMIN: u32 = 3;
const OTHER_ADMIN: u32 = 5;
const SERVICE: u32 = 65534;
const NO_ROLE: u32 = 6;

const ROLES: &str = "[roles]
helpdesk = [\"daemon\", \"%mail\"]
auditor = [\"bin\"]
admin = [\"sys\", \"games\"]
service = [\"nobody\"]
";
const TWO: &str = "second_operator = [\"reset\", \"disable\", \"enable\", \"delete\", \"remove-user\", \
    \"force-new-password\", \"unlock\", \"require-mfa\", \"bypass\", \"edit-user\", \"show-qr\", \"recovery-codes\"]
";

fn world(more: &str) -> World {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("add-user bob").ok();
    world.configure(&format!("{ROLES}{more}"));
    world
}

/// [`world`] with alice protected.
fn protected_world(more: &str) -> World {
    let world = world(more);
    let _ = by(&world, ADMIN, "edit-user alice --protected").ok();
    world
}

fn by(world: &World, uid: u32, line: &str) -> CommandResult {
    world.uid.set(uid);
    world.run(line)
}

/// Returns the request ID.
fn request(world: &World, uid: u32, line: &str) -> String {
    let ran = by(world, uid, &format!("{line} --json")).ok().json();
    assert_eq!(
        (ran["changed"].as_bool(), ran["schema"].as_str()),
        (Some(false), Some("mfactl.request/1"))
    );
    ran["request"].as_str().unwrap().to_owned()
}

fn word(ran: &CommandResult) -> (u8, String) {
    (ran.code, ran.error())
}

fn not_permitted() -> (u8, String) {
    (77, "not_permitted".to_owned())
}

#[test]
fn without_roles_access_to_store_and_key_allows_every_verb() {
    let world = World::new();
    let _ = by(&world, NO_ROLE, "add-user alice --protected").ok();
    let _ = by(&world, HELPDESK, "reset alice --yes --no-enrol").ok();
    let _ = by(&world, AUDITOR, "remove-user alice --yes").ok();
}

#[test]
fn each_operator_runs_the_verbs_of_their_roles() {
    let world = world("");
    for (uid, line, code) in [
        (HELPDESK, "unlock alice --json", 0),
        (OTHER_HELPDESK, "unlock alice --json", 0),
        (HELPDESK, "remove-user alice --yes --json", 77),
        (HELPDESK, "verify alice --json", 77),
        (AUDITOR, "list-status --json", 0),
        (AUDITOR, "show-user alice --json", 0),
        (AUDITOR, "unlock alice --json", 77),
        (SERVICE, "unlock alice --json", 77),
        (SERVICE, "list-status --json", 77),
        (NO_ROLE, "list-status --json", 77),
        (NO_ROLE, "help reset", 0),
        (NO_ROLE, "help", 0),
        (NO_ROLE, "man", 0),
        (ADMIN, "backup --json /nowhere/x", 73),
        (0, "unlock alice --json", 0),
    ] {
        let ran = by(&world, uid, line);
        assert_eq!(ran.code, code, "{uid} {line}: {ran:?}");
        assert_eq!(word(&ran) == not_permitted(), code == 77, "{uid} {line}: {ran:?}");
    }
    world.uid.set(SERVICE);
    assert_eq!(world.verify("alice", "000000").json()["outcome"], "rejected");
    let ran = by(&world, AUDITOR, "reset alice");
    assert!(
        ran.err.contains("reset needs the role helpdesk or admin; you have auditor"),
        "{ran:?}"
    );
}

#[test]
fn a_role_is_checked_before_anything_is_opened_or_prompted() {
    let mut world = World::empty();
    world.configure(ROLES);
    world.answers = Some(vec!["y"]);
    let ran = by(&world, AUDITOR, "reset nobody-at-all --json");
    assert_eq!(word(&ran), not_permitted());
    assert!(ran.prompts.is_empty());
}

#[test]
fn sudo_uid_counts_for_root_only() {
    let world = world("");
    world.sudo_uid.set(Some(AUDITOR));
    assert_eq!(word(&by(&world, 0, "unlock alice --json")), not_permitted());
    let _ = by(&world, 0, "list-status").ok();
    world.sudo_uid.set(Some(0));
    assert_eq!(word(&by(&world, AUDITOR, "unlock alice --json")), not_permitted());
    let _ = by(&world, 0, "unlock alice").ok();
}

#[test]
fn s4_a_login_service_is_answered_by_the_roles_of_the_operator_behind_sudo() {
    let mut world = world("");
    for (name, value) in [("PAM_TYPE", "auth"), ("PAM_USER", "alice")] {
        world.variables.push((name.to_owned(), value.into()));
    }
    let folder = world.folder.path().display();
    let (store, config) = (world.engine.location(), format!("{folder}/config.toml"));
    let files =
        format!("--store {} --key-file {folder}/key/mfactl.key --config {config}", store.display());
    let pam = format!("{files} verify --from pam");
    let ask = |uid, sudo| {
        world.uid.set(uid);
        world.sudo_uid.set(sudo);
        world.run_with(&pam, "000000").code
    };
    let events = || world.sql("SELECT count(*) FROM events");
    let before = events();
    for sudo in [HELPDESK, AUDITOR, NO_ROLE, u32::MAX] {
        assert_eq!(ask(0, Some(sudo)), 77, "{sudo}");
    }
    assert_eq!(ask(AUDITOR, Some(0)), 77, "another uid can't choose its operator");
    assert_eq!(events(), before);
    for (uid, sudo) in
        [(0, None), (0, Some(0)), (0, Some(ADMIN)), (0, Some(SERVICE)), (SERVICE, Some(AUDITOR))]
    {
        assert_eq!(ask(uid, sudo), 1, "{uid} {sudo:?}");
    }
}

#[test]
fn the_configuration_can_give_a_verb_to_other_roles() {
    let world =
        world("[roles.verbs]\nbypass = [\"admin\"]\nverify = [\"service\", \"helpdesk\"]\n");
    let line = "bypass alice --for 1h --json --reveal-secrets";
    assert_eq!(word(&by(&world, HELPDESK, line)), not_permitted());
    let _ = by(&world, ADMIN, line).ok();
    world.uid.set(HELPDESK);
    assert_eq!(world.verify("alice", "000000").code, 1);
}

#[test]
fn wrong_role_settings_are_refused_with_their_key() {
    for (text, words) in [
        ("[roles]\nboss = []\n", "line 2: unknown key, expected one of `helpdesk`"),
        (
            "[roles]\nadmin = [\"nobody-at-all\"]\n",
            "roles.admin, entry 1: names a user who does not exist",
        ),
        (
            "[roles]\nadmin = [\"%nobody-at-all\"]\n",
            "roles.admin, entry 1: names a group that does not exist",
        ),
        ("[roles.verbs]\nrest = []\n", "roles.verbs: names no verb that takes a role"),
        ("[roles.verbs]\nhelp = []\n", "roles.verbs: names no verb"),
        ("[roles.verbs]\nreset = [\"boss\"]\n", "roles.verbs.reset: names no role"),
        (
            "[roles]\nsecond_operator = [\"verify\"]\n",
            "roles.second_operator: names a verb that changes no user",
        ),
    ] {
        let world = World::new();
        world.configure(text);
        let ran = world.run("list-status");
        assert_eq!(ran.code, 78, "{text}: {ran:?}");
        assert!(ran.err.contains(words), "{text}: {ran:?}");
        let _ = world.run("help").ok();
    }
}

#[test]
fn a_protected_user_is_changed_by_an_admin_only() {
    let world = protected_world("");
    let before = world.sql("SELECT count(*) FROM events");
    for line in [
        "reset alice --yes --no-enrol",
        "disable alice --yes",
        "enable alice",
        "delete alice --yes",
        "unlock alice",
        "undo alice --yes",
        "force-new-password alice --yes",
        "require-mfa alice",
        "recovery-codes alice --reveal-secrets",
        "bypass alice --for 1h --reveal-secrets",
        "edit-user alice --no-protected",
        "enrol alice --device tablet --no-confirm --create",
        "show-qr alice --active --reveal-secrets",
        "disable alice --yes --dry-run",
    ] {
        let ran = by(&world, HELPDESK, &format!("{line} --json"));
        assert_eq!(word(&ran), not_permitted(), "{line}: {ran:?}");
        assert_eq!(ran.out, "", "{line}");
        assert!(ran.err.contains("alice is protected"), "{ran:?}");
    }
    world.uid.set(HELPDESK);
    let ran = world.run_with("disable --from - --yes --json", "bob\nalice\n");
    assert_eq!(word(&ran), not_permitted(), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM events"), before);
    let _ = by(&world, HELPDESK, "unlock bob").ok();
    world.uid.set(SERVICE);
    assert_eq!(world.verify("alice", "000000").code, 1, "her own sign-in is hers");
    let _ = by(&world, ADMIN, "edit-user alice --no-protected").ok();
    let _ = by(&world, HELPDESK, "disable alice --yes").ok();
}

#[test]
fn two_operators_together_change_a_protected_user() {
    for (line, after) in [
        ("reset alice --yes --no-enrol", "not_enabled"),
        ("disable alice", "disabled"),
        ("delete alice --device phone", "not_enabled"),
        ("force-new-password alice --old-password-opens", "not_enabled"),
        ("unlock alice", "enabled"),
        ("require-mfa alice --effective 2026-03-01", "enabled"),
        ("edit-user alice --display-name \u{e9}", "enabled"),
        ("remove-user alice --yes", ""),
    ] {
        let world = protected_world(TWO);
        let status = || world.listed("alice")["status"].as_str().unwrap_or_default().to_owned();
        // Some verbs may be requested by an admin only.
        let first = if line.starts_with("remove-user") { OTHER_ADMIN } else { HELPDESK };
        let id = request(&world, first, &format!("{line} --ticket T-1"));
        assert_eq!(
            world.sql("SELECT outcome, ticket FROM events ORDER BY seq DESC LIMIT 1"),
            "requested|T-1"
        );
        world.uid.set(ADMIN);
        assert_eq!(status(), "enabled", "{line}: nothing was done yet");
        assert_eq!(by(&world, ADMIN, &format!("approve {id}")).code, 64, "no terminal");
        let _ = by(&world, ADMIN, &format!("approve {id} --yes --json")).ok();
        assert_eq!(status(), after, "{line}");
        assert_eq!(world.sql("SELECT count(*) FROM requests"), "0", "{line}");
        let events =
            world.sql("SELECT verb, outcome, ticket FROM events ORDER BY seq DESC LIMIT 2");
        let verb = line.split(' ').next().unwrap();
        let own = format!("{verb}|done|T-1\n");
        let expected = if line.starts_with("unlock") { "approve|approved|\n" } else { &own };
        assert!(events.starts_with(expected.trim_end()), "{events}");
        assert!(events.contains("approve|approved|"), "{events}");
        let ran = by(&world, ADMIN, &format!("approve {id} --yes --json"));
        assert_eq!(word(&ran), (67, "request_not_found".to_owned()), "{line}");
    }
}

#[test]
fn the_same_operator_twice_or_two_without_an_admin_are_refused() {
    let world = protected_world(TWO);
    let id = request(&world, HELPDESK, "disable alice");
    let approve = format!("approve {id} --yes --json");
    for (uid, words) in [
        (HELPDESK, "you requested"),
        (OTHER_HELPDESK, "one of the two operators must be an admin"),
        (AUDITOR, "approve needs the role helpdesk or admin"),
    ] {
        let ran = by(&world, uid, &approve);
        assert_eq!(word(&ran), not_permitted(), "{uid}: {ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    let _ = by(&world, ADMIN, &approve).ok();
    // In the other order one of the two is also an admin.
    let id = request(&world, ADMIN, "enable alice");
    assert_eq!(word(&by(&world, ADMIN, &format!("approve {id} --yes --json"))), not_permitted());
    let _ = by(&world, HELPDESK, &format!("approve {id} --yes")).ok();
    assert_eq!(by(&world, ADMIN, "list-status --json").json()["users"][0]["status"], "enabled");
}

#[test]
fn only_who_may_run_a_verb_may_approve_it() {
    let world = protected_world(&format!("{TWO}[roles.verbs]\ndisable = [\"admin\"]\n"));
    let id = request(&world, ADMIN, "disable alice");
    let ran = by(&world, HELPDESK, &format!("approve {id} --yes"));
    assert!(ran.code == 77 && ran.err.contains("disable needs the role admin"), "{ran:?}");
    let _ = by(&world, OTHER_ADMIN, &format!("approve {id} --yes")).ok();
}

#[test]
fn root_approving_alone_prints_a_warning() {
    let world = protected_world(TWO);
    let id = request(&world, 0, "disable alice");
    assert_eq!(word(&by(&world, 0, &format!("approve {id} --yes --json"))), not_permitted());
    assert_eq!(
        word(&by(&world, ADMIN, &format!("approve {id} --alone --yes --json"))),
        not_permitted()
    );
    world.sudo_uid.set(Some(ADMIN));
    assert_eq!(
        word(&by(&world, 0, &format!("approve {id} --alone --yes --json"))),
        not_permitted()
    );
    world.sudo_uid.set(None);
    let _ = by(&world, 0, &format!("approve {id} --alone --yes")).ok();
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'approved_alone'"), "1");
    assert_eq!(world.listed("alice")["status"], "disabled");
}

#[test]
fn a_request_expires_after_a_day_and_is_made_once() {
    let world = protected_world(TWO);
    let id = request(&world, HELPDESK, "disable alice");
    assert_eq!(request(&world, HELPDESK, "disable alice --yes"), id);
    assert_ne!(request(&world, ADMIN, "disable alice"), id);
    world.wait(24 * 3600);
    let ran = by(&world, ADMIN, &format!("approve {id} --yes --json"));
    assert_eq!(word(&ran), (67, "request_not_found".to_owned()));
    assert_eq!(by(&world, ADMIN, "approve --json").ok().json()["summary"]["requests"], 0);
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "2");
    request(&world, HELPDESK, "disable alice");
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "1");
}

#[test]
fn open_requests_are_listed_with_requester_and_command() {
    let world = protected_world(TWO);
    assert_eq!(
        by(&world, HELPDESK, "approve --json").ok().json()["requests"],
        serde_json::json!([])
    );
    let id = request(&world, HELPDESK, "reset alice --no-enrol --reason lost");
    let list = by(&world, ADMIN, "approve --json").ok().json();
    let line = &list["requests"][0];
    assert_eq!((line["request"].as_str(), line["operator_uid"].as_u64()), (Some(&*id), Some(1)));
    assert_eq!(line["words"], serde_json::json!(["--no-enrol", "--reason=lost", "--", "alice"]));
    let shown = by(&world, ADMIN, "approve").ok().out;
    assert!(shown.contains("reset --no-enrol --reason=lost -- alice"), "{shown}");
    for bad in ["abc", "xyzxyzxy", "../../.."] {
        assert_eq!(by(&world, ADMIN, &format!("approve {bad}")).code, 65, "{bad}");
    }
}

#[test]
fn the_second_operator_confirms_and_sees_the_secret() {
    let mut world = protected_world(TWO);
    let reset =
        request(&world, HELPDESK, "reset alice --output /nowhere/alice.png --reveal-secrets");
    let bypass = request(&world, HELPDESK, "bypass alice --for 1h");
    let ran = by(&world, ADMIN, &format!("approve {bypass} --yes --json"));
    assert_eq!(ran.code, 64, "nowhere to show it: {ran:?}");
    let ran = by(&world, ADMIN, &format!("approve {bypass} --yes --json --reveal-secrets")).ok();
    assert!(ran.json()["code"].is_string(), "{ran:?}");
    world.answers = Some(vec!["n"]);
    let ran = by(&world, ADMIN, &format!("approve {reset} --reveal-secrets"));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.prompts[0]
            .starts_with("uid 1 requested at 2026-01-01T00:00:00Z: mfactl reset -- alice.")
    );
    world.answers = Some(vec!["y"]);
    let ran = by(&world, ADMIN, &format!("approve {reset} --reveal-secrets --json")).ok();
    assert!(ran.json()["uri"].as_str().unwrap().starts_with("otpauth://"), "{ran:?}");
    assert_eq!(ran.prompts.len(), 1, "asked once: {ran:?}");
}

#[test]
fn dry_runs_and_unprotected_users_need_no_second_operator() {
    let world = protected_world(TWO);
    let _ = by(&world, ADMIN, "disable alice --dry-run").ok();
    let _ = by(&world, HELPDESK, "require-mfa bob").ok();
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "0");
    world.uid.set(ADMIN);
    let ran = world.run_with("require-mfa --from - --yes --json", "bob\nalice\n");
    assert_eq!(word(&ran), not_permitted(), "a list makes no request: {ran:?}");
}

#[test]
fn a_request_does_not_apply_to_a_new_user_of_the_same_name() {
    let world = protected_world(TWO);
    let disable = request(&world, HELPDESK, "disable alice");
    world.configure(ROLES);
    let _ = by(&world, ADMIN, "remove-user alice --yes").ok();
    let ran = by(&world, ADMIN, &format!("approve {disable} --yes --json"));
    assert_eq!(ran.error(), "request_not_found", "{ran:?}");
    let _ = by(&world, ADMIN, "add-user alice").ok();
    world.configure(&format!("{ROLES}{TWO}"));
    let _ = by(&world, ADMIN, "edit-user alice --protected").ok();
    let delete = request(&world, HELPDESK, "delete alice");
    world.configure(ROLES);
    let _ = by(&world, ADMIN, "edit-user alice --rename ann").ok();
    assert_eq!(by(&world, ADMIN, &format!("approve {delete} --yes")).code, 67);
    let _ = by(&world, ADMIN, "add-user alice").ok();
    let ran = by(&world, ADMIN, &format!("approve {delete} --yes"));
    assert!(ran.code == 77 && ran.err.contains("is not the user for whom"), "{ran:?}");
}

#[test]
fn an_erased_user_leaves_no_request_behind() {
    let world = protected_world(TWO);
    request(&world, HELPDESK, "disable alice --reason spindle");
    let id = request(&world, ADMIN, "remove-user alice --erase --reason straw");
    let _ = by(&world, OTHER_ADMIN, &format!("approve {id} --yes")).ok();
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "0");
    let rows = world.sql("SELECT * FROM events");
    assert!(rows.contains("remove-user") && rows.contains("approve"), "{rows}");
    for word in ["alice", "spindle", "straw"] {
        assert!(!rows.contains(word), "{word}");
    }
    let crate::testing::Engine::Sqlite(path) = &world.engine else { return };
    let file = std::fs::read(path).unwrap();
    for word in ["alice", "spindle", "straw"] {
        assert!(!file.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
    }
}
