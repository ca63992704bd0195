//! Who is meant, before a verb begins: a user by their e-mail address, or one whom an operator at a terminal searches
//! for. The name of a user always comes first. Where nobody is asked, and for login services, only names count.

use anyhow::Result;
use clap::ArgMatches;

use crate::app::App;
use crate::commands::VerbEntry;
use crate::domain::hint::command;
use crate::domain::identity::who;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::search::SearchText;
use crate::domain::text::{counted, quoted};
use crate::domain::user::User;
use crate::domain::verb::Addressed;
use crate::env::PickList;
use crate::operate;
use crate::operate::Found;

/// Hits of a search that are offered at once: they fit a terminal of 24 rows, with the question.
const MOST_OFFERED: usize = 20;
/// Users of one e-mail address who are named.
const MOST_NAMED: usize = 5;

/// What the operator agreed to by options.
#[derive(Clone, Copy)]
pub struct Given {
    /// `--yes`: nothing is asked, so the name must be exact.
    pub yes: bool,
    /// The verb may make the user, so the name is a new one.
    pub creates: bool,
    /// Nothing is changed.
    pub only_looks: bool,
}

/// Finds the user whom the operator means by something else than the name, and keeps them as [`App::meant`]. The answer
/// no is `false`.
pub fn find_target(
    entry: &VerbEntry,
    matches: &ArgMatches,
    app: &mut App<'_>,
    given: Given,
) -> Result<bool> {
    let Ok(typed) = matches.try_get_one::<String>("name") else { return Ok(true) };
    if entry.spec.addressed == Addressed::Name || given.creates || app.meant.is_some() {
        return Ok(true);
    }
    if !operate::can_run(app, "find") {
        return Ok(true);
    }
    match typed {
        Some(typed) if typed.contains('@') => by_mail(entry, app, typed, given),
        Some(_) => Ok(true),
        None => {
            let names_others =
                ["from", "group"].iter().any(|id| matches!(matches.try_contains_id(id), Ok(true)));
            if names_others || given.yes || !app.can_ask() {
                return Ok(true);
            }
            by_search(entry, app, given)
        }
    }
}

fn by_mail(entry: &VerbEntry, app: &mut App<'_>, typed: &str, given: Given) -> Result<bool> {
    // An address may have characters that no name has. A store that can't be read is the verb's error.
    let name = app.user_name(typed);
    if let Ok(name) = &name
        && !matches!(app.reader().and_then(|mut store| store.read()?.user(name)), Ok(None))
    {
        return Ok(true);
    }
    let Ok(mut store) = app.reader() else { return Ok(true) };
    let Found { mut users, total } =
        operate::people_with_mail(&mut store.read()?, typed, MOST_NAMED)?;
    let only_looks = given.only_looks || entry.spec.addressed == Addressed::NameOrMail;
    match (users.pop(), total) {
        (None, _) => Ok(true),
        (Some(user), 1) if only_looks => {
            app.meant = Some(user.name);
            Ok(true)
        }
        (Some(user), 1) if given.yes || !app.can_ask() => {
            let words = format!("{} has this e-mail address: ", user.name);
            let hint = app.authorization.command_again(&user.name).after(&words);
            let problem = format!("there is no user {}", quoted(typed));
            Err(Refusal::new(ErrorCode::UserNotFound, problem).hint(hint).into())
        }
        (Some(user), 1) => {
            operate::show(app, &mut *store, &user, &[])?;
            drop(store);
            let question = format!("{} is this user's e-mail address. Is it them?", quoted(typed));
            if !app.confirm(&question)? {
                return Ok(false);
            }
            app.meant = Some(user.name);
            Ok(true)
        }
        (Some(last), total) => {
            users.push(last);
            Err(ambiguous(typed, &users, total).into())
        }
    }
}

fn ambiguous(typed: &str, users: &[User], total: u64) -> Refusal {
    let named: Vec<_> = users.iter().map(who).collect();
    let more = match total.saturating_sub(users.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("{} is the e-mail address of {}", quoted(typed), counted(total, "user"));
    Refusal::new(ErrorCode::UserNotFound, message)
        .hint(format!("name one of them: {}{more}", named.join("; ")))
}

fn by_search(entry: &VerbEntry, app: &mut App<'_>, given: Given) -> Result<bool> {
    let mut store = app.reader()?;
    if store.read()?.counts()?.users == 0 {
        return Err(Refusal::new(ErrorCode::UserNotFound, "there are no users")
            .hint(command("add-user").name("NAME").after("add one with: "))
            .into());
    }
    let mut hits: Vec<User> = Vec::new();
    let mut search = |typed: &str| {
        hits.clear();
        let Ok(text) = SearchText::parse("NAME", typed) else { return Ok(PickList::default()) };
        let found = operate::find_people(&mut store.read()?, &text, MOST_OFFERED)?;
        let more = found.total.saturating_sub(found.users.len() as u64);
        hits = found.users;
        Ok(PickList { lines: hits.iter().map(who).collect(), more })
    };
    let question = format!("{} whom?", entry.spec.name);
    let person = app.person("name the user")?;
    let chosen = person.pick(&question, &mut search)?;
    let Some(user) = chosen.and_then(|index| hits.into_iter().nth(index)) else {
        return Ok(false);
    };
    if !given.only_looks && entry.spec.addressed != Addressed::NameOrMail {
        operate::show(app, &mut *store, &user, &[])?;
        drop(store);
        if !app.confirm("Is it them?")? {
            return Ok(false);
        }
    }
    app.meant = Some(user.name);
    Ok(true)
}
