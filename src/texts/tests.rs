//! The tables of the languages against each other, against the rules of writing, and against the sources. Each rule is
//! tried on a bad sample too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::domain::user::Language;
use crate::texts::{Text, Texts};

/// All sources that may use a text: those outside the tables and outside tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if name != "tests" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "testing.rs"].contains(&name.as_str())
        {
            let is_table = path.parent().unwrap().ends_with("texts")
                && (name == "text.rs"
                    || fs::read_to_string(&path).unwrap().contains(": LanguageTable ="));
            if !is_table {
                let text = fs::read_to_string(&path).unwrap();
                found.push(text.split("\n#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
            }
        }
    }
}

/// The names that no source has behind `Text::`.
fn unused<'n>(names: &[&'n str], sources: &[String]) -> BTreeSet<&'n str> {
    let is_used = |name: &str| {
        let whole = format!("Text::{name}");
        sources.iter().any(|source| {
            source.match_indices(&whole).any(|(at, _)| {
                let next = source[at + whole.len()..].chars().next();
                !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
        })
    };
    names.iter().copied().filter(|name| !is_used(name)).collect()
}

#[test]
fn every_text_has_a_reader() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 200, "the walk found the sources");
    let names: Vec<String> = Text::ALL.iter().map(|text| format!("{text:?}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(unused(&names, &found), BTreeSet::new(), "no source uses these");
}

#[test]
fn a_text_that_nobody_uses_is_found() {
    let sources = ["texts.text(Text::CodeWrong), Text::Code;".to_owned()];
    let unused = unused(&["Code", "CodeWrong", "CodeUsed", "CodeWro"], &sources);
    assert_eq!(unused, ["CodeUsed", "CodeWro"].into());
}

/// What is wrong with the writing of a French text.
fn french_faults(text: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if text.contains('\'') {
        faults.push("an ASCII apostrophe");
    }
    if text.contains('"') {
        faults.push("ASCII quotation marks");
    }
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        // A colon between digits, or in an address, is no punctuation.
        let ends_a_part = after.is_none_or(|after| after.is_whitespace());
        let is_mark = matches!(c, '!' | '?' | '»') || (matches!(c, ':' | ';') && ends_a_part);
        if is_mark && before.is_some_and(|before| !matches!(before, '\u{a0}' | '\u{202f}')) {
            faults.push("no no-break space before : ; ! ? »");
        }
        if *c == '«' && !matches!(after, Some('\u{a0}' | '\u{202f}')) {
            faults.push("no no-break space after «");
        }
    }
    faults
}

#[test]
fn french_is_written_as_french() {
    for text in Text::ALL {
        let words = Texts(Language::French).text(*text);
        assert_eq!(french_faults(words), [""; 0], "{text:?}: {words}");
    }
}

#[test]
fn french_that_is_written_as_english_is_found() {
    let space = "no no-break space before : ; ! ? »";
    for (words, faults) in [
        ("l'application", vec!["an ASCII apostrophe"]),
        ("un \"mot\"", vec!["ASCII quotation marks"]),
        ("Compte : {user}", vec![space]),
        ("Compte: {user}", vec![space]),
        ("refusé ; attendez", vec![space]),
        ("Quoi ?", vec![space]),
        ("Quoi!", vec![space]),
        ("«\u{a0}aaa »", vec![space]),
        ("« aaa\u{a0}»", vec!["no no-break space after «"]),
        ("Compte\u{a0}: l’{user}\u{a0}; «\u{a0}a\u{a0}»\u{202f}! 12:30", vec![]),
    ] {
        assert_eq!(french_faults(words), faults, "{words}");
    }
}

/// In what two texts differ that say the same in two languages.
fn differences(one: &str, other: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    if placeholders(one) != placeholders(other) {
        found.push("placeholders");
    }
    // Each step and each warning is a text of its own, or a line of one.
    if one.lines().count() != other.lines().count() {
        found.push("steps");
    }
    let is_heavy = |text: &str| text.contains(['!', '⚠']);
    if is_heavy(one) != is_heavy(other) {
        found.push("warnings");
    }
    if numbers(one) != numbers(other) {
        found.push("numbers");
    }
    if one.trim().is_empty() != other.trim().is_empty() {
        found.push("words");
    }
    found
}

/// The names of the placeholders, and a brace that none closes.
fn placeholders(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split_once('}').map_or("{", |(name, _)| name)).collect()
}

fn numbers(text: &str) -> Vec<&str> {
    let mut numbers: Vec<_> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_language_says_the_same() {
    for language in Language::ALL {
        for text in Text::ALL {
            let (english, other) =
                (Texts(Language::English).text(*text), Texts(language).text(*text));
            assert_eq!(differences(english, other), [""; 0], "{text:?}: {english}\n{other}");
            assert!(!other.trim().is_empty(), "{text:?} is empty in {}", language.code());
        }
    }
}

#[test]
fn languages_that_differ_are_found() {
    for (one, other, expected) in [
        ("{user}: signed in", "{name}\u{a0}: connecté", vec!["placeholders"]),
        ("{user}", "", vec!["placeholders", "steps", "words"]),
        ("{a} {b}", "{b} {a}", vec![]),
        ("{a}", "{a", vec!["placeholders"]),
        ("Install it.\nScan this.", "Installez-la.", vec!["steps"]),
        ("Destroy this page!", "Détruisez cette page.", vec!["warnings"]),
        ("within 24 hours", "en 48 heures", vec!["numbers"]),
        ("Code", "Code", vec![]),
    ] {
        assert_eq!(differences(one, other), expected, "{one}");
    }
}

#[test]
fn values_stay_as_they_are() {
    let filled = Texts(Language::French)
        .fill(Text::NoticeAccount, &[("user", "{issuer}"), ("issuer", "}{")]);
    assert_eq!(filled, "Compte\u{a0}: {issuer} (}{)");
}

#[test]
fn french_has_the_singular_for_nothing_too() {
    for (count, english, french) in [
        (0, "0 recovery codes", "0 code de secours"),
        (1, "1 recovery code", "1 code de secours"),
        (2, "2 recovery codes", "2 codes de secours"),
    ] {
        let counted =
            |language| Texts(language).counted(count, Text::RecoveryCode, Text::RecoveryCodes);
        assert_eq!(counted(Language::English), english);
        assert_eq!(counted(Language::French), french);
    }
}

#[test]
fn a_language_is_known_by_its_code_alone() {
    for language in Language::ALL {
        assert_eq!(Language::of_code(language.code()), Some(language));
    }
    assert_eq!(Language::of_code("de"), None);
}
