//! Streams that are closed, full, endless or cut off, and machines with little to give.

use std::fs::OpenOptions;

use super::support::{IO, USAGE, World, has};

#[test]
fn a_listing_into_a_closed_pipe_ends_quietly() {
    let world = World::new();
    for n in 0..300 {
        world.run(&format!("add-user user{n} --quiet")).expect(0);
    }
    for form in ["table", "json", "jsonl", "csv"] {
        let script = format!(
            "\"$@\" list-status --format {form} | head -1 >/dev/null; \
                              [ \"${{PIPESTATUS[0]}}\" = 0 ]"
        );
        let files = world.call_of(Vec::<String>::new());
        let ran = files.under(["bash", "-c", &script, "bash"]).run();
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{form}");
    }
}

#[test]
fn a_reader_who_leaves_turns_no_answer_into_a_yes() {
    let world = World::new();
    world.run("enrol alice --create --no-confirm --json").expect(0);
    let into_closed_pipe = |line: &str, input: &str| {
        let script =
            format!("exec 3> >(exec true); sleep 0.2; printf '{input}' | \"$@\" {line} >&3");
        let files = world.call_of(Vec::<String>::new());
        files.under(["bash", "-c", &script, "bash"]).run()
    };
    for form in ["table", "json", "csv"] {
        let ran = into_closed_pipe(&format!("verify --format {form} alice"), "000000");
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{ran:?}");
    }
    for line in ["list-status --fail-if-any", "list-status --min-coverage 99"] {
        assert_eq!(into_closed_pipe(line, "").code, 1, "{line}");
    }
    assert_eq!(into_closed_pipe("list-status", "").code, 0);
    for line in [
        "show-qr alice --reveal-secrets",
        "show-qr alice --json --reveal-secrets",
        "reset alice --yes --json --reveal-secrets",
        "reset alice --yes --reveal-secrets",
    ] {
        let ran = into_closed_pipe(line, "").expect(IO);
        assert!(!ran.err.is_empty(), "{line}: {ran:?}");
    }
}

#[test]
fn a_full_output_is_a_failure_and_the_secret_that_was_not_written_is_in_force_nowhere() {
    let world = World::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    world.run("add-user alice").expect(0);
    let says_changed = |line: &str| {
        let ran = world.call(line).run_to(full()).expect(IO);
        assert!(ran.err.contains("can't write the result: "), "{line}: {ran:?}");
        ran.err.contains("the store was changed")
    };
    for line in [
        "list-status",
        "list-status --json",
        "show-user alice --json",
        "help reset",
        "reset -h",
        "--version",
        "init",
        "edit-user alice --email a@example.org --dry-run",
    ] {
        assert!(!says_changed(line), "{line} changes nothing");
    }
    for line in
        ["edit-user alice --email a@example.org", "add-user carol", "copy-store --to copy.db"]
    {
        assert!(says_changed(line), "{line} changes the store");
    }
    let ran = world.call("enrol bob --create --reveal-secrets").run_to(full()).expect(IO);
    assert!(ran.err.contains("is pending"), "it says what stands: {ran:?}");
    assert_eq!(world.status("bob"), "pending");
    world.call("reset bob --yes --reveal-secrets").run_to(full()).expect(IO);
    assert_eq!(world.status("bob"), "pending");
}

#[test]
fn a_document_that_reaches_nobody_voids_nothing() {
    if !has("oathtool", "documents that reach nobody") {
        return;
    }
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let seed = world.active("alice");
    world.call("set-password alice").input("correct horse battery staple").run().expect(0);
    let made = world.run("recovery-codes alice --json --reveal-secrets").expect(0).document();
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets").expect(0);
    let before = world.events();
    for line in [
        "recovery-codes alice --json --reveal-secrets",
        "bypass alice --for 1h --json --reveal-secrets",
        "force-new-password alice --yes --json --reveal-secrets",
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = world.call(line).run_to(full).expect(IO);
        assert!(ran.err.contains("nothing was changed"), "{line}: {ran:?}");
        let script = format!("exec 3> >(exec true); sleep 0.2; \"$@\" {line} >&3");
        let files = world.call_of(Vec::<String>::new());
        files.under(["bash", "-c", &script, "bash"]).run().expect(IO);
        // CSV has no column for it.
        world.run(&line.replace("--json", "--format csv")).expect(USAGE);
    }
    assert_eq!(world.events(), before);
    assert_eq!((world.status("alice"), seed.spent > 0), ("enabled".into(), true));
    for code in [made["codes"][0].as_str().unwrap(), &bypass.json("code")] {
        assert_eq!(world.verify("alice", code).expect(0).outcome(), "accepted");
    }
}

#[test]
fn whatever_is_closed_nothing_crashes_and_the_store_stays_whole() {
    if !has("sqlite3", "closed streams") {
        return;
    }
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let world = World::new();
        world.run("add-user alice").expect(0);
        for line in
            ["list-status", "verify alice", "add-user bob", "enrol alice --no-confirm --json"]
        {
            let ran = world.call(line).in_shell("", closed).run();
            assert!(matches!(ran.code, 0 | 1 | 64..=78) && ran.code != 70, "{closed}: {ran:?}");
        }
        world.assert_sound();
        assert_eq!(world.status("bob"), "not_enabled", "{closed}");
    }
}

/// A descriptor that was closed at the start is opened on `/dev/null` before anything else, so that
/// no file of ours is given its number. What is written there is written: the exit code is that of
/// the work, as under `>/dev/null`.
#[test]
fn with_all_three_streams_closed_the_answer_is_the_exit_code_and_no_file_takes_their_place() {
    let what = "three closed streams";
    if !(has("oathtool", what) && has("sqlite3", what) && has("strace", what)) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let closed = "<&- >&- 2>&-";
    for (line, expected) in [
        ("list-status", 0),
        ("list-status --json", 0),
        // Nobody gives a code, and nobody is there to be asked.
        ("verify alice", 64),
        ("enrol bob --create --no-confirm --json", 0),
        ("enrol bob --create --no-confirm --json --reveal-secrets", 0),
        // The QR code has nowhere to go.
        ("enrol carol --create", 64),
    ] {
        let trace = world.path("trace");
        let only = "trace=openat,write,pwrite64,pwritev,ftruncate,exit_group";
        let call = world.call(line).in_shell("", closed);
        let strace = ["strace", "-f", "-y", "-e", only, "-o", trace.to_str().unwrap()];
        call.under(strace).run().expect(expected);
        let text = std::fs::read_to_string(&trace).unwrap();
        let ours = format!("{}/", world.path("").display());
        for call in text.lines() {
            // Opened as 0, 1 or 2, or written to under that number.
            let opened = ["= 0<", "= 1<", "= 2<"].iter().any(|n| call.contains(n));
            let written = ["(0<", "(1<", "(2<"].iter().any(|n| call.contains(n));
            assert!(!(opened || written) || !call.contains(&ours), "{line}: {call}");
        }
        assert!(text.contains("exit_group"), "{line}: {text}");
        world.assert_sound();
    }
    assert_eq!((world.status("bob"), world.status("carol")), ("pending".into(), String::new()));
    // The code can't be given where standard input is closed; with the other two closed it is spent.
    let call = world.call("verify alice").input(&code);
    call.clone().in_shell("", ">&- 2>&-").run().expect(0);
    call.clone().in_shell("", ">&- 2>&-").run().expect(1);
    assert_eq!(world.verify("alice", &code).outcome(), "replayed");
    world.assert_sound();
}

#[test]
fn an_answer_that_can_not_be_written_is_a_failure_and_the_code_is_spent() {
    if !(has("oathtool", "a full output") && has("sqlite3", "a full output")) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let call = world.call("verify --json alice").input(&code);
    let ran = call.in_shell("", ">/dev/full").run().expect(IO);
    assert!(!ran.err.contains("nothing was changed"), "{ran:?}");
    assert_eq!(world.verify("alice", &code).expect(1).outcome(), "replayed");
}

#[test]
fn an_endless_input_is_read_no_further_than_a_code_goes() {
    let world = World::new();
    world.run("enrol alice --create --no-confirm --json").expect(0);
    let files = world.call_of(["verify", "alice"]);
    let ran = files.under(["sh", "-c", "yes 123456 | tr -d '\\n' | \"$@\"", "sh"]).run().expect(1);
    assert!(ran.took.as_secs() < 5, "{ran:?}");
}

#[test]
fn with_few_descriptors_or_small_files_it_refuses_and_breaks_nothing() {
    if !(has("oathtool", "small machines") && has("sqlite3", "small machines")) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let before = world.state();
    let limits: Vec<String> =
        (3..7).map(|n| format!("ulimit -n {n}")).chain(["ulimit -f 8".to_owned()]).collect();
    for limit in limits {
        let call = world.call("verify --json alice").input(&code).with("RUST_BACKTRACE", "1");
        let ran = call.in_shell(&limit, "").run();
        assert!(ran.code != 0 && ran.code != 101 && ran.code != 139, "{limit}: {ran:?}");
        assert!(ran.took.as_secs() < 10, "{limit}: {ran:?}");
        world.assert_sound();
        assert_eq!(world.state(), before, "{limit}");
    }
    assert_eq!(world.verify("alice", &code).outcome(), "accepted", "the code was kept");
}

#[test]
fn no_secret_is_in_anything_that_is_written_however_loud() {
    if !(has("oathtool", "looking for secrets") && has("sqlite3", "looking for secrets")) {
        return;
    }
    let world = World::new();
    let seeds = [world.active("alice"), world.pending("bob")];
    let secrets = seeds.map(|seed| data_encoding::BASE32_NOPAD.decode(seed.base32.as_bytes()));
    let key = std::fs::read_to_string(world.key()).unwrap();
    let key = key.lines().last().and_then(|line| line.split(' ').next_back()).unwrap();
    let key = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
    let secrets: Vec<Vec<u8>> = secrets.into_iter().map(Result::unwrap).chain([key]).collect();
    for line in [
        "list-status --json",
        "show-user alice --json",
        "list-tokens --json",
        "verify alice",
        "diagnose alice",
        "show-qr alice",
        "show-qr alice --active",
        "show-qr bob",
        "show-qr bob --json",
        "reset alice",
        "enrol alice",
        "enrol bob --no-confirm",
        "enrol carol --create --no-confirm --json",
        "disable alice --yes",
        "undo alice --yes --json",
        "log --json",
        "changes --since 1h --json",
        "verify-log",
        "check",
        "doctor",
        "metrics",
        "nonsense",
        "help verify",
    ] {
        let call = world.call(line).input("000000\n");
        let ran = call.with("RUST_BACKTRACE", "full").with("RUST_LOG", "trace").run();
        for written in [&ran.out, &ran.err] {
            assert!(!gives_away(written.as_bytes(), &secrets), "{line}: {written}");
        }
    }
    for (verb, name) in [("backup ", "backup"), ("report --output ", "report.html")] {
        world.run(&format!("{verb}{}", world.path(name).display())).expect(0);
    }
    for name in ["s/m.db", "s/m.db-wal", "backup", "report.html"] {
        let file = std::fs::read(world.path(name)).unwrap();
        assert!(!gives_away(&file, &secrets), "{name}");
    }
}

/// Is a part of one of the secrets in this text or file, in any of the forms that they are written in? What
/// stands between letters and digits, as in the groups of a manual key, does not hide them; and the two
/// lines of such a key stand beside a QR code, with much in between.
fn gives_away(written: &[u8], secrets: &[Vec<u8>]) -> bool {
    /// Bytes that are no coincidence.
    const PART: usize = 8;
    let exact: Vec<u8> = written.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let exact = String::from_utf8(exact).unwrap();
    let in_any_case = exact.to_ascii_lowercase();
    let has_part = |text: &str, encoded: &str, length: usize| {
        (0..=encoded.len() - length).any(|at| text.contains(&encoded[at..at + length]))
    };
    secrets.iter().any(|secret| {
        let base32 = data_encoding::BASE32_NOPAD.encode(secret).to_ascii_lowercase();
        let mut base64 = data_encoding::BASE64_NOPAD.encode(secret);
        base64.retain(|letter| letter.is_ascii_alphanumeric());
        secret.windows(PART).any(|part| {
            let decimals: Vec<String> = part.iter().map(u8::to_string).collect();
            written.windows(PART).any(|window| window == part)
                || exact.contains(&decimals.concat())
                || in_any_case.contains(&data_encoding::HEXLOWER.encode(part))
        }) || has_part(&in_any_case, &base32, PART)
            || has_part(&exact, &base64, PART)
    })
}

#[test]
fn a_secret_is_found_in_each_of_its_forms() {
    let secret = b"12345678901234567890".to_vec();
    let text = |form: &str| format!("a line\n{form}, and more\n");
    for form in [
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "\u{2588}\x1b[0m  GEZD GNBV GY3T QOJQ\n\x1b[48;5;16m\u{2588}\x1b[0m  GEZD GNBV GY3T QOJQ",
        "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq",
        "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=y",
        "3132333435363738393031323334353637383930",
        "31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
        "[49, 50, 51, 52, 53, 54, 55, 56, 57, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 48]",
        "12345678901234567890",
    ] {
        assert!(gives_away(text(form).as_bytes(), std::slice::from_ref(&secret)), "{form}");
    }
    assert!(!gives_away(text("GEZD, and then GNBV; 31323334; MTIzNDU").as_bytes(), &[secret]));
}
