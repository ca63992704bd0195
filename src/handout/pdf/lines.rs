//! From a text to lines of a width.

use std::ops::Range;

use crate::handout::pdf::font::{Letter, Measured};

/// The smallest size in points that most people read on paper.
pub const SMALLEST: f32 = 5.5;

/// What happens to a word that is wider than a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlong {
    /// It gets a line of its own and is smaller there; if the smallest size does not do, it is cut.
    Cut,
    /// It goes on in the next line: of a key no letter may be missing.
    Broken,
}

/// A line: some letters of a text, all of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct TextLine {
    pub letters: Range<usize>,
    /// In points.
    pub size: f32,
    /// In points, with the ellipsis.
    pub width: f32,
    /// Whether an ellipsis follows.
    pub is_cut: bool,
}

impl Measured {
    /// The lines of the text, none wider than `width`: broken at blanks. No-break spaces hold words together.
    pub fn lines(&self, size: f32, width: f32, overlong: Overlong) -> Vec<TextLine> {
        let letters = &self.letters;
        let mut lines = Vec::new();
        let mut open: Option<TextLine> = None;
        for word in words(letters) {
            let word_width = width_of(&letters[word.clone()], size);
            if let Some(line) = &mut open {
                let more = width_of(&letters[line.letters.end..word.start], size) + word_width;
                if line.width + more <= width {
                    line.width += more;
                    line.letters.end = word.end;
                    continue;
                }
            }
            lines.extend(open.take());
            if word_width <= width {
                open = Some(TextLine { letters: word, size, width: word_width, is_cut: false });
            } else if overlong == Overlong::Cut {
                lines.push(self.fitted(word, size, width));
            } else {
                lines.extend(broken(letters, word, size, width));
            }
        }
        lines.extend(open);
        lines
    }

    /// A word on a line of its own that is too narrow for it.
    fn fitted(&self, word: Range<usize>, size: f32, width: f32) -> TextLine {
        let smaller = width / width_of(&self.letters[word.clone()], 1.0);
        if smaller >= SMALLEST {
            return TextLine { letters: word, size: smaller.min(size), width, is_cut: false };
        }
        let size = size.min(SMALLEST);
        let ellipsis = self.ellipsis.width(size);
        let mut line =
            TextLine { letters: word.start..word.start, size, width: ellipsis, is_cut: true };
        for at in word {
            let wider = line.width + self.letters[at].width(size);
            if wider > width {
                break;
            }
            line.width = wider;
            line.letters.end = at + 1;
        }
        line
    }
}

fn broken(letters: &[Letter], word: Range<usize>, size: f32, width: f32) -> Vec<TextLine> {
    let empty = |at| TextLine { letters: at..at, size, width: 0.0, is_cut: false };
    let mut lines = vec![];
    let mut line = empty(word.start);
    for at in word {
        let letter = letters[at].width(size);
        // A line has one letter at least, or there would be no end.
        if line.width + letter > width && !line.letters.is_empty() {
            lines.push(line);
            line = empty(at);
        }
        line.width += letter;
        line.letters.end = at + 1;
    }
    lines.push(line);
    lines
}

/// What is between blanks.
pub fn words(letters: &[Letter]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + letters[at..].iter().position(|letter| !letter.is_blank)?;
        let length = letters[start..].iter().position(|letter| letter.is_blank);
        at = length.map_or(letters.len(), |length| start + length);
        Some(start..at)
    })
}

/// In points, at a size in points.
pub fn width_of(letters: &[Letter], size: f32) -> f32 {
    letters.iter().map(|letter| letter.width(size)).sum()
}

#[cfg(test)]
mod tests {
    use crate::handout::pdf::font::{Fonts, Unfit, Weight};
    use crate::handout::pdf::lines::*;

    fn measured(text: &str) -> Measured {
        Fonts::read().unwrap().measure(text, Weight::Regular).unwrap()
    }

    fn broken_into(text: &str, size: f32, width: f32, overlong: Overlong) -> Vec<String> {
        let text = measured(text);
        let letters: Vec<char> = text.text.chars().collect();
        let lines = text.lines(size, width, overlong);
        assert!(lines.iter().all(|line| line.width <= width + 0.01), "{lines:?}");
        let words = |line: &TextLine| {
            let words: String = letters[line.letters.clone()].iter().collect();
            words + if line.is_cut { "…" } else { "" }
        };
        lines.iter().map(words).collect()
    }

    #[test]
    fn letters_have_the_widths_of_the_font() {
        // DejaVu Sans: 1139 of 2048 units for a digit, 651 for a blank.
        let text = measured("7 ");
        assert!((text.letters[0].width(2048.0) - 1303.0).abs() < 0.5);
        assert!((text.letters[1].width(2048.0) - 651.0).abs() < 0.5);
        assert!((width_of(&text.letters, 20.48) - 19.54).abs() < 0.01);
    }

    #[test]
    fn lines_break_at_blanks_only() {
        let cut = Overlong::Cut;
        assert_eq!(broken_into("one two  three", 10.0, 45.0, cut), ["one two", "three"]);
        assert_eq!(broken_into("one two three", 10.0, 500.0, cut), ["one two three"]);
        assert_eq!(broken_into("one two\u{a0}three", 10.0, 60.0, cut), ["one", "two\u{a0}three"]);
        assert_eq!(
            broken_into("one two\u{202f}three", 10.0, 60.0, cut),
            ["one", "two\u{202f}three"]
        );
        assert_eq!(broken_into(" a ", 10.0, 60.0, cut), ["a"]);
        assert!(broken_into("", 10.0, 60.0, cut).is_empty());
        assert!(broken_into("  ", 10.0, 60.0, cut).is_empty());
    }

    #[test]
    fn a_long_word_gets_smaller_before_it_is_cut() {
        let word = measured("incomprehensibilities");
        let full = width_of(&word.letters, 10.0);
        let line = &word.lines(10.0, full, Overlong::Cut)[0];
        assert!(!line.is_cut && (line.size - 10.0).abs() < 0.01);
        let line = &word.lines(10.0, full * 0.8, Overlong::Cut)[0];
        assert!(!line.is_cut && (line.size - 8.0).abs() < 0.01);
        let lines = word.lines(10.0, full * 0.5, Overlong::Cut);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].is_cut && lines[0].size <= SMALLEST && !lines[0].letters.is_empty());
        let cut = broken_into("incomprehensibilities", 10.0, full * 0.5, Overlong::Cut);
        assert!(cut[0].starts_with("incompre") && cut[0].ends_with('…'), "{cut:?}");
    }

    #[test]
    fn what_must_not_be_cut_goes_on_in_the_next_line() {
        let lines = broken_into("ABCDEFGHIJKLMNOP", 10.0, 40.0, Overlong::Broken);
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), "ABCDEFGHIJKLMNOP");
        assert_eq!(broken_into("AB", 10.0, 9.0, Overlong::Broken), ["A", "B"]);
    }

    #[test]
    fn accents_are_composed_and_what_the_font_lacks_is_named() {
        let fonts = Fonts::read().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            assert_eq!(&**fonts.measure("Zoe\u{308}", weight).unwrap().text, "Zoë");
            assert_eq!(fonts.measure("q\u{301}", weight).unwrap().letters.len(), 2);
            assert_eq!(fonts.measure("a漢b", weight).err(), Some(Unfit::Missing('漢')));
            assert_eq!(fonts.measure("aאb", weight).err(), Some(Unfit::Unshaped('א')));
            assert_eq!(fonts.measure("a\u{200d}b", weight).err(), Some(Unfit::Missing('\u{200d}')));
        }
    }
}
