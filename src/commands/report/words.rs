//! The report on a terminal.

use std::fmt::Write as _;

use super::activity::LISTED;
use super::content::Content;
use super::listed::Listed;
use super::page::course;
use super::tables::log_command;
use crate::commands::list_status::UserLine;
use crate::domain::caller::Caller;
use crate::domain::hint::command;
use crate::domain::text::counted;
use crate::report::Record;

/// Names of each kind on the terminal; the page has more.
const MAX_NAMES: usize = 10;

pub fn words(content: &Content, caller: &Caller) -> String {
    let Content { period, users, activity, .. } = content;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{:<22}{value}", format!("{name}:"));
    };
    let so_far = if period.is_over { "" } else { ", so far" };
    line("period", &format!("{} to {}{so_far}", period.since, period.until));
    if let Some(gap) = period.gap() {
        line("not covered", &gap);
    }
    line("coverage", &course(content));
    line("policy", &content.policy);
    if let Some(whom) = &content.not_counted {
        line("not counted", whom);
    }
    let has_weak = users.weak.total > 0;
    let overdue = if has_weak { "required, unmet" } else { "required, no MFA" };
    line(overdue, &names(&users.overdue));
    line("switched off", &names(&users.disabled));
    line("not required, no MFA", &names(&users.exempt));
    if has_weak {
        line("weak kinds only", &names(&users.weak));
    }
    for (verb, _) in LISTED {
        if let Some(listed) = activity.changes.get(verb) {
            let with_ticket = activity.counts.iter().filter(|count| count.verb == *verb);
            let with_ticket: u64 = with_ticket.map(|count| count.with_ticket).sum();
            let tickets = match with_ticket {
                0 => "none with a ticket".to_owned(),
                n => format!("{} with a ticket", n.min(listed.total)),
            };
            line(verb, &format!("{}, {tickets}", listed.total));
        }
    }
    if activity.requests + activity.approvals.total > 0 {
        let (requests, approved) = (activity.requests, activity.approvals.total);
        line("second operator", &format!("{requests} requested, {approved} carried out"));
    }
    let attempts = &activity.attempts;
    let without_code = match attempts.without_code {
        0 => String::new(),
        count => format!(" ({count} without a code)"),
    };
    line(
        "sign-ins",
        &format!(
            "{} accepted{without_code}, {} wrong, {} used before, {} refused without a look, {}",
            attempts.accepted,
            attempts.wrong,
            attempts.replayed,
            attempts.refused,
            counted(attempts.locks, "lock"),
        ),
    );
    line("log", &content.log.as_ref().map_or("not verified".to_owned(), Record::sentence));
    if let Some(anchor) = &content.anchor {
        line("anchor", &anchor.to_string());
    }
    line("all changes", &caller.line(&log_command(period, command("log"))));
    text.truncate(text.trim_end().len());
    text
}

fn names(listed: &Listed<UserLine>) -> String {
    let names: Vec<&str> = listed.items.iter().take(MAX_NAMES).map(|line| &*line.user).collect();
    let more = match listed.total - names.len() as u64 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    if names.is_empty() {
        "0".to_owned()
    } else {
        format!("{}: {}{more}", listed.total, names.join(", "))
    }
}
