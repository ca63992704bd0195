//! The page: one HTML file that loads nothing and runs nothing.

use std::fmt::Write as _;

use super::{MAX_ROWS, PageData, chart};
use crate::commands::list_status::UserLine;
use crate::domain::text::shown;

const STYLE: &str = include_str!("style.css");

pub fn page(data: &PageData) -> String {
    let PageData { at, summary, unprotected, history, .. } = data;
    let mut html = String::new();
    let percent = |coverage: f64| format!("{:.1}%", (coverage * 10.0).floor() / 10.0);
    // Writing to a string can't fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>MFA report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>MFA report</h1><p>{at}</p></header>\n<section class=\"tiles\">\n"
    );
    let tile = |html: &mut String, name: &str, value: String, class: &str| {
        let _ =
            writeln!(html, "<div class=\"tile {class}\"><b>{value}</b><span>{name}</span></div>");
    };
    let alarm = |count: u64| if count > 0 { "bad" } else { "" };
    tile(&mut html, "coverage", percent(summary.coverage), "main");
    tile(&mut html, "users", summary.users.to_string(), "");
    tile(&mut html, "enabled", summary.enabled.to_string(), "");
    tile(&mut html, "pending", summary.pending.to_string(), "");
    tile(&mut html, "disabled", summary.disabled.to_string(), alarm(summary.disabled));
    tile(&mut html, "not enabled", summary.not_enabled.to_string(), alarm(summary.not_enabled));
    let overdue = summary.required_without_mfa;
    tile(&mut html, "overdue", overdue.to_string(), alarm(overdue));
    tile(&mut html, "locked", summary.locked.to_string(), alarm(summary.locked));
    html.push_str("</section>\n<section>\n<h2>Coverage over time</h2>\n");
    html.push_str(&chart::chart(history));
    html.push_str("</section>\n");
    groups(&mut html, data);
    let missing = summary.users - summary.enabled;
    let _ = writeln!(html, "<section>\n<h2>Without MFA: {missing}</h2>");
    if unprotected.is_empty() {
        html.push_str("<p>All users have MFA.</p>\n");
    } else {
        rows(&mut html, unprotected);
        if missing > MAX_ROWS as u64 {
            let more = missing - MAX_ROWS as u64;
            let _ = writeln!(
                html,
                "<p>… and {more} more; for all of them run: <code>mfactl list-status --without-mfa</code></p>"
            );
        }
    }
    html.push_str("</section>\n</body>\n</html>\n");
    html
}

fn groups(html: &mut String, data: &PageData) {
    html.push_str(
        "<section>\n<h2>By group</h2>\n<table>\n<thead><tr><th>Group</th><th class=\"n\">Users</th>\
         <th class=\"n\">Enabled</th><th class=\"n\">Coverage</th><th class=\"wide\"></th></tr></thead>\n<tbody>\n",
    );
    for (name, summary) in data.groups.all() {
        let name = if name.is_empty() { "(no group)".to_owned() } else { escaped(name) };
        let percent = (summary.exact_coverage() * 10.0).floor() / 10.0;
        let _ = writeln!(
            html,
            "<tr><td>{name}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{percent:.1}%</td>\
             <td><svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"><rect width=\"100\" height=\"8\" fill=\"#e4e7ec\"/>\
             <rect width=\"{percent:.1}\" height=\"8\" fill=\"#2f6fb3\"/></svg></td></tr>",
            summary.users, summary.enabled
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
}

fn rows(html: &mut String, unprotected: &[UserLine]) {
    html.push_str(
        "<table>\n<thead><tr><th>User</th><th>Name</th><th>Groups</th><th>Status</th>\
         <th>MFA required</th><th>Last code</th></tr></thead>\n<tbody>\n",
    );
    for line in unprotected {
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
            line.status.label(),
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

/// Escapes a text for HTML.
fn escaped(text: &str) -> String {
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
