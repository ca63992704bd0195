//! Devices that are no time-based app: `enrol --kind`, `show-qr`, and the questions for their codes.

use zeroize::Zeroizing;

use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::factor::yubikey;
use crate::domain::secret::Secret;
use crate::domain::yubico_otp::from_modhex;
use crate::env::Size;
use crate::testing::{CommandResult, World, secret};

/// The code of an app or token at this counter.
pub fn counted(secret: &Secret, counter: i64) -> String {
    code_at(secret, Parameters { period: 1, ..Parameters::COMMON }, counter)
}

/// The secret of a YubiKey from the values in a JSON report.
pub fn programmed(ran: &CommandResult) -> Secret {
    let report = ran.json();
    let text = |field: &str| report[field].as_str().unwrap().to_owned();
    let hex = |field: &str| data_encoding::HEXLOWER.decode(text(field).as_bytes()).unwrap();
    let public_id = from_modhex(&text("public_id")).unwrap();
    let private_id = hex("private_id").try_into().unwrap();
    yubikey::secret(&public_id, private_id, &hex("key").try_into().unwrap())
}

/// Enrols a YubiKey, leaves it pending and returns its secret.
pub fn pending_yubikey(world: &World, user: &str) -> Secret {
    let options = "--create --no-confirm --kind yubikey --json --reveal-secrets";
    programmed(&world.run(&format!("enrol {user} {options}")).ok())
}

/// The code of the first touch after so many starts.
pub fn touched(secret: &Secret, uses: u16) -> String {
    yubikey::tests::code_of(secret, uses, 0, |_| {})
}

fn answering(world: &mut World, answers: &[String]) {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.has_pages = true;
    world.answers = Some(answers.iter().map(|answer| &*answer.clone().leak()).collect());
}

/// What a QR code file says.
fn scanned(path: &std::path::Path) -> String {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut image = png::Decoder::new(file).read_info().unwrap();
    let mut bits = vec![0; image.output_buffer_size().unwrap()];
    let info = image.next_frame(&mut bits).unwrap();
    let side = info.width as usize;
    let mut grey = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if bits[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1 { 255 } else { 0 }
    });
    grey.detect_grids()[0].decode().unwrap().1
}

#[test]
fn a_counting_app_is_enrolled_by_a_uri_with_its_counter_and_proved_by_a_code() {
    let world = World::new();
    let ran =
        world.run("enrol alice --create --no-confirm --kind hotp --json --reveal-secrets").ok();
    let (report, secret) = (ran.json(), secret(&ran));
    assert_eq!((&report["device"], &report["kind"]), (&"token".into(), &"hotp".into()));
    assert_eq!((&report["digits"], &report["period"]), (&6.into(), &serde_json::Value::Null));
    let key = secret.base32();
    let uri = |counter| {
        let key = key.as_str();
        format!(
            "otpauth://hotp/mfactl:alice?secret={key}&issuer=mfactl&algorithm=SHA1&digits=6&counter={counter}"
        )
    };
    assert_eq!(report["uri"], uri(0));
    let file = world.folder.path().join("a.png");
    let _ = world.run(&format!("show-qr alice --no-confirm --output {}", file.display())).ok();
    assert_eq!(scanned(&file), uri(0));
    // Beyond the look-ahead, then within it, then used.
    assert_eq!(world.verify("alice", &counted(&secret, 10)).code, 1);
    let _ = world.verify("alice", &counted(&secret, 3)).ok();
    assert_eq!(world.verify("alice", &counted(&secret, 3)).json()["outcome"], "replayed");
    assert_eq!(world.run("show-qr alice").code, 76);
    let active = world.run("show-qr alice --active --json --reveal-secrets").ok().json();
    assert_eq!(active["uri"], uri(4), "an app goes on where the last one was");
}

#[test]
fn at_a_terminal_a_counting_app_is_asked_for_the_next_code_and_no_clock_is_named() {
    let mut twin = World::new();
    let secret = twin.pending("alice", "--kind hotp");
    answering(&mut twin, &["123".into(), counted(&secret, 50), counted(&secret, 0)]);
    let ran = twin.run("show-qr alice").ok();
    assert_eq!(ran.prompts[0], "The next 6 digits (Enter: later)");
    let pages = ran.pages.concat();
    assert!(pages.contains("HOTP, SHA1, 6 digits, counter 0") && pages.contains('▀'), "{pages}");
    let message = |words: &str| ran.pages.iter().any(|page| page.contains(words));
    assert!(message("that is no code: type the 6") && message("rejected; make the next"));
    for text in [&pages, &ran.err, &ran.out] {
        assert!(!text.contains("clock") && !text.contains("30 s"), "{text}");
    }
    assert_eq!(twin.listed("alice")["status"], "enabled");
}

#[test]
fn a_counting_app_has_no_period_and_other_settings_are_proved_by_two_codes() {
    let world = World::new();
    let enrol = "enrol alice --create --no-confirm --kind hotp --json";
    let ran = world.run(&format!("{enrol} --period 60"));
    assert!(ran.code == 64 && ran.err.contains("--period"), "{ran:?}");
    let ran = world.run(&format!("{enrol} --digits 8"));
    assert!(ran.code == 64 && ran.err.contains("Google Authenticator"), "{ran:?}");
    let ran = world.run(&format!("{enrol} --digits 8 --allow-incompatible --reveal-secrets")).ok();
    assert!(ran.json()["uri"].as_str().unwrap().ends_with("&digits=8&counter=0"));
    assert!(ran.err.contains("may fail with SHA1, 8 digits, counted codes\n"), "{}", ran.err);
    let secret = secret(&ran);
    let eight = Parameters { digits: 8, period: 1, ..Parameters::COMMON };
    assert_eq!(world.verify("alice", &code_at(&secret, eight, 0)).code, 1);
    assert_eq!(world.listed("alice")["status"], "pending");
    let _ = world.verify("alice", &code_at(&secret, eight, 1)).ok();
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn an_app_that_ignores_the_settings_of_a_counting_device_is_recognised() {
    let mut world = World::new();
    let secret = world.pending("alice", "--kind hotp --digits 8 --allow-incompatible");
    answering(&mut world, &[counted(&secret, 0), String::new()]);
    world.has_pages = false;
    let ran = world.run("show-qr alice");
    let hint = "hint: the app ignores these settings and uses SHA1, 6 digits";
    let said: Vec<&str> = ran.err.split_whitespace().collect();
    assert!(said.join(" ").contains(hint), "{}", ran.err);
}

#[test]
fn a_yubikey_is_programmed_with_values_that_are_shown_once_and_proved_by_a_touch() {
    let mut twin = World::new();
    let secret = pending_yubikey(&twin, "alice");
    let mut world = World::new();
    let wrong = yubikey::tests::code(1, 0, |_| {});
    answering(&mut world, &["y".into(), "123456".into(), wrong, touched(&secret, 1)]);
    let ran = world.run("enrol alice --create --kind yubikey").ok();
    let page = &ran.pages[0];
    let public_id = page.split("--public-id ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(public_id.starts_with("vv") && public_id.len() == 12, "{page}");
    assert!(page.contains("private id: ") && page.contains("key:        "), "{page}");
    assert!(!page.contains('▀') && !page.contains("--key"), "{page}");
    let said = ran.pages.concat().replace('\n', " ");
    assert!(said.contains("that is no code of a YubiKey"), "{said}");
    assert!(said.contains("it begins with ccccccnrhbfu, and this one with vv"), "{said}");
    assert!(!said.contains("clock") && !said.contains("digits"), "{said}");
    let key = page.lines().last().unwrap().split_whitespace().last().unwrap();
    assert!(key.len() == 32 && !ran.out.contains(key) && !ran.err.contains(key), "{ran:?}");
    world.answers = None;
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(world.sql("SELECT serial FROM devices"), public_id);
    assert_eq!(world.verify("alice", &touched(&secret, 1)).json()["outcome"], "replayed");
    let _ = world.verify("alice", &touched(&secret, 2)).ok();
    // The other world made the same key, and its user has given no code yet.
    twin.answers = None;
    assert_eq!(twin.listed("alice")["status"], "pending");
}

#[test]
fn the_values_of_a_yubikey_go_to_a_new_file_or_into_json_and_nowhere_else() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for line in ["", "--json", "--no-confirm", "--csv --reveal-secrets", "--no-confirm --jsonl"] {
        let ran = world.run(&format!("enrol alice --kind yubikey {line}"));
        assert_eq!(ran.code, 64, "{line}: {ran:?}");
        assert_eq!(world.listed("alice")["status"], "not_enabled", "{line}");
    }
    let file = world.folder.path().join("key.txt");
    let line = format!("enrol alice --kind yubikey --no-confirm --output {}", file.display());
    let ran = world.run(&line).ok();
    assert!(ran.err.contains("once the key is programmed"), "{ran:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let words: Vec<&str> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(words, ["public id", "private id", "key"]);
    assert_ne!(world.run(&line).code, 0, "the file must be new");
    let ran = world.run("enrol alice --kind yubikey --no-confirm --json --reveal-secrets").ok();
    assert!(ran.err.contains("its earlier key is void"), "{ran:?}");
    let report = ran.json();
    assert_eq!((&report["device"], &report["kind"]), (&"yubikey".into(), &"yubikey".into()));
    for field in ["uri", "secret", "algorithm", "digits", "period"] {
        assert!(report[field].is_null(), "{field}: {report}");
    }
    let _ = world.verify("alice", &touched(&programmed(&ran), 1)).ok();
}

#[test]
fn options_that_a_yubikey_has_no_use_for_are_refused_by_name() {
    let world = World::new();
    for option in ["--algorithm SHA256", "--digits 6", "--period 30", "--allow-incompatible"] {
        let ran = world.run(&format!("enrol alice --create --kind yubikey --json {option}"));
        let name = option.split(' ').next().unwrap();
        assert!(ran.code == 64 && ran.err.contains(name), "{option}: {ran:?}");
    }
    let list = world.folder.path().join("list");
    std::fs::write(&list, "alice\nbob\n").unwrap();
    let from = format!("enrol --from {} --create --no-confirm --yes", list.display());
    let ran = world.run(&format!("{from} --kind yubikey"));
    assert!(ran.code == 64 && ran.err.contains("--kind yubikey -- NAME"), "{ran:?}");
    let ran = world.run(&format!("{from} --kind hotp --json --reveal-secrets")).ok();
    let uri = ran.json()["users"][0]["uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("otpauth://hotp/") && uri.ends_with("&counter=0"), "{uri}");
    assert_eq!(world.run("enrol alice --kind fido").code, 64);
}

#[test]
fn the_key_of_a_yubikey_is_never_shown_again() {
    let world = World::new();
    let secret = pending_yubikey(&world, "alice");
    let show = |more: &str| world.run(&format!("show-qr alice --json --reveal-secrets {more}"));
    let ran = show("");
    assert!(
        ran.code == 64 && ran.err.contains("is a YubiKey, whose secret is not shown"),
        "{ran:?}"
    );
    assert!(ran.err.contains("enrol --kind yubikey"), "{ran:?}");
    let _ = world.verify("alice", &touched(&secret, 1)).ok();
    let ran = show("--active");
    assert!(ran.code == 64 && ran.err.contains("delete --device yubikey"), "{ran:?}");
    // An app beside it is shown as ever.
    let _ = world.pending("alice", "");
    assert_eq!(show("").ok().json()["device"], "phone");
}

#[test]
fn a_second_device_with_the_same_public_id_is_impossible() {
    let stocked_with = |public_id: &str| {
        let world = World::new();
        let file = format!(
            "LOGGING START,2/1/2024 3:04 AM\nYubico OTP,2/1/2024 3:04 AM,1,{public_id},010203040506,\
             00112233445566778899aabbccddeeff,,,0,0,0,0,0,0,0,0,0,0\n"
        );
        let _ = world.run_with("add-tokens - --yes --allow-known", &file).ok();
        world
    };
    // What would be drawn next, in a world of the same history.
    let twin = stocked_with("ccccccnrhbfu");
    let next = programmed(
        &twin.run("enrol bob --create --no-confirm --kind yubikey --json --reveal-secrets").ok(),
    );
    let (public_id, _, _) = yubikey::parts(&next).unwrap();
    let world = stocked_with(&crate::domain::yubico_otp::modhex(public_id));
    let line = "enrol bob --create --no-confirm --kind yubikey --json --reveal-secrets";
    let ran = world.run(line);
    assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "0");
    let _ = programmed(&world.run(line).ok());
}

#[test]
fn a_rehearsal_of_a_yubikey_shows_no_secret_and_stores_nothing() {
    let world = World::new();
    let ran = world.run("enrol alice --create --kind yubikey --dry-run --json").ok();
    assert_eq!(ran.json()["dry_run"], true);
    for field in ["public_id", "private_id", "key"] {
        assert!(ran.json()[field].is_null());
    }
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "0");
    let _ = Zeroizing::new(ran.out);
}
