//! The tables of the page.

use std::fmt::Write as _;

use super::activity::LISTED;
use super::content::{Content, operator};
use super::listed::Listed;
use super::period::Period;
use crate::commands::list_status::UserLine;
use crate::commands::log::EventLine;
use crate::domain::hint::{Command, command};
use crate::domain::text::shown;
use crate::report::Record as _;

/// The users without MFA, or with weak kinds of devices only, by what that means.
pub fn users_without_mfa(html: &mut String, content: &Content) {
    let users = &content.users;
    let missing = content.end.users - content.end.enabled;
    // Writing to a string can't fail.
    let (weak, overdue_heading) = match users.weak.total {
        0 => (String::new(), "Required, but missing"),
        n => (format!("; with weak kinds only: {n}"), "Required, but missing or weak"),
    };
    let _ = writeln!(html, "<section>\n<h2>Without MFA: {missing}{weak}</h2>");
    let _ = writeln!(html, "<p>{}.</p>", escaped(&capitalized(&content.policy)));
    if let Some(whom) = &content.not_counted {
        let _ = writeln!(html, "<p class=\"notice\">Not counted: {}.</p>", escaped(whom));
    }
    match users.summary.nameless {
        0 => {}
        n => {
            let _ = writeln!(
                html,
                "<p class=\"notice\">Not listed: {n} whose names were erased from the log, or who were given up.</p>"
            );
        }
    }
    if missing == 0 {
        html.push_str("<p>All users have MFA.</p>\n");
    }
    let list = command("list-status");
    for (heading, listed, list) in [
        (overdue_heading, &users.overdue, list.clone().flag("--overdue")),
        (
            "Switched off by an operator",
            &users.disabled,
            list.clone().option("--status", "disabled"),
        ),
        ("Not required, or not yet", &users.exempt, list.clone().flag("--without-mfa")),
        ("Enabled, but by weak kinds of devices only", &users.weak, list.flag("--weak")),
    ] {
        if listed.total > 0 {
            let _ = writeln!(html, "<h3>{heading}: {}</h3>", listed.total);
            user_rows(html, listed);
            let list = if content.period.is_over {
                list.option("--at", &content.period.last_second().to_string())
            } else {
                list
            };
            let list = content.left_out.on(list);
            more(html, listed.left_out(), &list);
        }
    }
    html.push_str("</section>\n");
}

fn user_rows(html: &mut String, listed: &Listed<UserLine>) {
    html.push_str(
        "<table>\n<thead><tr><th>User</th><th>Name</th><th>Groups</th><th>Status</th>\
         <th>MFA required</th><th>Last code</th></tr></thead>\n<tbody>\n",
    );
    for line in &listed.items {
        let day = |text: String| text.chars().take(10).collect::<String>();
        let required = match (line.is_overdue(), line.due_at) {
            (true, _) => "<b class=\"bad\">overdue</b>".to_owned(),
            (false, Some(at)) => format!("from {}", day(at.to_string())),
            (false, None) => String::new(),
        };
        let last = line.last_verified_at.map_or("never".to_owned(), |at| day(at.to_string()));
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{required}</td><td>{last}</td></tr>",
            escaped(&line.user),
            escaped(line.display_name.as_deref().unwrap_or_default()),
            escaped(&line.groups.join(", ")),
            if line.weak { "enabled (weak)" } else { line.status.label() },
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

/// What operators did, and how sign-ins went.
pub fn activity(html: &mut String, content: &Content) {
    let activity = &content.activity;
    html.push_str("<section>\n<h2>What operators did</h2>\n");
    if activity.counts.is_empty() {
        html.push_str("<p>Nothing.</p>\n");
    } else {
        html.push_str(
            "<table>\n<thead><tr><th>Verb</th><th>Outcome</th><th>By</th><th class=\"n\">Events</th>\
             <th class=\"n\">With ticket</th></tr></thead>\n<tbody>\n",
        );
        for count in &activity.counts {
            let _ = writeln!(
                html,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                escaped(&count.verb),
                escaped(&count.outcome),
                escaped(&operator(count.operator_uid, count.operator_claim.as_deref())),
                count.events,
                count.with_ticket,
            );
        }
        html.push_str("</tbody>\n</table>\n");
        more(html, activity.counts_left_out, &log_command(&content.period, command("log")));
    }
    html.push_str("</section>\n<section>\n<h2>Changes of protection</h2>\n");
    if activity.changes.is_empty() {
        html.push_str("<p>None.</p>\n");
    }
    for (verb, heading) in LISTED {
        if let Some(listed) = activity.changes.get(verb) {
            let _ = writeln!(html, "<h3>{heading}: {}</h3>", listed.total);
            events(html, listed, &content.period, verb);
        }
    }
    html.push_str("</section>\n<section>\n<h2>Approved by a second operator</h2>\n");
    let (requests, approvals) = (activity.requests, &activity.approvals);
    let _ = writeln!(html, "<p>Requested: {requests}; carried out: {}.</p>", approvals.total);
    if approvals.total > 0 {
        events(html, approvals, &content.period, "approve");
    }
    let attempts = &activity.attempts;
    let _ = writeln!(
        html,
        "</section>\n<section>\n<h2>Sign-ins</h2>\n<table>\n<tbody>\n{}{}{}{}{}{}{}{}</tbody>\n</table>\n</section>",
        row("accepted", attempts.accepted),
        row("of these without a code, by a rule", attempts.without_code),
        row("asked for a code, a new device or a new password", attempts.further_steps),
        row("wrong code or password", attempts.wrong),
        row("code that had been used before", attempts.replayed),
        row("refused without a look: locked, disabled or without MFA", attempts.refused),
        row("minutes with attempts for unknown names", attempts.minutes_with_unknown_names),
        row("locks after wrong codes", attempts.locks),
    );
}

fn row(name: &str, number: u64) -> String {
    format!("<tr><td>{name}</td><td class=\"n\">{number}</td></tr>\n")
}

fn events(html: &mut String, listed: &Listed<EventLine>, period: &Period, verb: &str) {
    html.push_str(
        "<table>\n<thead><tr><th>Event</th><th>Time</th><th>User</th><th>Outcome</th><th>By</th>\
         <th>More</th></tr></thead>\n<tbody>\n",
    );
    for event in &listed.items {
        let cells = event.cells().into_iter().map(|cell| escaped(&cell.text));
        let cells: Vec<String> = cells.collect();
        // The verb is in the heading.
        let [seq, at, user, _, outcome, by, details] = &cells[..] else { continue };
        let _ = writeln!(
            html,
            "<tr><td>{seq}</td><td>{at}</td><td>{user}</td><td>{outcome}</td><td>{by}</td><td>{details}</td></tr>"
        );
    }
    html.push_str("</tbody>\n</table>\n");
    more(html, listed.left_out(), &log_command(period, command("log").option("--verb", verb)));
}

/// The command that lists all events of the period.
pub fn log_command(period: &Period, log: Command) -> Command {
    log.option("--since", &period.since.to_string()).option("--until", &period.until.to_string())
}

/// Names the command that lists everything.
fn more(html: &mut String, left_out: u64, command: &Command) {
    if left_out > 0 {
        let _ = writeln!(
            html,
            "<p>… and {left_out} more; for all of them, run: <code>{}</code></p>",
            escaped(&command.to_string())
        );
    }
}

/// Whether the log is whole, and the anchor to compare with later.
pub fn log(html: &mut String, content: &Content) {
    html.push_str("<section>\n<h2>State of the log</h2>\n");
    match &content.log {
        None => html.push_str("<p class=\"notice\">Not verified.</p>\n"),
        Some(log) => {
            let class = if content.anchor.is_some() { "" } else { " class=\"notice\"" };
            let _ = writeln!(html, "<p{class}>{}.</p>", escaped(&capitalized(&log.sentence())));
        }
    }
    if let Some(anchor) = &content.anchor {
        let verify = command("verify-log").option("--anchor", "FILE");
        // On a line of its own, so that `verify-log --anchor` reads it from this file.
        let _ = writeln!(
            html,
            "<p>Number and hash of its last event, to compare with later: \
             <code>{verify}</code> takes this page for FILE.</p>\n<pre>\n{anchor}\n</pre>"
        );
    }
    html.push_str("</section>\n");
}

pub fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Escapes a text for HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}
