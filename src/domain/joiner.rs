//! The two invisible characters that some scripts need within a word: ZERO WIDTH NON-JOINER in Persian, ZERO WIDTH
//! JOINER in Sinhala. They may stand where Unicode's rules for identifiers allow them (UAX 31, rules A1, A2 and B),
//! because they change there how a word looks; anywhere else they would make two texts look the same.

use precis_core::{FreeformClass, StringClass as _};
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript as _;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// Whether the character at this byte of the text is a joiner in a place where the script needs it.
#[must_use]
pub fn is_needed(text: &str, at: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(at) else { return false };
    let mut rest = rest.chars();
    let Some(joiner @ (NON_JOINER | JOINER)) = rest.next() else { return false };
    let mut left: Vec<char> = before.chars().rev().take_while(|c| is_part_of_word(*c)).collect();
    left.reverse();
    let right: String = rest.take_while(|c| is_part_of_word(*c)).collect();
    let (Some(last), next) =
        (left.iter().rev().find(|c| !is_combining_mark(**c)), right.chars().next())
    else {
        return false;
    };
    let fits = match next {
        // A vowel sign can't follow a joiner, and no mark a non-joiner.
        Some(next) => {
            !is_combining_mark(next)
                && [*last, next].iter().collect::<String>().as_str().is_single_script()
        }
        None => joiner == JOINER,
    };
    // The rules on viramas and joining types are those of RFC 5892, appendix A.
    let word: String = left.iter().copied().chain([joiner]).chain(right.chars()).collect();
    fits && FreeformClass::default().allows(word).is_ok()
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_needed(text: &str) -> bool {
        let mut joiners =
            text.char_indices().filter(|(_, c)| matches!(*c, NON_JOINER | JOINER)).peekable();
        assert!(joiners.peek().is_some(), "{text:?}");
        joiners.all(|(at, _)| is_needed(text, at))
    }

    #[test]
    fn w16_joiners_stand_where_a_script_needs_them() {
        for text in [
            // Persian: a plural, a verb, a first name of two words.
            "کتاب\u{200c}ها",
            "می\u{200c}خواهم",
            "علی\u{200c}رضا محمدی",
            // Sinhala: Sri, twice; Malayalam: a letter at the end of a word; Hindi: a half form, and an explicit virama.
            "ශ\u{dca}\u{200d}ර\u{dd3} ලංකා ශ\u{dca}\u{200d}ර\u{dd3}",
            "അവന\u{d4d}\u{200d}",
            "क\u{94d}\u{200d}ष",
            "क\u{94d}\u{200c}ष",
        ] {
            assert!(all_needed(text), "{text:?}");
        }
        for text in [
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{200c}ها",
            "کتاب\u{200c}",
            "کتاب\u{200c} ها",
            "کتاب\u{200c}\u{200c}ها",
            // Alef does not join to what follows it.
            "دا\u{200c}ر",
            "م\u{200d}ن",
            "ක\u{200d}ර",
            "\u{dca}\u{200d}ර",
            "ශ\u{dca}\u{200d}\u{dd3}",
            "ශ\u{dca}\u{200d}a",
            "क\u{94d}\u{200c}",
            "👩\u{200d}💻",
            "1\u{200d}",
            "\u{200d}",
        ] {
            assert!(!all_needed(text), "{text:?}");
        }
        assert!(!is_needed("کتاب", 1));
        assert!(!is_needed("ab", 7));
    }
}
