//! Names that can be mistaken for another one: mixed scripts, and letters that look like others (UTS 39).

use unicode_normalization::char::decompose_canonical;
use unicode_security::{MixedScript as _, is_potential_mixed_script_confusable_char};

use crate::domain::name::{is_mark, unacceptable};
use crate::domain::refusal::Refusal;
use crate::domain::text;

/// Refuses a name in lower case that mixes scripts or can be mistaken for another one. `typed` is for the message.
pub fn refuse(field: &str, typed: &str, name: &str) -> Result<(), Refusal> {
    if name.is_ascii() {
        return Ok(());
    }
    // A mark that NFC does not compose with its letter only makes it look like another letter.
    let uncomposed = name.chars().any(|c| matches!(c, '\u{300}'..='\u{36f}'));
    let letters: Vec<char> = name.chars().collect();
    let stacked = letters.windows(3).any(|w| w.iter().all(|c| is_mark(*c)));
    if uncomposed || stacked || letters.first().is_some_and(|c| is_mark(*c)) {
        return Err(unacceptable(field, typed));
    }
    let letters: String = name.chars().filter(|c| c.is_alphabetic() || is_mark(*c)).collect();
    let foreign_digits = name.chars().any(|c| c.is_numeric() && !c.is_ascii_digit());
    if !letters.as_str().is_single_script() || foreign_digits {
        return Err(text::refuse(field, typed, "mixes scripts")
            .hint("write all its letters in one script, and digits as 0 to 9"));
    }
    if name.chars().any(is_unusual_latin) || is_whole_script_confusable(name) {
        return Err(text::refuse(field, typed, "looks like another name in plain letters")
            .hint("type it with plain letters"));
    }
    Ok(())
}

/// A Latin letter that no language writes names with: a dotless i, a letter of the phonetic alphabet, a
/// small capital.
fn is_unusual_latin(c: char) -> bool {
    let latin = matches!(c, '\u{80}'..='\u{2af}' | '\u{1d00}'..='\u{1dbf}' | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}');
    let mut base = c;
    decompose_canonical(c, |part| {
        if !is_mark(part) {
            base = part;
        }
    });
    latin && !base.is_ascii() && !"ßæœøðþđħłŋŧə".contains(base)
}

/// A letter that stands beside others like an apostrophe, a quotation mark or a colon. Names that have one are read,
/// because earlier versions stored them, but nobody gets one any more: oʼbrien is taken for o'brien.
pub const fn is_modifier(c: char) -> bool {
    matches!(c, '\u{2b0}'..='\u{2ff}' | '\u{559}' | '\u{7f4}' | '\u{7f5}' | '\u{a788}'..='\u{a78c}')
}

/// Whether a name is in another script and all its letters look like letters of a third one, so that it
/// can be mistaken for an ASCII name (UTS 39, whole-script confusables). The exact table of UTS 39
/// would accept a few more names, but relocating its thousands of pointers slows down every start.
fn is_whole_script_confusable(name: &str) -> bool {
    let mut letters = name.chars().filter(|c| !c.is_ascii()).peekable();
    let foreign = |c: char| c > '\u{2af}' && !matches!(c, '\u{1e00}'..='\u{1eff}');
    letters.peek().is_some_and(|c| foreign(*c))
        && letters.all(is_potential_mixed_script_confusable_char)
}
