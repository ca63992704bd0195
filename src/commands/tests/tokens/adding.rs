//! Adding the tokens of a file: all of them or none.

use super::{OATH, free, listed, secret, sound, stocked};
use crate::testing::World;

const KEY: &str = "6d666163746c2d73616d706c652d616c69636521";
const OTHER: &str = "6d666163746c2d73616d706c652d6361726f6c21";

fn counts(world: &World) -> (String, String) {
    (world.sql("SELECT count(*) FROM events"), world.sql("SELECT count(*) FROM tokens"))
}

#[test]
fn every_format_is_added_with_what_it_needs() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/tokens");
    for (file, format, options, tokens) in [
        ("privacyidea.csv", "oath-csv", "", 4),
        ("freeipa.csv", "oath-csv", "", 3),
        ("entra.csv", "entra-csv", "", 2),
        ("phenixid.csv", "phenixid", "", 3),
        ("yubico-log.csv", "yubico-log", "--allow-known --skip-bad", 1),
        ("yubico-table.csv", "yubico-table", "--allow-known", 2),
        ("pskc-plain.xml", "pskc", "--allow-known", 0),
        ("pskc-passphrase.xml", "pskc", "--allow-known --passphrase-file PASSPHRASE", 0),
        ("pskc-preshared-key.xml", "pskc", "--allow-known --preshared-key-file KEY", 0),
        ("safenet.xml", "safenet", "--allow-known", 0),
    ] {
        let world = World::new();
        let [passphrase, key] = ["passphrase", "hex"].map(|name| world.folder.path().join(name));
        std::fs::write(&passphrase, "sample-passphrase\n").unwrap();
        std::fs::write(&key, "12345678901234567890123456789012\n").unwrap();
        let options = options.replace("PASSPHRASE", passphrase.to_str().unwrap());
        let options = options.replace("KEY", key.to_str().unwrap());
        let line = format!("add-tokens {} --yes --json {options}", samples.join(file).display());
        let before = counts(&world);
        let dry = world.run(&format!("{line} --dry-run"));
        assert!(dry.code <= 1, "{line}: {dry:?}");
        assert_eq!(counts(&world), before, "{line}");
        let ran = world.run(&line);
        assert_eq!(ran.code, dry.code, "{line}: {ran:?}");
        let (ran, dry) = (ran.json(), dry.json());
        assert_eq!(ran["schema"], "mfactl.add-tokens/1");
        assert_eq!(
            (&ran["format"], &ran["changed"]),
            (&format.into(), &true.into()),
            "{line}: {ran}"
        );
        assert!(tokens == 0 || ran["added"] == tokens, "{line}: {ran}");
        assert_eq!(ran["added"], dry["added"]);
        assert_eq!(ran["added"].to_string(), world.sql("SELECT count(*) FROM tokens"));
        assert_eq!(world.sql("SELECT count(*) FROM events WHERE verb = 'add-tokens'"), "1");
        let detail = world.sql("SELECT detail FROM events WHERE verb = 'add-tokens'");
        assert!(detail.contains(file) && !detail.contains("samples"), "no folder: {detail}");
        sound(&world);
    }
}

#[test]
fn a_bad_file_is_refused_with_its_place_and_changes_nothing() {
    let world = stocked();
    let before = counts(&world);
    let rfc = "3132333435363738393031323334353637383930";
    for (file, options, problem) in [
        (
            format!("A1,{OTHER},totp,6,30\nmfa0001,{KEY},totp,6,30\n"),
            "",
            "line 2 has a serial that is in use already",
        ),
        (
            format!("A1,{KEY},totp,6,30\na1,{OTHER},totp,6,30\n"),
            "",
            "line 2 has the serial of line 1",
        ),
        (
            format!("A1,{KEY},totp,6,30\nA2,{KEY},totp,6,30\n"),
            "",
            "line 2 has the secret of line 1",
        ),
        (format!("A1,{rfc},hotp,6\n"), "", "line 1 has a publicly known secret"),
        (format!("A1,{rfc},hotp,6\n"), "--allow-weak", "line 1 has a publicly known secret"),
        (format!("A1,{},hotp,6\n", "00".repeat(20)), "", "line 1 has a publicly known secret"),
        (
            "A1,6f6c64383062697473217a,hotp,6\n".into(),
            "",
            "line 1 has a secret of less than 128 bits",
        ),
        ("A1,6f6c64383062697473217a,hotp,6\n".into(), "--allow-known", "less than 128 bits"),
        (format!("=1+2,{KEY},hotp,6\n"), "", "FILE: line 1: serial: begins with"),
        (format!("A1,{KEY},yubikey,6\n"), "", "Yubico's personalization tool instead; nothing was"),
        (format!("A1,{KEY},totp,6"), "", "FILE: line 1: line: has no line end"),
        (format!("A1,{OTHER},hotp,6\na\u{7}b,{KEY},hotp,6\n"), "", "line 2"),
        (format!("A1,{KEY},hotp,6,18446744073709551615\n"), "", "line 1"),
        (format!("A1,{KEY},hotp,6,9223372036854775808\n"), "", "line 1"),
        (format!("{},{KEY},hotp,6\n", "a".repeat(65)), "", "line 1"),
        ("nothing of a token\n".into(), "", ""),
        (String::new(), "", ""),
    ] {
        for more in ["", " --dry-run"] {
            let ran = world.run_with(&format!("add-tokens - --yes {options}{more}"), &file);
            assert_eq!(ran.code, 65, "{file}: {ran:?}");
            assert!(ran.err.contains(problem) && ran.err.contains("hint: "), "{file}: {ran:?}");
            assert!(
                !ran.err.contains(KEY) && !ran.err.contains("=1+2"),
                "repeats nothing: {ran:?}"
            );
            assert_eq!(counts(&world), before, "{file}");
        }
    }
    let _ = world.run_with("add-tokens - --yes --allow-known", &format!("A1,{rfc},hotp,6\n")).ok();
    let _ = world
        .run_with("add-tokens - --yes --allow-weak", "A2,6f6c64383062697473217a,hotp,6\n")
        .ok();
}

#[test]
fn twenty_bad_lines_are_named_and_the_others_counted() {
    let world = World::new();
    let file: String = (1..=25)
        .map(|n| format!("A{n},6f6c6438306269747321{n:02},hotp,6\n"))
        .collect::<Vec<_>>()
        .concat();
    let ran = world.run_with("add-tokens - --yes", &file);
    assert_eq!(ran.code, 65, "{ran:?}");
    assert!(ran.err.contains("line 1 has") && ran.err.contains("line 20 has"), "{ran:?}");
    assert!(!ran.err.contains("line 21 has") && ran.err.contains("; and 5 more"), "{ran:?}");
    assert!(ran.err.contains("--allow-weak takes short secrets"), "{ran:?}");
}

#[test]
fn every_bad_line_is_left_out_and_named_on_request() {
    let world = stocked();
    let file = format!(
        "A1,{OTHER}00,ocra,6,30\n=A2,{OTHER}01,totp\nA3,{OTHER}02,totp\na3,{OTHER}03,totp\nA4,xyz,totp\n\
         A5,{OTHER}05,totp,9\nA6\n\"A7,{OTHER}06,totp\nA8,{OTHER}07,hotp,6,-1\n"
    );
    let refused = world.run_with("add-tokens - --yes", &file);
    assert_eq!(refused.code, 65, "{refused:?}");
    for named in ["FILE: line 1: type: ", "; line 2: serial: ", "; line 8: line: "] {
        assert!(refused.err.contains(named), "{refused:?}");
    }
    for more in [" --dry-run", ""] {
        let ran = world.run_with(&format!("add-tokens - --yes --skip-bad --json{more}"), &file);
        assert_eq!(ran.code, 1, "{ran:?}");
        let json = ran.json();
        let skipped = json["skipped"].as_array().unwrap().iter();
        let places: Vec<_> = skipped.clone().map(|s| s["place"].as_str().unwrap()).collect();
        assert_eq!(places, [1, 2, 4, 5, 6, 7, 8, 9].map(|n| format!("line {n}")), "{json}");
        let problems: Vec<_> = skipped.map(|s| s["problem"].as_str().unwrap()).collect();
        assert_eq!(problems[0], "type: is neither totp nor hotp");
        assert_eq!(json["added"], 1, "{json}");
    }
    assert_eq!(listed(&world, "A3"), free());
    let bad = world.run_with("add-tokens - --yes --skip-bad", &format!("B1,{KEY}00,ocra,6\n"));
    assert_eq!(bad.code, 1, "nothing is left: {bad:?}");
    let cut = world.run_with("add-tokens - --yes --skip-bad", &format!("B1,{KEY}00,totp,6"));
    assert_eq!(cut.code, 65, "cut off: {cut:?}");
    sound(&world);
}

#[test]
fn the_hint_for_a_ticket_names_the_file() {
    let world = stocked();
    world.configure("[helpdesk]\nticket = [\"add-tokens\"]\n");
    let path = world.folder.path().join("tokens.csv");
    std::fs::write(&path, format!("A1,{OTHER}00,totp,6,30\n")).unwrap();
    let ran = world.run(&format!("add-tokens --yes {}", path.display()));
    let hint = format!("add-tokens {} --yes --ticket ID", path.display());
    assert!(ran.code == 64 && ran.err.contains(&hint), "{ran:?}");
    let _ = world.run(&hint.replace("ID", "T-1")).ok();
    assert_eq!(listed(&world, "A1"), free());
}

#[test]
fn bad_tokens_are_left_out_on_request() {
    let world = stocked();
    let file = format!(
        "A1,{OTHER}00,totp,6,30\nMFA0001,{KEY}00,totp,6,30\nA3,6f6c64383062697473217a,hotp,6\nA4,{OTHER}00,hotp\n"
    );
    let ran = world.run_with("add-tokens - --yes --skip-bad --json", &file);
    assert_eq!(ran.code, 1, "{ran:?}");
    let json = ran.json();
    assert_eq!((&json["added"], &json["kinds"]["totp"]), (&1.into(), &1.into()), "{json}");
    let skipped: Vec<_> =
        json["skipped"].as_array().unwrap().iter().map(|s| s["place"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["line 2", "line 3", "line 4"], "{json}");
    assert_eq!(listed(&world, "A1"), free());
    sound(&world);
}

#[test]
fn a_hostile_document_adds_nothing() {
    let plain = include_str!("../../../../tests/samples/tokens/pskc-plain.xml");
    let encrypted = include_str!("../../../../tests/samples/tokens/pskc-passphrase.xml");
    let entity = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><pskc:KeyContainer";
    let (deep, end) = ("<a>".repeat(100_000), "</a>".repeat(100_000));
    let mut world = World::new();
    world.answers = Some(vec!["sample-passphrase"]);
    for (what, file) in [
        ("a DTD", plain.replacen("<pskc:KeyContainer", entity, 1)),
        (
            "100,000 levels",
            plain.replacen("</pskc:KeyContainer>", &format!("{deep}{end}</pskc:KeyContainer>"), 1),
        ),
        ("cut off", plain[..plain.len() / 2].to_owned()),
        ("no rounds", encrypted.replace(">12000<", ">0<")),
        ("2^31 rounds", encrypted.replace(">12000<", ">2147483648<")),
    ] {
        let path = world.folder.path().join("hostile.xml");
        assert!(file != plain && file != encrypted, "{what}");
        std::fs::write(&path, file).unwrap();
        let ran = world.run(&format!("add-tokens {} --yes --allow-known", path.display()));
        assert_eq!(ran.code, 65, "{what}: {ran:?}");
        assert_eq!(world.sql("SELECT count(*) FROM tokens"), "0", "{what}");
    }
}

#[test]
fn a_serial_of_a_device_is_in_use_although_it_is_not_free() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    assert_eq!(world.run_with("add-tokens - --yes", OATH).code, 65);
}

#[test]
fn a_file_of_a_byte_too_much_is_refused_unread() {
    let world = World::new();
    let path = world.folder.path().join("long");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(64 * 1024 * 1024 + 1).unwrap();
    let ran = world.run(&format!("add-tokens {} --yes", path.display()));
    assert_eq!(ran.code, 65, "{ran:?}");
    assert!(ran.err.contains("longer than 64 MiB"), "{ran:?}");
    let ran =
        world.run(&format!("add-tokens {} --yes", world.folder.path().join("none").display()));
    assert!(ran.code >= 64, "{ran:?}");
}

#[test]
fn an_encrypted_file_asks_for_its_passphrase() {
    let mut world = World::new();
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/tokens");
    let line =
        format!("add-tokens {} --allow-known", samples.join("pskc-passphrase.xml").display());
    let ran = world.run(&format!("{line} --yes"));
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(
        ran.err.contains("encrypted with a passphrase") && ran.err.contains("--passphrase-file"),
        "{ran:?}"
    );
    world.answers = Some(vec!["wrong"]);
    let ran = world.run(&format!("{line} --yes"));
    assert_eq!(ran.code, 65, "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM tokens"), "0");
    world.answers = Some(vec!["sample-passphrase", "n"]);
    assert_eq!(world.run(&line).code, 1);
    assert_eq!(world.sql("SELECT count(*) FROM tokens"), "0");
    world.answers = Some(vec!["sample-passphrase", "y"]);
    let ran = world.run(&line).ok();
    assert!(ran.prompts[1].starts_with("Add "), "{ran:?}");
    assert_ne!(world.sql("SELECT count(*) FROM tokens"), "0");
}

#[test]
fn without_an_answer_nothing_is_added() {
    let world = World::new();
    let ran = world.run_with("add-tokens -", OATH);
    assert_eq!(ran.code, 64, "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM tokens"), "0");
    let world = World::empty();
    assert_eq!(world.run_with("add-tokens - --yes", OATH).code, 69);
}

#[test]
fn the_users_of_a_file_are_only_a_hint() {
    let world = World::new();
    let entra = include_str!("../../../../tests/samples/tokens/entra.csv");
    let ran = world.run_with("add-tokens - --yes", entra).ok();
    assert!(
        ran.err.contains(
            "the file names a user for 2 tokens; assign each with: mfactl assign -- SERIAL NAME"
        ),
        "{ran:?}"
    );
    assert_eq!(listed(&world, "MFA0001"), free());
}

#[test]
fn no_secret_is_in_the_store_as_it_was_in_the_file() {
    let world = stocked();
    let secrets = world.sql("SELECT secret FROM tokens");
    let plain = secret(b"mfactl-sample-alice!");
    assert!(!secrets.contains(&String::from_utf8_lossy(plain.expose()).into_owned()));
    assert_eq!(world.sql("SELECT count(*) FROM tokens WHERE secret IS NULL"), "0");
}
