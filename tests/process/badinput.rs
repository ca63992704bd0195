//! Input that no verb may accept: one line says which field it was, and nothing changes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;

use super::support::{
    BAD_INPUT, CANNOT_CREATE, CONFIG, Call, NOT_PERMITTED, REFUSED, Ran, Seed, USAGE,
    USER_NOT_FOUND, World, has, is_harmful,
};

/// What a program can be told when it is given nonsense; never yes, never a crash.
const ANSWERS: [i32; 7] =
    [1, USAGE, BAD_INPUT, USER_NOT_FOUND, CANNOT_CREATE, NOT_PERMITTED, CONFIG];

fn tools() -> bool {
    let what = "bad input";
    has("sqlite3", what) && has("oathtool", what) && has("faketime", what)
}

/// Alice, active, and bob, pending; the clock stands still.
struct House {
    world: World,
    alice: Seed,
    before: (String, u32),
}

impl House {
    fn new() -> Self {
        let world = World::stopped();
        let alice = world.active("alice");
        world.pending("bob");
        let before = (world.state(), world.events());
        Self { world, alice, before }
    }

    /// Refused, in one line that names the field, without a trace.
    #[track_caller]
    fn refuses(&self, call: Call, fields: &[&str]) -> Ran {
        let ran = call.run();
        assert!(ANSWERS.contains(&ran.code), "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
        let errors: Vec<_> = ran.err.lines().filter(|l| l.starts_with("mfactl: error: ")).collect();
        assert_eq!(errors.len(), 1, "{ran:?}");
        assert!(fields.iter().any(|f| errors[0].contains(f)), "{fields:?}: {ran:?}");
        let others = ran.err.lines().filter(|l| !l.starts_with("mfactl: "));
        assert_eq!(others.count(), 0, "{ran:?}");
        assert!(!ran.err.contains(is_raw), "{ran:?}");
        assert!(ran.err.len() < 2000, "{ran:?}");
        assert!(ran.took.as_secs() < 5, "{ran:?}");
        assert_eq!((self.world.state(), self.world.events()), self.before, "{ran:?}");
        ran
    }
}

fn is_raw(c: char) -> bool {
    c != '\n' && is_harmful(c)
}

/// Names that are no names, as bytes.
fn names() -> Vec<Vec<u8>> {
    let text = [
        "",
        " ",
        "\u{a0}",
        "\u{200b}",
        "alice ",
        " alice",
        "\talice",
        "alice\n",
        "alice\r",
        "a b",
        "a'--",
        "a\"",
        "a\";drop table users",
        "%",
        "_%",
        "*",
        "?",
        "a\\",
        "a;b",
        "1 or 1=1",
        "../../x",
        "/etc/passwd",
        ".",
        "..",
        ".a",
        "a/b",
        "$(id)",
        "`id`",
        "~root",
        "a|b",
        "a&b",
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\u{1b}]52;c;eA==\u{7}",
        "\u{1b}Pq#0\u{1b}\\",
        "a\u{8}b",
        "a\u{7f}",
        "\u{9b}31m",
        "a\u{85}b",
        "\u{202e}ecila",
        "\u{2066}alice",
        "al\u{200d}ice",
        "al\u{ad}ice",
        "\u{feff}alice",
        "alice\u{fe0f}",
        "a\u{301}\u{302}\u{303}",
        "ﬁn",
        "alıce",
        "\u{430}lice",
        "αlice",
        "\u{430}\u{4cf}\u{456}\u{441}\u{435}",
        "𝐚lice",
        "٣",
        "a٣",
        "①",
        "=1+1",
        "a,b",
        "a=b",
        "DOM\\alice",
        "alice:bob",
        "alice\u{2028}",
        "a\u{e0041}",
    ];
    let mut names: Vec<Vec<u8>> = text.iter().map(|t| t.as_bytes().to_vec()).collect();
    names.push(format!("a{}", "\u{301}".repeat(100)).into_bytes());
    for length in [65, 255, 256, 100_000] {
        names.push(vec![b'a'; length]);
    }
    // A lone surrogate, an overlong slash, a torn sequence, Latin-1, NUL's overlong form.
    for bytes in [&b"a\xed\xa0\x80"[..], b"a\xc0\xaf", b"a\xe2\x82", b"\xe9lo\xefse", b"a\xc0\x80"]
    {
        names.push(bytes.to_vec());
    }
    names
}

const NAME_FIELDS: &[&str] = &["user name", "NAME", "UTF-8", "--rename", "group", "--group"];

fn named(words: &[&str], name: &[u8]) -> Vec<OsString> {
    words
        .iter()
        .map(|w| if *w == "NAME" { OsString::from_vec(name.to_vec()) } else { w.into() })
        .collect()
}

#[test]
fn a_name_that_is_none_is_refused_by_every_verb() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    let verbs: [&[&str]; 5] = [
        &["verify", "--", "NAME"],
        &["enrol", "--create", "--no-confirm", "--", "NAME"],
        &["edit-user", "alice", "--rename", "NAME"],
        &["reset", "--yes", "--no-enrol", "--", "NAME"],
        &["list-status", "--group", "NAME"],
    ];
    for name in names() {
        for words in verbs {
            house.refuses(house.world.call_of(named(words, &name)).input(&code), NAME_FIELDS);
        }
    }
    // The other verbs read names by the same door; a few of each kind will do.
    let others: [&[&str]; 9] = [
        &["add-user", "--", "NAME"],
        &["show-user", "--", "NAME"],
        &["show-qr", "--reveal-secrets", "--", "NAME"],
        &["disable", "--yes", "--", "NAME"],
        &["enable", "--", "NAME"],
        &["delete", "--yes", "--", "NAME"],
        &["unlock", "--", "NAME"],
        &["force-new-password", "--yes", "--", "NAME"],
        &["remove-user", "--yes", "--", "NAME"],
    ];
    for name in ["", "a b", "\u{202e}x", "%", "a'--", "../../x", "\u{430}lice", "\u{1b}[2J"] {
        for words in others {
            house.refuses(house.world.call_of(named(words, name.as_bytes())), NAME_FIELDS);
        }
    }
}

#[test]
fn a_name_that_looks_like_an_option_is_refused() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    for verb in ["verify", "enrol", "show-user", "disable", "unlock", "add-user"] {
        for name in ["-", "--", "-a", "--alice", "-h-", "-1", "--help=x", "---", "-\u{1b}[2J"] {
            let fields = &["user name", "NAME", "argument", "value"];
            if !(name == "--" && verb != "verify") {
                house.refuses(house.world.call_of([verb, name]).input(&code), fields);
            }
            house.refuses(house.world.call_of([verb, "--", name]).input(&code), fields);
        }
    }
    for help in ["-h", "--help", "-V", "--version"] {
        for words in [["verify", help], ["verify", "alice"]] {
            let call = house.world.call_of(words.into_iter().chain([help])).input(&code);
            house.refuses(call, &["argument"]);
        }
    }
}

#[test]
fn a_name_that_nobody_has_is_unknown_and_nobody_is_counted() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    for name in
        ["root", "0", "1000", "carol", "alic", "alice.", "alice@x", "+1", "@x", "a-b", "null"]
    {
        let ran = house.refuses(house.world.call_of(["verify", name]).input(&code), &["user"]);
        assert_eq!(ran.code, USER_NOT_FOUND, "{ran:?}");
        let call = house.world.call_of(["reset", name, "--yes", "--no-enrol"]);
        assert_eq!(house.refuses(call, &["user"]).code, USER_NOT_FOUND);
    }
}

#[test]
fn another_spelling_of_a_name_is_the_same_user() {
    if !tools() {
        return;
    }
    let house = House::new();
    for name in ["ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ"] {
        house.world.call_of(["add-user", name]).run().expect(REFUSED);
        let world = house.world.copy();
        let wrong = house.alice.wrong(world.step());
        for _ in 0..5 {
            assert_eq!(world.verify(name, &wrong).outcome(), "rejected");
        }
        assert_eq!(world.verify("alice", &wrong).outcome(), "locked", "one counter for {name}");
    }
    assert_eq!(house.world.sql("SELECT count(*) FROM users"), "2");
    house.world.call_of(["add-user", "éloïse"]).run().expect(0);
    house.world.call_of(["add-user", "e\u{301}loi\u{308}se"]).run().expect(REFUSED);
    house.world.call_of(["add-user", &"a".repeat(64)]).run().expect(0);
}

/// Things that are no code of alice's, though many hold her right one.
fn codes(right: &str) -> Vec<Vec<u8>> {
    let scripts = ['\u{660}', '\u{966}', '\u{ff10}', '\u{1d7ce}', '\u{2080}'].map(|zero| {
        let digit = |c: char| char::from_u32(zero as u32 + c.to_digit(10).unwrap()).unwrap();
        right.chars().map(digit).collect::<String>()
    });
    let (head, tail) = right.split_at(3);
    let mut codes: Vec<Vec<u8>> = [
        format!(" {right}"),
        format!("{right} "),
        format!("\t{right}"),
        format!("\n{right}"),
        format!("{right}\n\n"),
        format!("{right}\r\n\r\n"),
        format!("{right}\n{right}\n"),
        format!("{right}\0junk"),
        format!("{right}\0\0"),
        format!("\0{right}"),
        format!("{right}x"),
        format!("+{right}"),
        format!("-{right}"),
        format!("+{}", &right[1..]),
        format!("{head} {tail}"),
        format!("{head}-{tail}"),
        format!("{head}\u{a0}{tail}"),
        format!("{head}\u{200b}{tail}"),
        format!("\u{feff}{right}"),
        format!("{right}."),
        format!("{right}.0"),
        format!("0{right}"),
        format!("{right}0"),
        format!("00{right}"),
        format!("{right}{right}"),
        format!("'{right}'"),
        format!("\"{right}\""),
        format!("{right} OR 1=1"),
        right[1..].to_owned(),
        right[..5].to_owned(),
        "1".to_owned(),
        "0x1e240".to_owned(),
        "1e5".to_owned(),
        "true".to_owned(),
        "\u{1b}[2J".to_owned(),
    ]
    .into_iter()
    .chain(scripts)
    .map(String::into_bytes)
    .collect();
    for wrong in ["000000", "123456", "999999", "111111"].into_iter().filter(|c| *c != right) {
        codes.push(wrong.into());
    }
    codes.push(vec![0xff; 6]);
    codes.push(vec![b'1'; 64 * 1024]);
    codes.push(vec![0; 6]);
    codes
}

#[test]
fn what_is_no_code_is_rejected_and_the_code_in_it_is_not_spent() {
    if !tools() {
        return;
    }
    let house = House::new();
    let right = house.alice.code(house.world.step() + 1);
    for code in codes(&right) {
        let world = house.world.copy();
        let ran = world.call("verify --json alice").input(&code).run();
        assert_eq!((ran.code, &*ran.outcome()), (1, "rejected"), "{code:?}: {ran:?}");
        assert!(!ran.err.contains(is_raw) && !ran.out.contains(is_raw), "{ran:?}");
        let count = "SELECT failures, wrong_codes FROM users WHERE name = 'alice'";
        assert_eq!(world.sql(count), "1|1", "{code:?}");
        assert_eq!(world.verify("alice", &right).outcome(), "accepted", "{code:?}");
    }
}

#[test]
fn a_code_with_one_line_end_is_that_code_and_spent_in_every_form() {
    if !tools() {
        return;
    }
    let house = House::new();
    let right = house.alice.code(house.world.step() + 1);
    let forms: Vec<String> = ["", "\n", "\r\n", "\0", "\n\0"].map(|e| format!("{right}{e}")).into();
    for form in &forms {
        let world = house.world.copy();
        assert_eq!(world.verify("alice", form).expect(0).outcome(), "accepted", "{form:?}");
        for again in &forms {
            assert_eq!(world.verify("alice", again).outcome(), "replayed", "{form:?} {again:?}");
        }
        for again in codes(&right).iter().take(3) {
            assert_ne!(world.call("verify alice").input(again).run().code, 0);
        }
    }
}

#[test]
fn no_code_at_all_is_misuse_and_counts_for_nobody() {
    if !tools() {
        return;
    }
    let house = House::new();
    for empty in ["", "\n", "\r\n", " ", " \n", "\t"] {
        let ran = house.refuses(house.world.call("verify alice").input(empty), &["code"]);
        assert_eq!(ran.code, USAGE, "{ran:?}");
    }
    // A code in an argument could be read by everybody on the machine.
    let code = house.alice.code(house.world.step() + 1);
    for words in [vec!["verify", "alice", &code], vec!["verify", "alice", "--code", &code]] {
        let ran = house.refuses(house.world.call_of(words).input(&code), &["argument"]);
        assert_eq!(ran.code, USAGE, "{ran:?}");
    }
}

#[test]
fn a_code_of_another_user_or_of_a_former_device_lets_nobody_in() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    let bob = world.pending("bob");
    let step = world.step() + 1;
    assert_eq!(world.verify("alice", &bob.code(step)).expect(1).outcome(), "rejected");
    assert_eq!(world.verify("bob", &house.alice.code(step)).expect(1).outcome(), "rejected");
    world.run("reset alice --yes --json").expect(0);
    assert_eq!(world.verify("alice", &house.alice.code(step)).expect(1).outcome(), "rejected");
    world.run("remove-user alice --yes").expect(0);
    world.verify("alice", &house.alice.code(step)).expect(USER_NOT_FOUND);
    world.run("add-user alice").expect(0);
    world.verify("alice", &house.alice.code(step)).expect(REFUSED);
    let anew = world.active("alice");
    assert_ne!(anew.base32, house.alice.base32);
    assert_eq!(world.verify("alice", &house.alice.code(step)).expect(1).outcome(), "rejected");
}

const NUMBERS: [&str; 14] = [
    "-1",
    "0",
    "2147483648",
    "9223372036854775808",
    "18446744073709551616",
    "1e3",
    " 6",
    "6 ",
    "٦",
    "six",
    "",
    "0x6",
    "6.5",
    "+",
];

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    if !tools() {
        return;
    }
    let house = House::new();
    for number in NUMBERS.into_iter().chain(["5", "9", "10", "301", "NaN", "inf"]) {
        for option in ["--digits", "--period"] {
            let value = format!("{option}={number}");
            let words = ["enrol", "carol", "--create", "--no-confirm", "--allow-incompatible"];
            let call = house.world.call_of(words.into_iter().chain([value.as_str()]));
            house.refuses(call, &[option]);
        }
    }
    for number in ["-1", "101", "100.1", "NaN", "inf", "-0", "1e1", "", " 5", "٣", "five", "+5"] {
        let value = format!("--min-coverage={number}");
        house.refuses(house.world.call_of(["list-status", &value]), &["--min-coverage"]);
    }
}

#[test]
fn spans_without_a_meaning_are_refused_by_name() {
    if !tools() {
        return;
    }
    let house = House::new();
    for span in [
        "",
        " ",
        "90",
        "-1d",
        "0s",
        "0d",
        "d",
        "1y",
        "1mo",
        "٣d",
        "1e3",
        "nan",
        "inf",
        "1d1",
        "99999999999999999999d",
        "9999999999999d",
        "2026-02-30",
        "10000-01-01",
        "1d\u{1b}[2J",
        "1d\n2d",
        "--",
        "1 day ago",
    ] {
        for option in ["--pending-longer-than", "--inactive-for"] {
            let value = format!("{option}={span}");
            let ran = house.refuses(house.world.call_of(["list-status", &value]), &[option]);
            assert_eq!(ran.code, BAD_INPUT, "{ran:?}");
        }
    }
}

#[test]
fn texts_that_could_harm_a_reader_are_refused_by_name() {
    if !tools() {
        return;
    }
    let house = House::new();
    let long = "x".repeat(100_000);
    let hostile = [
        "",
        " ",
        "\t",
        "a\nb",
        "a\r",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{202e}x",
        "\u{2066}x",
        "a\u{7f}",
        "a\u{200b}b",
        "a\u{2028}b",
        &long,
    ];
    for text in hostile {
        for (words, option) in [
            (vec!["disable", "alice", "--yes"], "--reason"),
            (vec!["disable", "alice", "--yes"], "--ticket"),
            (vec!["edit-user", "alice"], "--display-name"),
            (vec!["edit-user", "alice"], "--email"),
            (vec!["enrol", "alice", "--no-confirm"], "--device"),
            (vec!["reset", "alice", "--yes", "--no-enrol"], "--device"),
            (vec!["edit-user", "alice"], "--group"),
        ] {
            let value = format!("{option}={text}");
            let call = house.world.call_of(words.into_iter().chain([value.as_str()]));
            house.refuses(call, &[option, "device label", "group"]);
        }
        let value = format!("--relabel=phone={text}");
        let call = house.world.call_of(["edit-user", "alice", &value]);
        house.refuses(call, &["--relabel", "device label"]);
    }
    for label in ["-x", "+x", "@x", "=1", "a=b", "a,b", "a;b", "a:b", " a", "a "] {
        let value = format!("--device={label}");
        let call = house.world.call_of(["enrol", "alice", "--no-confirm", &value]);
        house.refuses(call, &["device label"]);
    }
    for address in ["alice", "@", "a@", "@b", "a@b@c", "a b@c", "<a@b>", "a@b,c@d", "a@b\u{202e}"] {
        let value = format!("--email={address}");
        house.refuses(house.world.call_of(["edit-user", "alice", &value]), &["--email"]);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_in_every_option() {
    if !tools() {
        return;
    }
    let house = House::new();
    let bytes = b"a\xff\xfeb";
    for words in [
        ["disable", "alice", "--reason", "NAME"],
        ["disable", "alice", "--ticket", "NAME"],
        ["edit-user", "alice", "--display-name", "NAME"],
        ["edit-user", "alice", "--rename", "NAME"],
        ["enrol", "alice", "--device", "NAME"],
        ["list-status", "--quiet", "--group", "NAME"],
        ["list-status", "--quiet", "--inactive-for", "NAME"],
        ["list-status", "--quiet", "--format", "NAME"],
    ] {
        let call = house.world.call_of(named(&words, bytes));
        assert_eq!(house.refuses(call, &[words[2], "UTF-8"]).code, USAGE);
    }
    house.refuses(house.world.call_of(named(&["NAME"], bytes)), &["verb", "UTF-8"]);
}

#[test]
fn a_formula_is_kept_as_it_is_and_disarmed_in_csv() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\"", "a,b", "a\"b,c"] {
        let value = format!("--display-name={formula}");
        world.call_of(["edit-user", "alice", &value]).run().expect(0);
        let list = world.run("list-status --json").expect(0).document();
        assert_eq!(list["users"][0]["display_name"], formula);
        let csv = world.run("list-status --format csv").expect(0).out;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let cell = reader.records().next().unwrap().unwrap()[1].to_owned();
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{csv}");
        assert!(cell.ends_with(formula), "{csv}");
    }
}

#[test]
fn options_that_do_not_fit_are_misuse() {
    if !tools() {
        return;
    }
    let house = House::new();
    for line in [
        "--format xml list-status",
        "list-status --format=xml",
        "list-status --format",
        "list-status --form json",
        "list-stat",
        "frobnicate",
        "LIST-STATUS",
        "list-status extra",
        "list-status --color=maybe",
        "list-status --lang=de",
        "list-status --status=on",
        "list-status --store x.db",
        "list-status --key-file x.key",
        "list-status --config x.toml",
        "verify",
        "verify alice bob",
        "verify alice --yes",
        "verify --store x.db alice",
        "enrol",
        "enrol alice --algorithm",
        "enrol alice --digits 8 --digits 8",
        "reset alice --no-enrol --keep-until-confirmed",
        "reset alice --no-enrol --output x.png",
        "edit-user alice --protected --no-protected",
        "edit-user alice",
        "disable alice --proof email",
        "disable alice --ticket a --ticket b --yes",
        "completions tcl",
    ] {
        let ran = house.world.call(line).run();
        assert_eq!(ran.code, USAGE, "{ran:?}");
        assert!(ran.err.starts_with("mfactl: error: "), "{ran:?}");
        assert!(ran.out.is_empty(), "{ran:?}");
        assert_eq!(ran.err.lines().filter(|l| l.contains("error")).count(), 1, "{ran:?}");
    }
    let none: [&str; 0] = [];
    assert_eq!(house.world.bare(none).run().code, 0, "the overview");
    assert_eq!((house.world.state(), house.world.events()), house.before);
}

#[test]
fn an_algorithm_that_is_unknown_is_refused() {
    if !tools() {
        return;
    }
    let house = House::new();
    for hash in ["MD5", "", "SHA-1", "SHA3", "sha1 ", "none", "\u{1b}[2J"] {
        let value = format!("--algorithm={hash}");
        let words = ["enrol", "carol", "--create", "--no-confirm", "--allow-incompatible", &value];
        house.refuses(house.world.call_of(words), &["--algorithm"]);
    }
}

#[test]
fn an_output_that_is_taken_is_left_alone() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = &house.world;
    let path = |name: &str| world.path(name);
    std::fs::write(path("there.png"), "precious").unwrap();
    std::fs::hard_link(path("there.png"), path("hard.png")).unwrap();
    symlink(path("there.png"), path("link.png")).unwrap();
    symlink(path("nowhere.png"), path("dangling.png")).unwrap();
    std::fs::create_dir(path("folder.png")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path("fifo.png")).status().unwrap();
    assert!(made.success());
    symlink(world.store(), path("store.png")).unwrap();
    symlink(world.key(), path("key.svg")).unwrap();
    for name in [
        "there.png",
        "hard.png",
        "link.png",
        "dangling.png",
        "folder.png",
        "fifo.png",
        "store.png",
        "key.svg",
        "there.png/x.png",
        "missing/x.png",
    ] {
        for words in [
            vec!["enrol", "carol", "--create", "--no-confirm", "--output"],
            vec!["reset", "alice", "--yes", "--output"],
            vec!["show-qr", "bob", "--output"],
        ] {
            let words = words.into_iter().map(OsString::from);
            let call = world.call_of(words.chain([path(name).into_os_string()]));
            let ran = house.refuses(call, &["--output"]);
            assert_eq!(ran.code, CANNOT_CREATE, "{ran:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(path("there.png")).unwrap(), "precious");
    assert!(!path("nowhere.png").exists());
    for name in ["/dev/stdout", "/dev/null", "-", "", "x", "x.jpg", "x.png.txt", ".png/", "/"] {
        let words = ["enrol", "carol", "--create", "--no-confirm", "--output", name];
        let ran = house.refuses(world.call_of(words), &["--output"]);
        assert!([USAGE, CANNOT_CREATE].contains(&ran.code), "{ran:?}");
    }
    house.refuses(world.call_of(["show-qr", "bob", "--output", "/proc/self/x.png"]), &["--output"]);
}

#[test]
fn an_output_over_store_or_key_is_refused() {
    if !tools() {
        return;
    }
    let world = World::empty();
    let (store, key) = (world.path("s/m.png"), world.path("k/m.svg"));
    let call = |words: &[&str], output: &std::path::Path| {
        let files = ["--store".into(), store.clone(), "--key-file".into(), key.clone()];
        let words = words.iter().map(Into::into).chain(["--output".into(), output.to_owned()]);
        world.bare(files.into_iter().chain(words)).run()
    };
    // Before there is a store: the picture must not become it, nor stay behind.
    let enrol = ["enrol", "alice", "--create", "--no-confirm"];
    for output in [&store, &key] {
        std::fs::create_dir_all(output.parent().unwrap()).unwrap();
        let ran = call(&enrol, output);
        assert!(ANSWERS[1..].contains(&ran.code), "{ran:?}");
    }
    let files = ["--store".into(), store.clone(), "--key-file".into(), key.clone()];
    world.bare(files.into_iter().chain(["init".into()])).run().expect(0);
    for output in [&store, &key] {
        let before = std::fs::read(output).unwrap();
        call(&enrol, output).expect(CANNOT_CREATE);
        assert_eq!(std::fs::read(output).unwrap(), before);
    }
}

#[test]
fn a_run_that_fails_leaves_no_output_file() {
    if !tools() {
        return;
    }
    let house = House::new();
    let output = house.world.path("new.png");
    for line in [
        "enrol alice --no-confirm",
        "enrol nobody --no-confirm",
        "enrol alice --device -x",
        "enrol carol --create --digits 9 --allow-incompatible",
        "reset nobody --yes",
        "reset alice --yes --device tablet",
        "reset alice",
        "show-qr alice",
        "show-qr nobody",
        "enrol carol --create --no-confirm --dry-run",
    ] {
        let words = line.split(' ').map(OsString::from);
        let call = house.world.call_of(words.chain(["--output".into(), output.clone().into()]));
        let ran = call.run();
        assert_eq!(ran.code == 0, line.ends_with("--dry-run"), "{ran:?}");
        assert!(!output.exists(), "{ran:?}");
        assert_eq!((house.world.state(), house.world.events()), house.before, "{ran:?}");
    }
}

#[test]
fn an_environment_full_of_nonsense_changes_no_answer() {
    if !tools() {
        return;
    }
    let house = House::new();
    let (right, wrong) =
        (house.alice.code(house.world.step() + 1), house.alice.wrong(house.world.step()));
    for (name, value) in [
        ("TZ", ":/etc/passwd"),
        ("TZ", "nonsense\u{1b}[2J"),
        ("LANG", "xx_YY.garbage"),
        ("LC_ALL", "\u{1b}[2J"),
        ("COLUMNS", "0"),
        ("COLUMNS", "99999999999999"),
        ("LINES", "-1"),
        ("TERM", ""),
        ("TERM", "dumb"),
        ("NO_COLOR", ""),
        ("CLICOLOR_FORCE", "1"),
        ("HOME", "/nonexistent"),
        ("HOME", ""),
        ("HOME", "relative"),
        ("TMPDIR", "/nonexistent"),
        ("XDG_DATA_HOME", "relative"),
        ("XDG_CONFIG_HOME", "/dev/null"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("RUST_MIN_STACK", "1"),
        ("SQLITE_TMPDIR", "/nonexistent"),
        ("SSLKEYLOGFILE", "/dev/full"),
        ("PGHOST", "example.org"),
        ("MFACTL_STORE", "/nonexistent/m.db"),
        ("MFACTL_STORE", "postgres://u:hunter2@h/db"),
        ("MFACTL_KEY_FILE", "/nonexistent/m.key"),
        ("MFACTL_CONFIG", ""),
        ("MFACTL_NOW", "0"),
        ("MFACTL_CLOCK", "0"),
        ("MFACTL_TEST", "1"),
        ("SUDO_USER", "\u{1b}[2J"),
        ("SUDO_UID", "-1"),
        ("COMPLETE", "bash"),
        ("COMPLETE", "fish"),
        ("_CLAP_COMPLETE_INDEX", "1"),
        ("CREDENTIALS_DIRECTORY", "/nonexistent"),
        ("PATH", ""),
    ] {
        let world = house.world.copy();
        let ask =
            |code: &str| world.call("verify --json alice").with(name, value).input(code).run();
        let no = ask(&wrong);
        assert_eq!((no.code, &*no.outcome()), (1, "rejected"), "{name}={value}: {no:?}");
        let yes = ask(&right);
        assert_eq!((yes.code, &*yes.outcome()), (0, "accepted"), "{name}={value}: {yes:?}");
        let told = [&no.out, &no.err, &yes.out, &yes.err].map(String::as_str).concat();
        assert!(!told.contains(is_raw) && !told.contains("hunter2"), "{told}");
        world.call("list-status").with(name, value).run().expect(0);
    }
    for name in ["HOME", "PATH", "LANG"] {
        let world = house.world.copy();
        let call = world.call("verify --json alice").without(name).input(&right);
        assert_eq!(call.run().outcome(), "accepted", "without {name}");
    }
}

#[test]
fn a_variable_that_names_nonsense_is_refused_by_name() {
    if !tools() {
        return;
    }
    let world = World::empty();
    let ask = |name: &str, value: &str| {
        let ran = world.bare(["list-status"]).with(name, value).run();
        assert!(!ran.err.contains(is_raw) && !ran.err.contains("hunter2"), "{ran:?}");
        assert!(ran.out.is_empty(), "{ran:?}");
        ran.code
    };
    assert_eq!(ask("MFACTL_STORE", "postgres://u:hunter2@h/db"), USAGE);
    assert_eq!(ask("MFACTL_STORE", "mysql://u:hunter2@h/db"), USAGE);
    assert_eq!(ask("MFACTL_STORE", "/nonexistent/\u{1b}[2J/m.db"), 69);
    assert_eq!(ask("MFACTL_STORE", "/dev/null"), NOT_PERMITTED);
    assert_eq!(ask("MFACTL_STORE", "/"), NOT_PERMITTED);
    assert_eq!(ask("MFACTL_CONFIG", "/nonexistent/\u{1b}[2J"), CONFIG);
    assert_eq!(ask("MFACTL_CONFIG", "/dev/zero"), NOT_PERMITTED);
}

#[test]
fn a_configuration_that_can_not_be_understood_is_refused_with_its_line() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    let large = format!("# {}\n", "x".repeat(10 << 20));
    for (content, told) in [
        ("[policy]\nwindw = 1\n", "line 2"),
        ("[policy]\nwindow = \"1\"\n", "line 2"),
        ("[policy]\nwindow = 1\nwindow = 1\n", "line 3"),
        ("[policy]\nwindow = -1\n", "window"),
        ("[policy]\nwindow = 3\n", "window"),
        ("[policy]\nwindow = 1000\n", "window"),
        ("[policy]\nwindow = 256\n", "window"),
        ("[policy]\nwindow = 1e3\n", "line 2"),
        ("[policy]\nwindow = 99999999999999999999\n", "line 2"),
        ("[policy]\nundo_for = \"0s\"\n", "undo_for"),
        ("[policy]\nundo_for = \"\"\n", "undo_for"),
        ("[policy]\nundo_for = 24\n", "line 2"),
        ("[policies]\n", "line 1"),
        ("[enrolment]\nexpires_after = \"-1h\"\n", "expires_after"),
        ("[enrolment]\nexpires_after = \"1y\"\n", "expires_after"),
        ("[enrolment]\nissuer = \"\"\n", "issuer"),
        ("[enrolment]\nissuer = \"a:b\"\n", "issuer"),
        ("[enrolment]\nissuer = \"a\\u001b[2J\"\n", "issuer"),
        ("[store]\nreaders = \"no such group \\u001b[2J\"\n", "store.readers"),
        ("[store]\nwriters = 0\n", "line 2"),
        ("[key]\ngroup = \"\"\n", "key.group"),
        ("nonsense", "line 1"),
        ("[policy\n", "line 1"),
        ("a = \u{1b}[2J\n", "line 1"),
        (large.as_str(), "larger"),
    ] {
        let path = house.world.path("config.toml");
        std::fs::write(&path, content).unwrap();
        for line in ["verify alice", "list-status", "reset alice --yes --no-enrol"] {
            let words = ["--config", path.to_str().unwrap()];
            let words = words.into_iter().chain(line.split(' '));
            let ran = house.refuses(house.world.call_of(words).input(&code), &[told]);
            assert_eq!(ran.code, CONFIG, "{ran:?}");
        }
    }
    let path = house.world.path("config.toml");
    for bytes in [&b"\xff\xfe[policy]"[..], b"[policy]\nwindow = \x00\n", b"\x80"] {
        std::fs::write(&path, bytes).unwrap();
        let call = house.world.call_of(["--config", path.to_str().unwrap(), "list-status"]);
        assert_eq!(house.refuses(call, &["config.toml"]).code, CONFIG);
    }
    // An empty file says nothing, and a byte order mark is no key.
    for content in ["", "\n", "# only a remark\n", "\u{feff}[policy]\nwindow = 1\n"] {
        std::fs::write(&path, content).unwrap();
        house.world.call_of(["--config", path.to_str().unwrap(), "list-status"]).run().expect(0);
    }
}
