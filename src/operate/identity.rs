//! Shows an operator whom a change is for and what it means, and asks.

use std::io::Write as _;

use anyhow::Result;
use unicode_width::UnicodeWidthStr as _;

use crate::app::{App, OpenStore};
use crate::domain::identity::identity;
use crate::domain::time::Span;
use crate::domain::undo_record::Undoable;
use crate::domain::user::User;
use crate::store::{LogQuery, Store, SubjectFilter};

/// Columns where the terminal does not tell.
const DEFAULT_WIDTH: usize = 80;

/// Shows the user and the consequences, and asks; `false` is no. Fails with `usage` where nobody is there to ask.
pub fn ask_about(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    consequences: &[String],
    question: &str,
) -> Result<bool> {
    show_before_asking(app, opened, user, consequences)?;
    let agreed = app.confirm(question)?;
    app.reopen_if_replaced(opened)?;
    Ok(agreed)
}

/// As [`ask_about`], with the answer being the user's name, typed out: for what can't be taken back.
pub fn ask_for_name(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    consequences: &[String],
    question: &str,
) -> Result<bool> {
    show_before_asking(app, opened, user, consequences)?;
    let agreed = is_name_typed(app, user.name.as_str(), question)?;
    app.reopen_if_replaced(opened)?;
    Ok(agreed)
}

/// Asks for a name as the answer.
pub fn is_name_typed(app: &mut App<'_>, name: &str, question: &str) -> Result<bool> {
    let question = app.env.words(question);
    let answer = app.person(HINT)?.line(&question)?;
    let is_it = |typed: crate::domain::name::UserName| typed.as_str() == name;
    Ok(answer.trim() == name || app.config.names.read(answer.trim()).is_ok_and(is_it))
}

/// Shows the user where an operator at a terminal changes them without a question. The change is then made to nobody
/// else.
pub fn show_person(app: &mut App<'_>, opened: &mut OpenStore, user: &User) -> Result<()> {
    match (app.can_ask(), app.options.quiet) {
        (true, false) => show(app, &mut *opened.store, user, &[]),
        (true, true) => Ok(app.shown.bind(user)?),
        (false, _) => Ok(()),
    }
}

const HINT: &str = "add --yes to skip the question";

fn show_before_asking(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    consequences: &[String],
) -> Result<()> {
    app.person(HINT)?;
    show(app, &mut *opened.store, user, consequences)
}

/// Writes the lines to standard error, wrapped at words. A user who was just shown is not shown again.
/// From now on the run changes nobody but this user, and not if their state has changed.
pub fn show(
    app: &mut App<'_>,
    store: &mut dyn Store,
    user: &User,
    consequences: &[String],
) -> Result<()> {
    let now = app.env.clock.now()?;
    let mut lines = Vec::new();
    if app.shown.display(user)? {
        let resets = recent_resets(store, user, now.minus(Span::hours(7 * 24)))?;
        let has_roles = app.authorization.roles.is_some();
        lines = identity(user, resets, has_roles, now);
    }
    if !consequences.is_empty() {
        lines.push(format!("afterwards: {}", consequences.join("; ")));
    }
    let width = app.env.err.terminal.map_or(DEFAULT_WIDTH, |size| size.columns.into());
    for (n, line) in lines.iter().enumerate() {
        let indent = if n == 0 && !line.starts_with("afterwards: ") { 0 } else { 2 };
        for line in wrapped(&app.env.words(line), width, indent) {
            writeln!(app.env.err.writer, "{line}")?;
        }
    }
    Ok(())
}

/// How often the user was reset since then.
fn recent_resets(
    store: &mut dyn Store,
    user: &User,
    since: crate::domain::time::Timestamp,
) -> Result<u64> {
    let wanted = LogQuery {
        user: Some(SubjectFilter::Id(user.id)),
        verb: Some(Undoable::Reset.verb().to_owned()),
        outcome: Some("done".to_owned()),
        since: Some(since),
        ..LogQuery::default()
    };
    let mut resets = 0;
    store.read()?.log().events(&wanted, &mut |_| {
        resets += 1;
        Ok(true)
    })?;
    Ok(resets)
}

/// The text in lines of at most `width` columns, broken between words; a longer word is left to the terminal.
fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
    let margin = " ".repeat(if indent + 16 > width { 0 } else { indent });
    let mut lines = vec![margin.clone()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.len() == margin.len() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{margin}  {word}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn d7_lines_are_broken_between_words() {
        assert_eq!(
            wrapped("2 devices: phone (active), tablet (pending)", 24, 2),
            ["  2 devices: phone", "    (active), tablet", "    (pending)"]
        );
        assert_eq!(wrapped("a b", 1, 2), ["a", "  b"]);
        assert_eq!(wrapped("", 80, 0), [""]);
    }
}
