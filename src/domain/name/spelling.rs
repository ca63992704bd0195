//! Spellings that lower-casing letter by letter leaves apart: the two small sigmas of Greek, and the German ß. In
//! capitals they are one, so as names of users they are one too.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

const SIGMA: char = 'σ';
const FINAL_SIGMA: char = 'ς';

/// The canonical spelling of a name in lower case: ς where a word ends and σ elsewhere; ss for ß.
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let is_part_of_word = |c: &char| c.is_alphabetic() || is_combining_mark(*c);
    let (mut folded, mut is_in_word) = (String::with_capacity(name.len()), false);
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            SIGMA | FINAL_SIGMA => {
                let is_final = is_in_word && !rest.peek().is_some_and(is_part_of_word);
                folded.push(if is_final { FINAL_SIGMA } else { SIGMA });
            }
            'ß' => folded.push_str("ss"),
            c => folded.push(c),
        }
        is_in_word = is_part_of_word(&c);
    }
    folded
}

/// What a person sees in this text, whatever its case: one string for all encodings of it.
pub fn seen(text: &str) -> String {
    let visible = text.chars().filter(|c| !matches!(c, '\u{200c}' | '\u{200d}'));
    let capitals = visible.nfkc().collect::<String>().to_uppercase();
    folded(&capitals.to_lowercase().nfkc().collect::<String>())
}

/// Another spelling by which earlier versions may have stored this folded name: what they made of capitals in
/// Greek, or ß.
pub fn earlier(name: &str) -> Option<String> {
    if name.contains(FINAL_SIGMA) {
        return Some(name.replace(FINAL_SIGMA, "σ"));
    }
    name.contains("ss").then(|| name.replace("ss", "ß"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    use crate::domain::name::UserName;

    /// Letters below U+3000 whose title form is not their capital, or whose folded form is not their small letter:
    /// letter, title form, folded form. From the Unicode character database.
    const SPECIAL: &str = include_str!("special_letters.txt");

    struct Cases {
        title: BTreeMap<char, &'static str>,
        fold: BTreeMap<char, &'static str>,
    }

    impl Cases {
        fn new() -> Self {
            let rows = || {
                SPECIAL.lines().map(|line| {
                    let mut cells = line.split('\t');
                    let mut next = || cells.next().unwrap();
                    (next().chars().next().unwrap(), next(), next())
                })
            };
            Self {
                title: rows().map(|(c, title, _)| (c, title)).collect(),
                fold: rows().map(|(c, _, fold)| (c, fold)).collect(),
            }
        }

        fn spellings(&self, word: &str) -> BTreeSet<String> {
            let fold = |c: char| {
                self.fold.get(&c).map_or_else(|| c.to_lowercase().collect(), ToString::to_string)
            };
            let first = word.chars().next().unwrap();
            let title = self.title.get(&first);
            let title = title.map_or_else(|| first.to_uppercase().collect(), ToString::to_string);
            let cases = [
                word.to_owned(),
                word.to_uppercase(),
                word.to_lowercase(),
                word.to_uppercase().to_lowercase(),
                word.chars().map(fold).collect(),
                format!("{title}{}", word[first.len_utf8()..].to_lowercase()),
            ];
            let forms = |word: &String| [word.clone(), word.nfc().collect(), word.nfd().collect()];
            cases.iter().flat_map(forms).collect()
        }
    }

    #[test]
    fn w5_all_spellings_of_all_letters_end_in_one_user_or_are_refused() {
        let cases = Cases::new();
        let (mut pairs, mut users) = (0, 0);
        let letters = ('\u{80}'..'\u{3000}').chain('a'..='z').filter(|c| c.is_alphabetic());
        for c in letters {
            let around = ["", "l", "λ", "ж", "ა", "ա", "ᏸ", "."];
            let words = around
                .iter()
                .flat_map(|a| [format!("{a}{c}"), format!("{c}{a}"), format!("{a}{c}{a}")]);
            for word in words {
                let spellings = cases.spellings(&word);
                let read: BTreeMap<UserName, &String> = spellings
                    .iter()
                    .filter_map(|s| Some((UserName::parse(s).ok()?.for_new_user().ok()?, s)))
                    .collect();
                assert!(read.len() <= 1, "{word:?}: {read:?}");
                pairs += spellings.len();
                users += read.len();
            }
        }
        assert!(pairs > 100_000 && users > 10_000, "{pairs} spellings, {users} names");
    }

    proptest! {
        #[test]
        fn w5_any_text_ends_in_one_user_or_is_refused(word in "\\PC{1,12}|[ςσΣαΑß.@'ss]{1,12}|[\u{370}-\u{3ff}]{1,6}") {
            let read: BTreeSet<UserName> = Cases::new()
                .spellings(&word)
                .iter()
                .filter_map(|s| UserName::parse(s).ok()?.for_new_user().ok())
                .collect();
            prop_assert!(read.len() <= 1, "{:?}", read);
        }
    }

    #[test]
    fn w5_capitals_of_greek_and_german_are_the_same_user() {
        for (spellings, name) in [
            (&["νίκος", "ΝΊΚΟΣ", "Νίκος", "νίκοσ", "ΝΊΚΟς"][..], "νίκος"),
            (&["σίσυφος.παππάς", "ΣΊΣΥΦΟΣ.ΠΑΠΠΆΣ"], "σίσυφος.παππάς"),
            (&["σίσυφος-νίκος", "ςίσυφοσ-νίκοσ", "ΣΊΣΥΦΟΣ-ΝΊΚΟΣ"], "σίσυφος-νίκος"),
            (&["τακης", "ΤΑΚΗΣ", "Τακης", "τακησ"], "τακης"),
            (&["τάκης", "ΤΆΚΗΣ", "Τάκησ"], "τάκης"),
            (&["νίκος2", "ΝΊΚΟΣ2"], "νίκος2"),
            (&["weiß", "WEISS", "WEIẞ", "weiss", "Weiß"], "weiss"),
        ] {
            for spelling in spellings {
                let parsed = UserName::parse(spelling).unwrap();
                assert_eq!(parsed.as_str(), name, "{spelling}");
                assert_eq!(parsed.for_new_user().unwrap().as_str(), name);
            }
        }
        let refused = UserName::parse("ᾳλφις").unwrap().for_new_user().unwrap_err();
        assert_eq!(refused.hint, Some("use the name αιλφις".into()));
    }

    /// Given names and surnames, with and without accents.
    const GREEK: &str = "Τάκης Τακης Νίκος Νικος Γιώργος Γιωργος Κώστας Κωστας Γιάννης Γιαννης Δημήτρης Δημητρης \
        Παναγιώτης Παναγιωτης Βασίλης Βασιλης Χρήστος Χρηστος Αθανάσιος Αθανασιος Μιχάλης Μιχαλης Ανδρέας Ανδρεας \
        Στέλιος Στελιος Σπύρος Σπυρος Ηλίας Ηλιας Λουκάς Λουκας Θωμάς Θωμας Πέτρος Πετρος Παύλος Παυλος Άρης Αρης \
        Μάκης Μακης Σάκης Σακης Τάσος Τασος Πάνος Πανος Παππάς Παππας Κοσμάς Ρήγας Ρηγας Οικονόμου Μαρία Ελένη \
        Ἀλέξανδρος Ἰησοῦς Προΐστας Μαΐου Ευάγγελος";

    #[test]
    fn w5_ordinary_greek_words_in_capitals_end_in_the_same_user() {
        let cases = Cases::new();
        for word in GREEK.split_whitespace() {
            let name = UserName::parse(word).unwrap().for_new_user().unwrap();
            for spelling in cases.spellings(word) {
                assert_eq!(UserName::parse(&spelling).as_ref(), Ok(&name), "{word}: {spelling}");
            }
        }
    }

    #[test]
    fn w5_what_looks_like_another_name_in_its_stored_form_is_no_new_name() {
        let read = UserName::parse("ςο").unwrap();
        assert_eq!(read.spellings().collect::<Vec<_>>(), ["ςο", "σο"], "a stored user is found");
        assert!(read.for_new_user().is_err() && crate::domain::name::new_group("ςο").is_err());
        for typed in ["σο", "ΣΟ", "Σο", "νικη", "ΝΙΚΗ"] {
            let error = UserName::parse(typed).unwrap_err().to_string();
            assert!(error.contains("looks like another name"), "{typed}: {error}");
        }
    }

    #[test]
    fn w5_a_new_group_is_no_other_group_in_capitals() {
        use crate::domain::name::{group, group_spelling, new_group};
        assert_eq!(group("ᾳλφις").as_deref(), Ok("ᾳλφις"), "whoever is in it can leave it");
        let refused = new_group("ᾳλφις").unwrap_err();
        assert_eq!(refused.hint, Some("use the name αιλφις".into()));
        assert_eq!(refused.field.as_deref(), Some("group"));
        assert_eq!(new_group("ΦΟΙΤΗΤΈΣ").as_deref(), Ok("φοιτητές"));
        assert_eq!(new_group("Weiß").as_deref(), Ok("weiss"));
        assert_eq!(group_spelling("φοιτητέσ"), "φοιτητές");
    }

    #[test]
    fn w5_no_new_name_has_a_letter_that_looks_like_a_mark() {
        use crate::domain::name::new_group;
        for typed in ["oʼbrien", "oʻbrien", "oʹbrien", "o\u{2c8}brien", "aː", "oˮbrien", "мʼята"]
        {
            let read = UserName::parse(typed).unwrap();
            let refused = read.for_new_user().unwrap_err();
            assert!(refused.to_string().contains("looks like a mark"), "{typed}: {refused}");
            assert_eq!(refused.hint, Some("write an apostrophe as '".into()));
            assert!(new_group(typed).is_err(), "{typed}");
        }
        assert!(UserName::parse("o'brien").unwrap().for_new_user().is_ok());
        assert!(UserName::parse("м'ята").unwrap().for_new_user().is_ok());
    }

    #[test]
    fn w5_groups_are_the_same_in_every_spelling() {
        use crate::domain::name::{group, has_one_spelling, is_same_group};
        for typed in ["φοιτητές", "ΦΟΙΤΗΤΈΣ", "φοιτητέσ"] {
            assert_eq!(group(typed).as_deref(), Ok("φοιτητές"), "{typed}");
            assert!(is_same_group(typed.to_lowercase().as_str(), "φοιτητές"));
        }
        assert!(is_same_group("φοιτητέσ", "φοιτητές") && is_same_group("weiß", "weiss"));
        assert!(!is_same_group("staff", "staf") && !is_same_group("φοιτητέ", "φοιτητές"));
        assert!(has_one_spelling("staff") && !has_one_spelling("weiss"));
    }

    #[test]
    fn w5_what_earlier_versions_stored_is_looked_for_first_where_it_was_typed() {
        let spellings = |typed: &str| {
            let name = UserName::parse(typed).unwrap();
            name.spellings().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(spellings("ΝΊΚΟΣ"), ["νίκοσ", "νίκος"]);
        assert_eq!(spellings("νίκος"), ["νίκος", "νίκοσ"]);
        assert_eq!(spellings("weiß"), ["weiß", "weiss"]);
        assert_eq!(spellings("weiss"), ["weiss", "weiß"]);
        assert_eq!(spellings("alice"), ["alice"]);
    }
}
