use clap::builder::PossibleValue;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::{APPROVER_OPTIONS, arguments};
use crate::commands::{VERBS, VerbEntry};
use crate::domain::name::UserName;

/// Options for every verb that only say how this operator reads and answers.
const OF_THE_READER: [&str; 8] =
    ["format", "json", "no_input", "quiet", "color", "store", "config", "key_file"];

/// What a verb reads from a command line with this option, and the words of it.
fn read(entry: &VerbEntry, arg: &Arg) -> (ArgMatches, String) {
    let long = arg.get_long().unwrap();
    let listed = arg.get_possible_values();
    let values = listed.iter().map(PossibleValue::get_name);
    let values = values.chain(["1", "20", "1d", "2030-01-01", "text", "a=b"]);
    let words: Vec<_> = if arg.get_action().takes_values() {
        values.map(|value| format!("--{long}={value}")).collect()
    } else {
        vec![format!("--{long}")]
    };
    let command = entry.repeatable_command();
    let names = vec!["alice"; command.get_positionals().count()];
    let found = words.into_iter().find_map(|word| {
        let line = ["mfactl", entry.spec.name, &word, "--"].into_iter().chain(names.clone());
        // What an option needs besides itself is no matter here.
        let root = crate::commands::command().ignore_errors(true);
        let matches =
            root.try_get_matches_from(line).ok()?.subcommand_matches(entry.spec.name)?.clone();
        let id = arg.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        // A value that is refused leaves the option without one.
        let has_value = matches.get_raw(id).is_some_and(|mut values| values.next().is_some());
        let is_read = is_given && (has_value || !arg.get_action().takes_values());
        is_read.then_some((matches, word))
    });
    found.unwrap_or_else(|| panic!("no value is known for {} --{long}", entry.spec.name))
}

#[test]
fn a_request_keeps_every_option_but_those_of_the_approver() {
    let alice = UserName::parse("alice").unwrap();
    let mut kept = 0;
    for entry in VERBS.iter().filter(|entry| entry.spec.changes_user) {
        let command = entry.repeatable_command();
        for arg in command.get_arguments().filter(|arg| arg.get_long().is_some()) {
            let (matches, word) = read(entry, arg);
            let words = arguments(entry, &matches, &alice).unwrap();
            let is_left_out = APPROVER_OPTIONS.contains(&arg.get_id().as_str());
            assert_eq!(
                words.contains(&word),
                !is_left_out,
                "{} {word}: {words:?}",
                entry.spec.name
            );
            if is_left_out {
                continue;
            }
            let line = std::iter::once(entry.spec.name.to_owned()).chain(words);
            let carried_out =
                command.clone().ignore_errors(true).try_get_matches_from(line).unwrap();
            let raw = |matches: &ArgMatches| {
                let raw = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
                raw.map(ToOwned::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(raw(&carried_out), raw(&matches), "{} {word}", entry.spec.name);
            kept += 1;
        }
    }
    assert!(kept > 100, "{kept}");
}

#[test]
fn an_option_for_every_verb_is_that_of_the_reader_or_is_kept() {
    let command = VERBS[0].repeatable_command();
    for global in crate::commands::command().get_arguments().map(|arg| arg.get_id().as_str()) {
        let is_kept = command.get_arguments().any(|arg| arg.get_id() == global);
        let is_left_out = OF_THE_READER.contains(&global) || ["help", "version"].contains(&global);
        assert!(is_kept != is_left_out, "{global}");
    }
}
