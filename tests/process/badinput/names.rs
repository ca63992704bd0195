//! Invalid names.

use super::{House, named, tools};
use crate::support::{BAD_INPUT, REFUSED, USAGE, USER_NOT_FOUND};

/// Invalid names, as bytes.
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
    for length in [256, 257, 1021, 100_000] {
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

#[test]
fn an_invalid_name_is_refused_by_every_verb() {
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
        let expected = if std::str::from_utf8(&name).is_ok() { BAD_INPUT } else { USAGE };
        for words in verbs {
            let call = house.world.call_of(named(words, &name)).input(&code);
            house.refuses(call, expected, NAME_FIELDS);
        }
    }
    // The other verbs parse names with the same function; a few names of each kind are enough.
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
            let call = house.world.call_of(named(words, name.as_bytes()));
            house.refuses(call, BAD_INPUT, NAME_FIELDS);
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
            // Only `verify`, which a login service calls, has no help flag.
            let is_option = name == "--" || name == "-h-";
            if !is_option || verb == "verify" {
                // A single hyphen is an argument and no option.
                let expected = if name == "-" { BAD_INPUT } else { USAGE };
                house.refuses(house.world.call_of([verb, name]).input(&code), expected, fields);
            }
            let call = house.world.call_of([verb, "--", name]).input(&code);
            house.refuses(call, BAD_INPUT, fields);
        }
    }
    for help in ["-h", "--help", "-V", "--version"] {
        for words in [["verify", help], ["verify", "alice"]] {
            let call = house.world.call_of(words.into_iter().chain([help])).input(&code);
            house.refuses(call, USAGE, &["argument"]);
        }
    }
}

#[test]
fn an_unknown_name_is_reported_and_counts_as_no_failure() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    for name in
        ["root", "0", "1000", "carol", "alic", "alice.", "alice@x", "+1", "@x", "a-b", "null"]
    {
        let call = house.world.call_of(["verify", name]).input(&code);
        house.refuses(call, USER_NOT_FOUND, &["user"]);
        let call = house.world.call_of(["reset", name, "--yes", "--no-enrol"]);
        house.refuses(call, USER_NOT_FOUND, &["user"]);
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
