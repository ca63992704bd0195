//! The wrapper `contrib/mfa` knows the verbs and their options.

use std::collections::{BTreeMap, BTreeSet};

use clap::Command;

use super::table::{assert_fresh, takes_list};
use crate::commands::{VERBS, VerbEntry, root};

/// The body of a shell function that says whether its argument is one of these words.
fn is_one_of<'w>(name: &str, words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    let words = words.join(" | \\\n        ");
    format!(
        "{name}() {{\n    case $1 in\n        {words}) ;;\n        *) return 1 ;;\n    esac\n}}\n"
    )
}

/// The body of a shell function that prints another word for its argument.
fn translates(name: &str, lines: &[(String, String)]) -> String {
    let lines: Vec<_> =
        lines.iter().map(|(from, to)| format!("        {from}) echo {to} ;;\n")).collect();
    let lines = lines.concat();
    format!("{name}() {{\n    case $1 in\n{lines}        *) return 1 ;;\n    esac\n}}\n")
}

fn commands() -> impl Iterator<Item = Command> {
    VERBS.iter().map(|entry| entry.command().disable_help_flag(true)).chain([root()])
}

#[test]
fn d5_the_wrapper_is_fresh() {
    const BEGIN: &str = "# generated: begin\n";
    const END: &str = "# generated: end\n";
    let mut takes_value = BTreeMap::new();
    let mut short = BTreeSet::new();
    for mut command in commands() {
        command.build();
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long().map(|long| format!("--{long}")) else { continue };
            let takes = arg.get_action().takes_values();
            let known = *takes_value.entry(long.clone()).or_insert(takes);
            assert_eq!(known, takes, "{long} takes a value in one verb and none in another");
            if let Some(letter) = arg.get_short().filter(|letter| !"hV".contains(*letter)) {
                short.insert((format!("-{letter}"), long));
            }
        }
    }
    let verbs: Vec<_> = VERBS
        .iter()
        .flat_map(|entry| {
            let name = entry.spec.name;
            let alias = entry.spec.alias.map(|alias| (alias.to_owned(), name.to_owned()));
            [(name.to_owned(), name.to_owned())].into_iter().chain(alias)
        })
        .collect();
    let named = |is: fn(&&VerbEntry) -> bool| {
        VERBS.iter().filter(is).map(|entry| entry.spec.name).collect::<Vec<_>>()
    };
    let options = takes_value.iter().filter(|(_, takes)| **takes).map(|(long, _)| &**long);
    let short: Vec<_> = short.into_iter().collect();
    let functions = [
        translates("verb_called", &verbs),
        is_one_of("has_store", named(|entry| entry.spec.roles.is_some())),
        is_one_of("takes_separator", named(|entry| entry.takes_separator())),
        is_one_of("takes_list", named(|entry| takes_list(&entry.spec))),
        is_one_of("takes_value", options),
        translates("long_option", &short),
    ];
    assert_fresh("contrib/mfa", |file| {
        let (before, rest) = file.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        format!("{before}{BEGIN}{}{END}{after}", functions.concat())
    });
}
