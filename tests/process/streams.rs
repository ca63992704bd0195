//! Streams that are closed, full, endless or cut off, and machines with little to give.

use std::fs::OpenOptions;

use super::support::{CONFIG, IO, REFUSED, STORE_UNAVAILABLE, USAGE, World, has};

/// The exit code of the dynamic linker where it can't open a library.
const LOADER: i32 = 127;
/// The signal for a file that grows past its limit.
const XFSZ: i32 = 25;

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
fn a_closed_pipe_turns_no_refusal_into_success() {
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
fn a_full_output_is_an_error_and_the_unwritten_secret_stays_pending() {
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
    let copy = format!("copy-store --to {}", world.path("copy.db").display());
    for line in ["edit-user alice --email a@example.org", "add-user carol", &copy] {
        assert!(says_changed(line), "{line} changes the store");
    }
    let ran = world.call("enrol bob --create --reveal-secrets").run_to(full()).expect(IO);
    assert!(ran.err.contains("is pending"), "it says what stands: {ran:?}");
    assert_eq!(world.status("bob"), "pending");
    world.call("reset bob --yes --reveal-secrets").run_to(full()).expect(IO);
    assert_eq!(world.status("bob"), "pending");
}

#[test]
fn codes_that_could_not_be_written_replace_no_earlier_codes() {
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
        // CSV has no column for a secret.
        world.run(&line.replace("--json", "--format csv")).expect(USAGE);
    }
    assert_eq!(world.events(), before);
    assert_eq!((world.status("alice"), seed.spent > 0), ("enabled".into(), true));
    for code in [made["codes"][0].as_str().unwrap(), &bypass.json("code")] {
        assert_eq!(world.verify("alice", code).expect(0).outcome(), "accepted");
    }
}

#[test]
fn closed_streams_change_no_exit_code_and_the_store_stays_sound() {
    if !has("sqlite3", "closed streams") {
        return;
    }
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let world = World::new();
        world.run("add-user alice").expect(0);
        for (line, code) in [
            ("list-status", 0),
            // Standard input holds no code, open or closed.
            ("verify alice", USAGE),
            ("add-user bob", 0),
            ("enrol alice --no-confirm --json", 0),
        ] {
            world.call(line).in_shell("", closed).run().expect(code);
        }
        assert_eq!(world.status("alice"), "pending", "{closed}");
        world.assert_sound();
        assert_eq!(world.status("bob"), "not_enabled", "{closed}");
    }
}

/// The program first opens closed standard descriptors on `/dev/null`, so that no file of ours gets their
/// numbers. Output to them then succeeds as under `>/dev/null`, and so does the run.
#[test]
fn with_all_streams_closed_the_exit_code_answers_and_no_file_takes_their_descriptors() {
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
        // There is no code, and no terminal to prompt at.
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
            // One of our files, opened as descriptor 0, 1 or 2 or written to through it.
            let opened = ["= 0<", "= 1<", "= 2<"].iter().any(|n| call.contains(n));
            let written = ["(0<", "(1<", "(2<"].iter().any(|n| call.contains(n));
            assert!(!(opened || written) || !call.contains(&ours), "{line}: {call}");
        }
        assert!(text.contains("exit_group"), "{line}: {text}");
        world.assert_sound();
    }
    assert_eq!((world.status("bob"), world.status("carol")), ("pending".into(), String::new()));
    // A code needs an open standard input; with the other two streams closed it is used up.
    let call = world.call("verify alice").input(&code);
    call.clone().in_shell("", ">&- 2>&-").run().expect(0);
    call.clone().in_shell("", ">&- 2>&-").run().expect(1);
    assert_eq!(world.verify("alice", &code).outcome(), "replayed");
    world.assert_sound();
}

#[test]
fn an_answer_that_can_not_be_written_is_an_error_and_the_code_is_used_up() {
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
fn an_endless_input_is_read_no_further_than_a_code() {
    let world = World::new();
    world.run("enrol alice --create --no-confirm --json").expect(0);
    let files = world.call_of(["verify", "alice"]);
    let ran = files.under(["sh", "-c", "yes 123456 | tr -d '\\n' | \"$@\"", "sh"]).run().expect(1);
    assert!(ran.took.as_secs() < 5, "{ran:?}");
}

#[test]
fn low_limits_are_errors_and_leave_the_store_unchanged() {
    if !(has("oathtool", "small machines") && has("sqlite3", "small machines")) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let before = world.state();
    for (limit, code_of_error) in [
        ("ulimit -n 3", LOADER),
        ("ulimit -n 4", STORE_UNAVAILABLE),
        ("ulimit -n 5", STORE_UNAVAILABLE),
        ("ulimit -n 6", CONFIG),
        ("trap '' XFSZ; ulimit -f 8", IO),
        // Without the trap the kernel kills the process.
        ("ulimit -f 8", 128 + XFSZ),
    ] {
        let call = world.call("verify --json alice").input(&code).with("RUST_BACKTRACE", "1");
        let ran = call.in_shell(limit, "").run().expect(code_of_error);
        assert_eq!(ran.out, "", "{limit}: {ran:?}");
        assert!(ran.took.as_secs() < 10, "{limit}: {ran:?}");
        world.assert_sound();
        assert_eq!(world.state(), before, "{limit}");
    }
    assert_eq!(world.verify("alice", &code).outcome(), "accepted", "the code was kept");
}

#[test]
fn no_secret_is_in_any_output_or_file_at_the_highest_verbosity() {
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
    for (line, code) in [
        ("list-status --json", 0),
        ("show-user alice --json", 0),
        ("verify alice", 1),
        ("diagnose alice", 0),
        ("show-qr alice", REFUSED),
        ("show-qr alice --active", USAGE),
        ("show-qr alice --active --json", 0),
        ("show-qr bob", USAGE),
        ("show-qr bob --json", 0),
        ("reset alice", USAGE),
        ("enrol alice", USAGE),
        ("enrol bob --no-confirm", 0),
        ("enrol carol --create --no-confirm --json", 0),
        ("disable alice --yes", 0),
        ("undo alice --yes --json", 0),
        ("log --json", 0),
        ("changes --since 1h --json", 0),
        ("verify-log", 0),
        // The monitoring plugin's "critical": the key was not saved apart.
        ("check", 2),
        ("doctor", 0),
        ("metrics", 0),
        ("nonsense", USAGE),
        ("help verify", 0),
    ] {
        let call = world.call(line).input("000000\n");
        let loud = call.with("RUST_BACKTRACE", "full").with("RUST_LOG", "trace");
        let ran = loud.run().expect(code);
        for written in [&ran.out, &ran.err] {
            assert!(!contains_secret(written.as_bytes(), &secrets), "{line}: {written}");
        }
    }
    for (verb, name) in [("backup ", "backup"), ("report --output ", "report.html")] {
        world.run(&format!("{verb}{}", world.path(name).display())).expect(0);
    }
    for name in ["s/m.db", "s/m.db-wal", "backup", "report.html"] {
        let file = std::fs::read(world.path(name)).unwrap();
        assert!(!contains_secret(&file, &secrets), "{name}");
    }
}

/// Whether this text or file contains a part of one of the secrets, in any of the usual encodings. Characters
/// other than letters and digits are ignored, because a manual key is printed in groups. A part is enough,
/// because its lines are printed beside a QR code.
fn contains_secret(written: &[u8], secrets: &[Vec<u8>]) -> bool {
    /// So many equal bytes are no coincidence.
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
        assert!(contains_secret(text(form).as_bytes(), std::slice::from_ref(&secret)), "{form}");
    }
    assert!(!contains_secret(text("GEZD, and then GNBV; 31323334; MTIzNDU").as_bytes(), &[secret]));
}
