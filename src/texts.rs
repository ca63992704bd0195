//! What people with a phone read, in every language: screens, notices, handouts, and the answers of login services.
//!
//! A language is one file with one `match`, so that a text which is missing does not compile. Operators and programs read
//! English, and have none of their words here.

mod english;
mod french;
mod text;

pub use text::Text;

use crate::domain::time::Timestamp;
use crate::domain::user::Language;

/// The texts of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts(pub Language);

impl Texts {
    /// A text as it stands in the table, with its placeholders.
    #[must_use]
    pub const fn text(self, text: Text) -> &'static str {
        match self.0 {
            Language::English => english::text(text),
            Language::French => french::text(text),
        }
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

    /// A time as people write it: "14 March 2025 at 15:04 (UTC)", "14 mars 2025 à 15 h 04 (UTC)".
    #[must_use]
    pub fn date(self, at: Timestamp) -> String {
        let seconds = i64::try_from(at.unix()).unwrap_or_default();
        let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let at = jiff::tz::Offset::UTC.to_datetime(at);
        let (day, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
        let month = usize::try_from(at.month() - 1).unwrap_or_default();
        match self.0 {
            Language::English => {
                format!("{day} {} {year} at {hour:02}:{minute:02} (UTC)", english::MONTHS[month])
            }
            Language::French => {
                let day = if day == 1 { "1er".to_owned() } else { day.to_string() };
                format!("{day} {} {year} à {hour} h {minute:02} (UTC)", french::MONTHS[month])
            }
        }
    }

    /// The form of a noun for a count. French has the singular for 0 too.
    #[must_use]
    pub const fn plural(self, count: usize, one: Text, many: Text) -> Text {
        let is_singular = match self.0 {
            Language::English => count == 1,
            Language::French => count < 2,
        };
        if is_singular { one } else { many }
    }
}
