//! Finding people by a few words: who matches a text, and how well.

use memchr::memmem::Finder;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{is_harmful, prose_line};
use crate::domain::user::User;

/// The longest text to search for, in characters.
const LONGEST: usize = 200;
/// Stands between the fields of a person. No word that is searched for can hold it.
const BETWEEN: char = '\n';

/// What is known of a person without their devices.
#[derive(Clone, Copy, Debug)]
pub struct PersonText<'a> {
    pub name: &'a str,
    pub display_name: &'a str,
    pub email: &'a str,
    /// Separated by blanks.
    pub groups: &'a str,
}

/// How well a person matches, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The text is the user name.
    Name,
    /// The text is the e-mail address.
    Mail,
    /// The text is the display name.
    DisplayName,
    /// The user name begins with the text. Of several words the one with the worst place counts, here and below.
    NameStart,
    /// A word of the display name begins with it, or a later word of the user name.
    WordStart,
    /// The e-mail address begins with it.
    MailStart,
    /// A later word of the e-mail address begins with it.
    MailWordStart,
    /// Some word is only inside of one.
    Inside,
    /// Some word is only in a group.
    Group,
}

/// A text to search for: words that must all occur.
#[derive(Clone, Debug)]
pub struct SearchText {
    whole: String,
    words: Vec<Finder<'static>>,
}

impl SearchText {
    /// Reads what an operator typed. `field` is the argument that errors name; an empty text is `usage`.
    pub fn parse(field: &str, typed: &str) -> Result<Self, Refusal> {
        let empty = || {
            Refusal::new(ErrorCode::Usage, "there is nothing to search for")
                .field(field)
                .hint("give a part of a name, an e-mail address or a group")
        };
        if typed.trim().is_empty() {
            return Err(empty());
        }
        let text = prose_line(field, typed, LONGEST)?;
        let mut whole = String::new();
        fold(&text, &mut whole);
        let words: Vec<&str> = whole.split_whitespace().collect();
        // Nothing but accents.
        if words.is_empty() {
            return Err(empty());
        }
        let finders = words.iter().map(|word| Finder::new(word).into_owned()).collect();
        Ok(Self { whole: words.join(" "), words: finders })
    }

    /// Whether the user matches at all.
    #[must_use]
    pub fn finds(&self, user: &User) -> bool {
        let profile = &user.profile;
        let person = PersonText {
            name: user.name.as_str(),
            display_name: profile.display_name.as_deref().unwrap_or_default(),
            email: profile.email.as_deref().unwrap_or_default(),
            groups: &profile.groups.join(" "),
        };
        self.rank(&person, &mut String::new()).is_some()
    }

    /// How well the person matches; `None` if a word does not occur. `folded` is memory to reuse for the next person.
    #[must_use]
    pub fn rank(&self, person: &PersonText<'_>, folded: &mut String) -> Option<Rank> {
        folded.clear();
        let mut ends = [0; 4];
        let fields = [person.name, person.display_name, person.email, person.groups];
        for (end, field) in ends.iter_mut().zip(fields) {
            fold(field, folded);
            *end = folded.len();
            folded.push(BETWEEN);
        }
        if !self.words.iter().all(|word| word.find(folded.as_bytes()).is_some()) {
            return None;
        }
        let [name, display_name, email, _] = ends;
        let wholes = [
            (Rank::Name, &folded[..name]),
            (Rank::Mail, &folded[display_name + 1..email]),
            (Rank::DisplayName, &folded[name + 1..display_name]),
        ];
        let is_whole = |text: &str| text == self.whole;
        let whole = wholes.into_iter().find(|(_, text)| is_whole(text)).map(|(rank, _)| rank);
        let starts = FieldStarts { email: display_name + 1, groups: email + 1 };
        whole.or_else(|| self.words.iter().map(|word| starts.rank_of(word, folded)).max())
    }
}

/// Where the later fields begin. The user name and the display name stand before them.
struct FieldStarts {
    email: usize,
    groups: usize,
}

impl FieldStarts {
    /// The best place at which the word occurs.
    fn rank_of(&self, word: &Finder<'_>, folded: &str) -> Rank {
        let is_person = |at: &usize| *at < self.groups;
        let places = word.find_iter(folded.as_bytes()).take_while(is_person);
        places.map(|at| self.rank_at(at, folded)).min().unwrap_or(Rank::Group)
    }

    fn rank_at(&self, at: usize, folded: &str) -> Rank {
        let before = folded[..at].chars().next_back();
        match before {
            None => Rank::NameStart,
            Some(c) if c.is_alphanumeric() => Rank::Inside,
            Some(_) if at < self.email => Rank::WordStart,
            Some(_) if at == self.email => Rank::MailStart,
            Some(_) => Rank::MailWordStart,
        }
    }
}

/// Adds the text without accents and case: NFKD (UAX 15) without marks, small letters, and `ss` for ß, `σ` for ς. What
/// can't be seen is left out.
fn fold(text: &str, folded: &mut String) {
    if text.is_ascii() {
        let start = folded.len();
        folded.push_str(text);
        folded[start..].make_ascii_lowercase();
        return;
    }
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && !is_harmful(*c)) {
        match unjoined(c) {
            Some(letters) => folded.push_str(letters),
            // By way of the capital, which is one for both small sigmas.
            None => folded.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
}

/// Letters that Unicode does not take apart, in the way people type them without the right keyboard.
const fn unjoined(c: char) -> Option<&'static str> {
    Some(match c {
        'Æ' | 'æ' => "ae",
        'Œ' | 'œ' => "oe",
        'Ø' | 'ø' => "o",
        'Ð' | 'ð' | 'Đ' | 'đ' => "d",
        'Ħ' | 'ħ' => "h",
        'Ł' | 'ł' => "l",
        'Þ' | 'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALICE: PersonText<'_> = PersonText {
        name: "amartin",
        display_name: "Alice Martin",
        email: "alice.martin@example.com",
        groups: "sales staff",
    };

    fn rank(text: &str, person: PersonText<'_>) -> Option<Rank> {
        SearchText::parse("TEXT", text).unwrap().rank(&person, &mut String::new())
    }

    #[test]
    fn d6_people_are_ranked_by_where_the_words_are() {
        for (text, expected) in [
            ("amartin", Some(Rank::Name)),
            ("AMARTIN", Some(Rank::Name)),
            ("Alice.Martin@EXAMPLE.com", Some(Rank::Mail)),
            ("alice  martin", Some(Rank::DisplayName)),
            ("martin alice", Some(Rank::WordStart)),
            ("mart", Some(Rank::WordStart)),
            ("am", Some(Rank::NameStart)),
            ("am al", Some(Rank::WordStart)),
            ("alice.m", Some(Rank::MailStart)),
            ("example", Some(Rank::MailWordStart)),
            ("alice exam", Some(Rank::MailWordStart)),
            ("artin", Some(Rank::Inside)),
            ("alice art", Some(Rank::Inside)),
            ("sales", Some(Rank::Group)),
            ("alice staff", Some(Rank::Group)),
            ("alice bob", None),
            // Not across fields.
            ("amartinalice", None),
            ("comsales", None),
        ] {
            assert_eq!(rank(text, ALICE), expected, "{text}");
        }
    }

    #[test]
    fn d6_a_later_word_of_the_name_counts_like_a_word_of_the_display_name() {
        let person = PersonText { name: "j.martin", ..ALICE };
        let nameless = PersonText { display_name: "", email: "", ..person };
        assert_eq!(rank("mart", nameless), Some(Rank::WordStart));
        assert_eq!(rank("j.mart", nameless), Some(Rank::NameStart));
    }

    #[test]
    fn d6_case_and_accents_are_ignored_both_ways() {
        for (stored, typed) in [
            ("Hélène Müller", "helene muller"),
            ("Helene Muller", "HÉLÈNE MÜLLER"),
            ("Ame\u{301}lie", "Amélie"),
            ("Weiß", "WEISS"),
            ("WEISS", "weiß"),
            ("ΝΊΚΟΣ", "νικος"),
            ("Νίκος", "ΝΙΚΟΣ"),
            ("Łukasz Brzęczyszczykiewicz", "lukasz brzeczyszczykiewicz"),
            ("Søren Ærø", "soren aero"),
            ("İstanbul", "istanbul"),
            ("Ángel Ñandú", "angel nandu"),
            ("علی\u{200c}رضا", "علیرضا"),
            ("ﬁne", "fine"),
            ("田中", "田中"),
        ] {
            let person = PersonText { name: "x", display_name: stored, email: "", groups: "" };
            assert!(rank(typed, person).is_some(), "{typed} finds {stored}");
        }
    }

    #[test]
    fn d6_an_empty_text_is_misuse_and_a_harmful_one_is_no_input() {
        for (text, code) in [
            ("", ErrorCode::Usage),
            ("  ", ErrorCode::Usage),
            ("\u{301}", ErrorCode::Usage),
            ("a\u{1b}[2J", ErrorCode::BadInput),
            ("a\u{202e}b", ErrorCode::BadInput),
            (&"a".repeat(201), ErrorCode::BadInput),
        ] {
            assert_eq!(SearchText::parse("TEXT", text).unwrap_err().code, code, "{text:?}");
        }
    }

    #[test]
    fn d6_nobody_is_found_by_a_field_that_is_empty() {
        let person = PersonText { name: "x", display_name: "", email: "", groups: "" };
        assert_eq!(rank("a", person), None);
    }

    proptest! {
        #[test]
        fn d6_everybody_is_found_by_their_own_display_name(shown in "\\PC{1,20}", name in "[a-z]{1,8}") {
            let Ok(text) = SearchText::parse("TEXT", &shown) else { return Ok(()) };
            let person = PersonText { name: &name, display_name: &shown, email: "", groups: "" };
            prop_assert!(text.rank(&person, &mut String::new()).is_some());
        }
    }
}
