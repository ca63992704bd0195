//! The page: one HTML file that loads nothing and runs nothing.

use std::fmt::Write as _;

use super::chart;
use super::content::Content;
use super::tables::{activity, escaped, log, users_without_mfa};
use crate::commands::list_status::Groups;

const STYLE: &str = include_str!("style.css");

pub fn page(content: &Content) -> String {
    let Content { origin, period, history, .. } = content;
    let mut html = String::new();
    let (until, so_far) = (period.until, if period.is_over { "" } else { " (now)" });
    // Writing to a string can't fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>MFA report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>MFA report</h1><p>{} to {until}{so_far}</p></header>\n\
         <p class=\"origin\">Made at {} by {} on {} with mfactl {}, from the store {}. All times are UTC.</p>\n",
        period.since,
        origin.generated_at,
        escaped(&origin.operator()),
        escaped(&origin.host),
        escaped(&origin.version),
        origin.store,
    );
    if let Some(gap) = period.gap() {
        let _ = writeln!(html, "<p class=\"notice\"><b>Not covered:</b> {gap}.</p>");
    }
    tiles(&mut html, content);
    html.push_str("<section>\n<h2>Coverage over time</h2>\n");
    let _ = writeln!(html, "<p>{}</p>", course(content));
    html.push_str(&chart::chart(history));
    html.push_str("</section>\n");
    groups(&mut html, &content.users.groups);
    users_without_mfa(&mut html, content);
    activity(&mut html, content);
    log(&mut html, content);
    html.push_str(SIGNATURES);
    html.push_str("</body>\n</html>\n");
    html
}

/// The numbers at both ends of the period in words.
pub fn course(content: &Content) -> String {
    let Content { start, end, users, .. } = content;
    let at_end = end.words();
    let course = match start {
        None => format!("{at_end} at the end; not known at the beginning"),
        Some(start) => format!("{} at the beginning, {at_end} at the end", start.words()),
    };
    match users.weak.total {
        0 => course,
        n => format!("{course} (not counted, as their devices are of weak kinds only: {n})"),
    }
}

fn tiles(html: &mut String, content: &Content) {
    let (summary, end) = (&content.users.summary, &content.end);
    html.push_str("<section class=\"tiles\">\n");
    let mut tile = |name: &str, value: String, class: &str| {
        let _ =
            writeln!(html, "<div class=\"tile {class}\"><b>{value}</b><span>{name}</span></div>");
    };
    let alarm = |count: u64| if count > 0 { "bad" } else { "" };
    tile("coverage", end.percent(), "main");
    tile("users", end.users.to_string(), "");
    tile("enabled", end.enabled.to_string(), "");
    if summary.weak > 0 {
        tile("weak", summary.weak.to_string(), alarm(summary.weak));
    }
    tile("pending", summary.pending.to_string(), "");
    tile("disabled", summary.disabled.to_string(), alarm(summary.disabled));
    tile("not enabled", summary.not_enabled.to_string(), alarm(summary.not_enabled));
    let overdue = summary.required_without_mfa;
    tile("overdue", overdue.to_string(), alarm(overdue));
    tile("locked", summary.locked.to_string(), alarm(summary.locked));
    html.push_str("</section>\n");
}

fn groups(html: &mut String, groups: &Groups) {
    html.push_str(
        "<section>\n<h2>By group</h2>\n<table>\n<thead><tr><th>Group</th><th class=\"n\">Users</th>\
         <th class=\"n\">Enabled</th><th class=\"n\">Coverage</th><th class=\"wide\"></th></tr></thead>\n<tbody>\n",
    );
    for (name, summary) in groups.all() {
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

const SIGNATURES: &str = "<section class=\"signatures\">\n<h2>Signatures</h2>\n\
    <p><span>Made by</span><span>Date</span><span>Signature</span></p>\n\
    <p><span>Reviewed by</span><span>Date</span><span>Signature</span></p>\n</section>\n";
