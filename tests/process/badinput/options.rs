//! Options: numbers, spans, texts, and options that exclude each other.

use super::{House, named, tools};
use crate::support::{BAD_INPUT, USAGE};

/// Whole numbers that are out of the range of `--digits` and of `--period`.
const OUT_OF_RANGE: [&str; 7] = ["0", "5", "9", "10", "301", "2147483648", "9223372036854775808"];

/// Words that are no whole number, or one of more than 64 bits.
const NO_NUMBERS: [&str; 14] = [
    "-1",
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
    "NaN",
    "inf",
    "6,0",
];

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    if !tools() {
        return;
    }
    let house = House::new();
    let out_of_range = OUT_OF_RANGE.map(|number| (number, BAD_INPUT));
    for (number, expected) in out_of_range.into_iter().chain(NO_NUMBERS.map(|word| (word, USAGE))) {
        for option in ["--digits", "--period"] {
            let value = format!("{option}={number}");
            let words = ["enrol", "carol", "--create", "--no-confirm", "--allow-incompatible"];
            let call = house.world.call_of(words.into_iter().chain([value.as_str()]));
            house.refuses(call, expected, &[option]);
        }
    }
    for number in ["-1", "101", "100.1", "NaN", "inf", "-0", "1e1", "", " 5", "٣", "five", "+5"] {
        let value = format!("--min-coverage={number}");
        let call = house.world.call_of(["list-status", &value]);
        house.refuses(call, USAGE, &["--min-coverage"]);
    }
}

#[test]
fn invalid_spans_are_refused_by_name() {
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
            house.refuses(house.world.call_of(["list-status", &value]), BAD_INPUT, &[option]);
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
            house.refuses(call, BAD_INPUT, &[option, "device label", "group"]);
        }
        let value = format!("--relabel=phone={text}");
        let call = house.world.call_of(["edit-user", "alice", &value]);
        house.refuses(call, BAD_INPUT, &["--relabel", "device label"]);
    }
    for label in ["-x", "+x", "@x", "=1", "a=b", "a,b", "a;b", "a:b", " a", "a "] {
        let value = format!("--device={label}");
        let call = house.world.call_of(["enrol", "alice", "--no-confirm", &value]);
        house.refuses(call, BAD_INPUT, &["device label"]);
    }
    for address in ["alice", "@", "a@", "@b", "a@b@c", "a b@c", "<a@b>", "a@b,c@d", "a@b\u{202e}"] {
        let value = format!("--email={address}");
        let call = house.world.call_of(["edit-user", "alice", &value]);
        house.refuses(call, BAD_INPUT, &["--email"]);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_in_every_option() {
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
        house.refuses(call, USAGE, &[words[2], "UTF-8"]);
    }
    house.refuses(house.world.call_of(named(&["NAME"], bytes)), USAGE, &["verb", "UTF-8"]);
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
        house.refuses(house.world.call_of(words), BAD_INPUT, &["--algorithm"]);
    }
}
