//! Hardware tokens: added, given to users, taken back, removed.

mod adding;
mod removing;

use zeroize::Zeroizing;

use crate::domain::factor::totp::{Algorithm, Parameters, code_at};
use crate::domain::secret::Secret;
use crate::testing::{CommandResult, World};

/// A TOTP token, an HOTP token, and a YubiKey.
const TOTP: &str = "MFA0001";
const HOTP: &str = "MFA0002";
const YUBIKEY: &str = "ccccccnrhbfu";
const OATH: &str = include_str!("../../../tests/samples/tokens/privacyidea.csv");
const YUBICO: &str = "Yubico OTP,2/1/2024 3:04 AM,1,ccccccnrhbfu,010203040506,\
                      00112233445566778899aabbccddeeff,,,0,0,0,0,0,0,0,0,0,0\n";
/// Codes of the YubiKey, in their order.
const TOUCHES: [&str; 3] = [
    "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv",
    "ccccccnrhbfukhhftknhcteblfngfekrdnvjidcfjflf",
    "ccccccnrhbfuheukivdbferklnbfjndglkjgnkvfcebn",
];

/// A world with alice, bob, four OATH tokens and a YubiKey.
pub(super) fn stocked() -> World {
    let world = World::new();
    stock(&world);
    let _ = world.run("add-user alice").ok();
    let _ = world.run("add-user bob").ok();
    world
}

/// Fills the inventory.
pub(super) fn stock(world: &World) {
    let _ = world.run_with("add-tokens - --yes", OATH).ok();
    let yubico = format!("LOGGING START,2/1/2024 3:04 AM\n{YUBICO}");
    let _ = world.run_with("add-tokens - --yes --allow-known", &yubico).ok();
}

fn secret(bytes: &[u8]) -> Secret {
    Secret::new(Zeroizing::new(bytes.to_vec()))
}

/// The code of the TOTP token, so many steps from now.
fn totp(world: &World, steps: i64) -> String {
    world.code(&secret(b"mfactl-sample-alice!"), steps)
}

/// The code of the HOTP token at a counter.
fn hotp(counter: i64) -> String {
    let by_counter = Parameters { algorithm: Algorithm::Sha1, digits: 6, period: 1 };
    code_at(&secret(b"mfactl-sample-carol!"), by_counter, counter)
}

fn outcome(ran: &CommandResult) -> String {
    ran.json()["outcome"].as_str().unwrap_or_default().to_owned()
}

/// State and user of a token.
fn listed(world: &World, serial: &str) -> (String, Option<String>) {
    let all = world.run("list-tokens --json").ok().json();
    let tokens = all["tokens"].as_array().unwrap();
    let token = tokens.iter().find(|token| token["serial"] == serial).expect("the token");
    (token["state"].as_str().unwrap().to_owned(), token["user"].as_str().map(str::to_owned))
}

fn free() -> (String, Option<String>) {
    ("free".to_owned(), None)
}

fn of(user: &str, state: &str) -> (String, Option<String>) {
    (state.to_owned(), Some(user.to_owned()))
}

fn sound(world: &World) {
    let _ = world.run("verify-log").ok();
    let _ = world.run("doctor --json");
}

#[test]
fn list_tokens_has_the_fields_of_the_contract_in_their_order() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let ran = world.run("list-tokens --json").ok();
    assert!(ran.out.starts_with(
        "{\"schema\":\"mfactl.list-tokens/1\",\"tokens\":[\n{\"serial\":\"ccccccnrhbfu\",\"kind\":\"yubikey\",\
         \"state\":\"free\",\"user\":null,\"model\":\"YubiKey\",\"added_at\":\"2026-01-01T00:00:00Z\"}"
    ), "{ran:?}");
    assert!(ran.out.contains(
        "{\"serial\":\"MFA0001\",\"kind\":\"totp\",\"state\":\"pending\",\"user\":\"alice\",\"model\":null,"
    ), "{ran:?}");
    let list = |line: &str| {
        let listed = world.run(&format!("list-tokens --json {line}")).ok().json();
        let tokens = listed["tokens"].as_array().unwrap().clone();
        tokens
            .iter()
            .map(|t| t["serial"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(list("--state free --kind totp"), "MFA0003");
    assert_eq!(list("--state pending"), "MFA0001");
    assert_eq!(list("--state assigned"), "MFA0001");
    assert_eq!(list("--kind yubikey"), "ccccccnrhbfu");
    assert_eq!(list("--match ALI"), "MFA0001");
    assert_eq!(list("--match mfa000 --kind hotp"), "MFA0002 MFA0004");
    assert_eq!(list("--state lost"), "");
    let table = world.run("list-tokens").ok();
    assert!(table.out.contains("5 tokens: 4 free, 1 assigned\n"), "{table:?}");
    let csv = world.run("list-tokens --format csv --state pending").ok();
    assert_eq!(
        csv.out.replace("\r\n", "\n"),
        "serial,kind,state,user,model,added_at\nMFA0001,totp,pending,alice,,2026-01-01T00:00:00Z\n"
    );
    let lines = world.run("list-tokens --format jsonl").ok();
    assert_eq!(lines.out.lines().count(), 5);
}

#[test]
fn an_auditor_lists_tokens_and_changes_none() {
    let world = stocked();
    world.configure("[roles]\nauditor = [\"daemon\"]\nhelpdesk = [\"bin\"]\nadmin = [\"sys\"]\n");
    world.uid.set(1);
    let _ = world.run("list-tokens").ok();
    for line in ["assign MFA0001 alice", "unassign MFA0001 --yes", "remove-token MFA0001 --yes"] {
        assert_eq!(world.run(line).code, 77, "{line}");
    }
    world.uid.set(2);
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let _ = world.run("unassign MFA0001 --yes").ok();
    assert_eq!(world.run("remove-token MFA0001 --yes").code, 77);
    assert_eq!(world.run_with("add-tokens - --yes", OATH).code, 77);
    world.uid.set(3);
    let _ = world.run("remove-token MFA0001 --yes").ok();
}

#[test]
fn a_token_is_pending_until_its_first_code() {
    let world = stocked();
    for (serial, user, code) in [
        (TOTP, "alice", totp(&world, 0)),
        (HOTP, "bob", hotp(3)),
        (YUBIKEY, "alice", TOUCHES[0].to_owned()),
    ] {
        let assigned = world.run(&format!("assign {serial} {user} --json --no-confirm")).ok();
        let json = assigned.json();
        assert_eq!(json["schema"], "mfactl.assign/1");
        assert_eq!(
            (&json["serial"], &json["user"], &json["changed"]),
            (&serial.into(), &user.into(), &true.into())
        );
        assert!(json["consequences"].is_array());
        let label = if serial == YUBIKEY { "yubikey" } else { "token" };
        assert_eq!(json["device"], label);
        assert_eq!(listed(&world, serial), of(user, "pending"));
        assert_eq!(world.verify(user, "000000").code, 1);
        let proved = world.verify(user, &code).ok();
        assert_eq!(
            (outcome(&proved), proved.json()["device"].as_str()),
            ("confirmed".into(), Some(label))
        );
        assert_eq!(listed(&world, serial), of(user, "active"));
        assert_eq!(outcome(&world.verify(user, &code)), "replayed");
    }
    sound(&world);
}

#[test]
fn a_token_that_was_not_confirmed_in_time_is_handed_out_again() {
    let world = stocked();
    let _ = world.run(&format!("assign {TOTP} alice --no-confirm")).ok();
    let _ = world.run("enrol bob --no-confirm").ok();
    world.wait(40 * 24 * 3600);
    let ran = world.verify("alice", &totp(&world, 0));
    assert_eq!(ran.error(), "pending_expired");
    let hint = format!("mfactl unassign -- {TOTP}; then: mfactl assign -- {TOTP} alice");
    assert!(ran.err.contains(&hint), "{ran:?}");
    let report = world.run_with("diagnose alice --json", &totp(&world, 0)).ok().json();
    assert_eq!(
        (&report["finding"], &report["next"]),
        (&"expired".into(), &format!("mfactl unassign -- {TOTP}").into())
    );
    let phone = world.verify("bob", "000000");
    assert!(phone.err.contains("mfactl enrol -- bob"), "{phone:?}");
    let report = world.run_with("diagnose bob --json", "000000").ok().json();
    assert_eq!(report["next"], "mfactl enrol --device phone -- bob");
    let _ = world.run(&format!("unassign {TOTP} --yes")).ok();
    let _ = world.run(&format!("assign {TOTP} alice --no-confirm")).ok();
    assert_eq!(world.verify("alice", &totp(&world, 0)).ok().json()["outcome"], "confirmed");
}

#[test]
fn the_first_code_is_asked_for_at_a_terminal_and_read_from_a_pipe() {
    let mut world = stocked();
    let piped = world.run_with("assign MFA0001 alice", &format!("{}\n", totp(&world, 0))).ok();
    assert!(
        piped.out.contains("alice: token MFA0001 assigned as token; MFA is enabled"),
        "{piped:?}"
    );
    world.terminal = Some(crate::env::Size { columns: 100, rows: 40 });
    let code: &'static str = Box::leak(hotp(0).into_boxed_str());
    world.answers = Some(vec!["y", "12345", "000000", code]);
    let ran = world.run("assign MFA0002 bob").ok();
    assert_eq!(ran.prompts[0], "Assign the token MFA0002 (hotp) to bob?");
    assert!(ran.prompts[1].contains("The 6 digits that the token shows"), "{ran:?}");
    assert!(
        ran.interrupt_messages[1].contains("to take it back, run: mfactl unassign -- MFA0002"),
        "{ran:?}"
    );
    assert_eq!(listed(&world, HOTP), of("bob", "active"));
    world.answers = Some(vec!["y", "000000", "000001", "000002"]);
    let ran = world.run("assign ccccccnrhbfu bob");
    assert_eq!(ran.code, 0, "no code of a YubiKey is no attempt: {ran:?}");
    assert_eq!(listed(&world, YUBIKEY), of("bob", "pending"));
    world.answers = Some(vec!["n"]);
    assert_eq!(world.run("assign MFA0003 bob --device third").code, 1);
    assert_eq!(listed(&world, "MFA0003"), free());
}

#[test]
fn active_at_once_needs_a_proof() {
    let world = stocked();
    let ran = world.run("assign MFA0001 alice --active");
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.err.contains("mfactl assign --active --proof HOW -- MFA0001 alice"), "{ran:?}");
    assert_eq!(listed(&world, TOTP), free());
    let _ = world.run("assign MFA0001 alice --active --proof in-person").ok();
    assert_eq!(listed(&world, TOTP), of("alice", "active"));
    assert_eq!(outcome(&world.verify("alice", &totp(&world, 0))), "accepted");
}

#[test]
fn a_refused_assignment_changes_nothing() {
    let world = stocked();
    let _ = world.run("assign MFA0004 bob --no-confirm").ok();
    world.active("dave");
    let _ = world.run("disable dave --yes").ok();
    let _ = world.run("add-user carol").ok();
    let _ = world.run("edit-user carol --protected").ok();
    world.configure("[roles]\nhelpdesk = [\"bin\"]\nadmin = [\"sys\"]\n");
    world.uid.set(2);
    let before = world.sql("SELECT count(*) FROM events");
    for (line, code, error) in [
        ("assign MFA0009 alice", 67, "token_not_found"),
        ("assign MFA0001 alicf", 67, "user_not_found"),
        ("assign MFA0004 alice", 76, "token_assigned"),
        ("assign MFA0004 bob --device other", 76, "token_assigned"),
        ("assign MFA0001 dave", 76, "disabled"),
        ("assign MFA0001 carol", 77, "not_permitted"),
        ("assign =1+2 alice", 65, "bad_input"),
        ("assign MFA0001 alice --device a=b", 65, "bad_input"),
        ("assign MFA0001 bob --device token", 76, "already_enrolled"),
        ("unassign MFA0009 --yes", 67, "token_not_found"),
        ("remove-token MFA0004 --yes", 77, "not_permitted"),
    ] {
        for more in ["", " --dry-run"] {
            let ran = world.run(&format!("{line} --json{more}"));
            assert_eq!((ran.code, ran.error().as_str()), (code, error), "{line}: {ran:?}");
            assert_eq!(world.sql("SELECT count(*) FROM events"), before, "{line}");
        }
    }
    let ran = world.run("assign MFA0009 alice");
    assert!(ran.err.contains("did you mean MFA000"), "{ran:?}");
    let ran = world.run("assign MFA0001 alicf");
    assert!(ran.err.contains("did you mean alice?"), "{ran:?}");
    let ran = world.run("assign MFA0004 alice");
    assert!(ran.err.contains("take it back with: mfactl unassign -- MFA0004"), "{ran:?}");
    world.uid.set(3);
    assert_eq!(world.run("remove-token MFA0004 --yes").code, 76);
    assert_eq!(world.run("remove-token MFA0009 --yes").code, 67);
    assert_eq!(listed(&world, TOTP), free());
}

#[test]
fn a_dry_run_of_each_verb_changes_nothing_and_says_what_the_real_run_does() {
    for (prepare, line) in [
        ("", "assign MFA0001 alice --no-confirm"),
        ("", "assign MFA0001 alice --active --proof video"),
        ("assign MFA0001 alice --active --proof video", "unassign MFA0001 --yes"),
        ("", "unassign MFA0001 --yes"),
        ("", "remove-token MFA0001 --yes"),
        ("assign MFA0001 alice --active --proof video", "remove-user alice --yes"),
    ] {
        let world = stocked();
        if !prepare.is_empty() {
            let _ = world.run(prepare).ok();
        }
        let before = (world.sql("SELECT count(*) FROM events"), listed(&world, TOTP));
        let dry = world.run(&format!("{line} --json --dry-run")).ok().json();
        assert_eq!(
            (world.sql("SELECT count(*) FROM events"), listed(&world, TOTP)),
            before,
            "{line}"
        );
        let real = world.run(&format!("{line} --json")).ok().json();
        assert_eq!(dry["changed"], real["changed"], "{line}");
        assert_eq!(dry["consequences"], real["consequences"], "{line}");
        assert_eq!(dry["status"], real["status"], "{line}");
    }
}

#[test]
fn the_event_of_a_token_names_no_user() {
    let world = stocked();
    let _ = world
        .run("assign MFA0001 alice --active --proof video --reason alice_lost_hers --ticket T-1")
        .ok();
    let _ = world.run("unassign MFA0001 --yes --reason alice_left").ok();
    let rows = world.sql(
        "SELECT verb, coalesce(\"user\", ''), coalesce(reason, ''), coalesce(ticket, ''), detail FROM events \
         WHERE token_id IS NOT NULL ORDER BY seq",
    );
    assert!(!rows.contains("alice"), "{rows}");
    assert!(
        rows.contains("assign") && rows.contains("unassign") && rows.contains("MFA0001"),
        "{rows}"
    );
    assert!(rows.contains("T-1"), "{rows}");
    let of_user = world.sql(
        "SELECT count(*) FROM events WHERE \"user\" = 'alice' AND verb IN ('assign', 'unassign')",
    );
    assert_eq!(of_user, "2");
    let _ = world.run("remove-user alice --erase --yes").ok();
    sound(&world);
}

#[test]
fn no_two_tokens_have_one_secret() {
    let world = stocked();
    let again = OATH.replace("MFA000", "NEW000");
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let ran = world.run_with("add-tokens - --yes --json", &again);
    assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{ran:?}");
    assert!(ran.err.contains("line 2 has the secret of a token that was added before"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM tokens WHERE serial LIKE 'NEW%'"), "0");
    let _ = world.run("remove-token MFA0002 --yes").ok();
    let ran = world.run_with("add-tokens - --yes --skip-bad", &again);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(world.sql("SELECT serial FROM tokens WHERE serial LIKE 'NEW%'"), "NEW0002");
    sound(&world);
}

#[test]
fn a_key_under_another_public_id_is_the_same_yubikey() {
    let world = stocked();
    let twin =
        format!("LOGGING START,2/1/2024 3:04 AM\n{YUBICO}").replace("ccccccnrhbfu", "ccccccnrhbft");
    let ran = world.run_with("add-tokens - --yes --allow-known", &twin);
    assert!(
        ran.code == 65 && ran.err.contains("the secret of a token that was added before"),
        "{ran:?}"
    );
    let other = twin.replace("010203040506", "010203040507");
    let _ = world.run_with("add-tokens - --yes --allow-known", &other).ok();
}
