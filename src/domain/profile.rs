//! The fields of a user's profile, as they are typed or stand in a list.

use crate::domain::name::new_group;
use crate::domain::refusal::Refusal;
use crate::domain::text::{line, prose_line, refuse};
use crate::domain::user::Language;

/// Characters of the longest full name.
const LONGEST_NAME: usize = 100;

pub fn display_name(field: &str, text: &str) -> Result<String, Refusal> {
    prose_line(field, text, LONGEST_NAME)
}

/// A plain address, without display name, comment or quotes: it goes into an SMTP command.
pub fn email(field: &str, text: &str) -> Result<String, Refusal> {
    let address = line(field, text, 254)?;
    let has_both_parts = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let is_allowed =
        |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '\\');
    if has_both_parts && address.chars().all(is_allowed) {
        return Ok(address);
    }
    Err(refuse(field, text, "is not an e-mail address").hint("write it as name@example.com"))
}

/// A language by its code.
pub fn language(field: &str, text: &str) -> Result<Language, Refusal> {
    Language::of_code(&text.to_ascii_lowercase()).ok_or_else(|| {
        let codes = Language::ALL.map(Language::code).join(" or ");
        refuse(field, text, "is not a language").hint(format!("write {codes}"))
    })
}

/// The groups that somebody joins, sorted, each once.
pub fn groups<'t>(names: impl IntoIterator<Item = &'t str>) -> Result<Vec<String>, Refusal> {
    let mut groups = names.into_iter().map(new_group).collect::<Result<Vec<_>, _>>()?;
    groups.sort();
    groups.dedup();
    Ok(groups)
}
