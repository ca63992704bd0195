//! The manual pages: their names and headings, and the lists of verbs in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::commands::VERBS;
use crate::domain::role::{Role, Roles};
use crate::testing::World;

fn page(arguments: &str) -> String {
    World::empty().run(&format!("man {arguments}")).ok().out
}

/// The verbs in bold, in the order of the page.
fn bold_verbs(text: &str) -> Vec<String> {
    let bold = text.split("\\fB").skip(1).filter_map(|rest| rest.split_once("\\fR"));
    let words = bold.map(|(word, _)| word.replace("\\-", "-"));
    words.filter(|word| VERBS.iter().any(|entry| entry.spec.name == word)).collect()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end:?} after {start:?}")).0
}

fn names(is_listed: impl Fn(&crate::commands::VerbEntry) -> bool) -> Vec<&'static str> {
    VERBS.iter().filter(|entry| is_listed(entry)).map(|entry| entry.spec.name).collect()
}

#[test]
fn the_name_of_each_page_says_what_it_is_about() {
    let verbs = VERBS.iter().map(|v| (v.spec.name, format!("mfactl-{}", v.spec.name), v.about()));
    let overview = ("", "mfactl".to_owned(), "Enrol, verify, reset and list second factors".into());
    for (verb, name, about) in [overview].into_iter().chain(verbs) {
        let text = page(verb);
        let line = between(&text, ".SH NAME\n", "\n");
        assert_eq!(line.replace("\\*(Aq", "'").replace('\\', ""), format!("{name} - {about}"));
    }
}

#[test]
fn the_headings_of_a_page_are_in_capitals() {
    for verb in [""].into_iter().chain(VERBS.iter().map(|entry| entry.spec.name)) {
        for heading in page(verb).lines().filter_map(|line| line.strip_prefix(".SH ")) {
            assert_eq!(heading, heading.to_uppercase(), "mfactl {verb}");
        }
    }
}

#[test]
fn the_overview_names_the_verbs_of_each_role() {
    let text = page("");
    let roles = between(&text, "Without \\fB[roles]\\fR", "The operator is the real uid");
    let may_run = |role| {
        let configured = Roles::default();
        names(|v| {
            v.spec.roles.is_some() && v.spec.permit(&configured, &BTreeSet::from([role])).is_ok()
        })
    };
    let listed = |role: &str| bold_verbs(between(roles, &format!(".B {role}\n"), "\n."));
    assert_eq!(listed("auditor"), may_run(Role::Auditor));
    assert_eq!(listed("service"), may_run(Role::Service));
    let helpdesk: BTreeSet<_> = may_run(Role::Helpdesk).into_iter().collect();
    let named = [listed("helpdesk"), listed("auditor")].concat();
    assert_eq!(named.iter().map(String::as_str).collect::<BTreeSet<_>>(), helpdesk);
    assert!(roles.contains(", and all that an auditor may\n"), "{roles}");
    assert_eq!(bold_verbs(roles.split(".PP\n").last().unwrap()), names(|v| v.spec.roles.is_none()));
}

#[test]
fn the_pages_about_notices_name_the_verbs_that_send_one() {
    let sending = names(|v| v.spec.notice.is_some());
    let text = page("");
    let notified = between(&text, "With \\fB[notify]\\fR", "has changed something");
    assert_eq!(bold_verbs(notified), sending);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/notices.md");
    let text = fs::read_to_string(path).unwrap();
    for verb in sending {
        assert!(text.contains(&format!("`{verb}`")), "docs/notices.md does not name {verb}");
    }
}
