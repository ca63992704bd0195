//! What people with a phone read, in every language: screens, notices, handouts, and the answers of login services.
//!
//! A language is one file with one `match`, so that a text which is missing does not compile. Operators and programs read
//! English, and have none of their words here.

mod code_source;
mod date;
mod english;
mod french;
mod language_table;
mod password;
#[cfg(test)]
mod tests;
mod text;

pub use text::Text;

use self::language_table::LanguageTable;
use crate::domain::user::Language;

/// The texts of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts(pub Language);

impl Texts {
    /// For operators, where they are asked the same as a user.
    pub const FOR_OPERATORS: Self = Self(Language::English);

    const fn table(self) -> &'static LanguageTable {
        match self.0 {
            Language::English => &english::ENGLISH,
            Language::French => &french::FRENCH,
        }
    }

    /// A text as it stands in the table, with its placeholders.
    #[must_use]
    pub fn text(self, text: Text) -> &'static str {
        (self.table().text)(text)
    }

    /// A text with values in the place of `{name}`. A value may hold braces; they stay as they are.
    #[must_use]
    pub fn fill(self, text: Text, values: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        let mut rest = self.text(text);
        while let Some((before, behind)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            let value = values.iter().find(|(key, _)| *key == name);
            debug_assert!(value.is_some(), "{text:?} has no value for {name}");
            filled.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// Words as a question at a terminal, which writes a colon behind them.
    #[must_use]
    pub fn question(self, words: &str) -> String {
        format!("{words}{}", self.table().before_colon)
    }

    /// The form of a noun for a count. French has the singular for 0 too.
    #[must_use]
    pub fn plural(self, count: usize, one: Text, many: Text) -> Text {
        if (self.table().is_singular)(count) { one } else { many }
    }

    /// A count with its noun, such as `Text::RecoveryCode` and `Text::RecoveryCodes`.
    #[must_use]
    pub fn counted(self, count: usize, one: Text, many: Text) -> String {
        self.fill(self.plural(count, one, many), &[("count", &count.to_string())])
    }
}
