//! The table of verbs: it agrees with the options of each verb, and files made from it are fresh.

use std::fs;
use std::path::Path;

use clap::{Command, ValueEnum as _};

use crate::commands::VERBS;
use crate::domain::role::Role;
use crate::domain::undo_record::Undoable;
use crate::domain::verb::{CaseOptions, Group, VerbSpec};
use crate::testing::World;

fn specs() -> impl Iterator<Item = &'static VerbSpec> {
    VERBS.iter().map(|verb| &verb.spec)
}

/// Whether the verb takes many users, with `--from`. A login service's --from names the service.
pub(super) fn takes_list(spec: &VerbSpec) -> bool {
    let entry = VERBS.iter().find(|entry| entry.spec.name == spec.name).unwrap();
    let command = (entry.arguments)(Command::new(spec.name));
    // That of a login service is no list.
    spec.takes_proof() && command.get_arguments().any(|arg| arg.get_long() == Some("from"))
}

fn has_role(spec: &VerbSpec, role: Role) -> bool {
    spec.roles.is_some_and(|roles| roles.contains(&role))
}

#[test]
fn the_entry_of_each_verb_agrees_with_its_options() {
    let mut wrong = Vec::new();
    for entry in VERBS {
        let (name, spec) = (entry.spec.name, &entry.spec);
        let command = (entry.arguments)(Command::new(name));
        let takes = |long: &str| command.get_arguments().any(|a| a.get_long() == Some(long));
        for (option, is_taken, is_noted) in [
            ("--ticket", takes("ticket"), spec.takes_ticket()),
            ("--proof", takes("proof"), spec.takes_proof()),
        ] {
            if is_taken != is_noted {
                let does = if is_taken { "takes" } else { "does not take" };
                wrong.push(format!(
                    "the verb {name} {does} {option}, but its entry in src/commands.rs says \
                     otherwise: correct case_options"
                ));
            }
        }
        if spec.changes_user && spec.case_options != CaseOptions::TicketAndProof {
            wrong.push(format!("the verb {name} changes users: give it OperatorOptions"));
        }
        if (spec.undo.is_some() || spec.notice.is_some()) && !spec.changes_user {
            wrong.push(format!("the verb {name} changes no user: nothing to undo or to notify of"));
        }
        // The verifier is started by an administrator, who names no user.
        // Users type the options of `me`.
        let is_typed = spec.is_of_system_user || name == "me";
        let is_called_by_service = has_role(spec, Role::Service) && !is_typed;
        if is_called_by_service == entry.has_help_flag {
            wrong.push(format!("the verb {name}: verbs of login services have no help flag"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_unique_and_undoable_changes_have_the_name_of_their_verb() {
    let mut names: Vec<_> = specs().flat_map(|s| [Some(s.name), s.alias]).flatten().collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for undoable in Undoable::ALL {
        let verbs: Vec<_> = specs().filter(|s| s.undo == Some(undoable)).map(|s| s.name).collect();
        assert_eq!(verbs, [undoable.verb()], "undo records are stored under this name");
    }
}

#[test]
fn what_a_verb_does_can_be_undone_if_its_entry_says_so() {
    for spec in specs().filter(|spec| spec.changes_user) {
        let world = World::new();
        world.active("alice");
        let name = spec.name;
        if world.run(&format!("{name} alice --json --yes")).code == 64 {
            // It takes no --yes, or it needs another option to change anything.
            let _ = world.run(&format!("{name} alice --json"));
        }
        let is_undone = world.run("undo alice --yes").code == 0;
        let says = if is_undone { "can be" } else { "cannot be" };
        assert_eq!(
            is_undone,
            spec.undo.is_some(),
            "{name} {says} undone, but its entry in src/commands.rs says otherwise"
        );
    }
}

#[test]
fn the_configuration_may_require_what_a_verb_takes() {
    let world = World::new();
    for spec in specs() {
        for (key, is_taken) in [("ticket", spec.takes_ticket()), ("proof", spec.takes_proof())] {
            let name = spec.name;
            world.configure(&format!("[helpdesk]\n{key} = [\"{name}\"]\n"));
            let ran = world.run("list-status --json");
            assert_eq!(ran.code, if is_taken { 0 } else { 78 }, "{key} of {name}: {ran:?}");
        }
    }
}

#[test]
fn pruning_the_log_needs_a_ticket_if_the_configuration_says_so() {
    let world = World::new();
    world.configure("[helpdesk]\nticket = [\"log\"]\n");
    let prune = "log --prune --before 2025-12-01 --yes";
    let ran = world.run(prune);
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.err.starts_with("mfactl: error: log --prune needs --ticket\n"), "{ran:?}");
    let _ = world.run(&format!("{prune} --ticket HELP-1")).ok();
    let _ = world.run("log").ok();
}

/// Compares a file with what the table says. `UPDATE=1` writes the file.
#[track_caller]
pub(super) fn assert_fresh(name: &str, content: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let committed = fs::read_to_string(&path).unwrap();
    let made = content(&committed);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, made).unwrap();
    } else {
        assert!(
            committed == made,
            "{name} is stale: UPDATE=1 cargo test --lib --test generated fresh"
        );
    }
}

#[test]
fn the_table_of_roles_is_fresh() {
    const BEGIN: &str = "<!-- roles: generated -->\n";
    const END: &str = "<!-- /roles -->";
    let verbs = |runs: fn(&VerbSpec) -> bool| {
        let names: Vec<_> = specs().filter(|s| runs(s)).map(|s| format!("`{}`", s.name)).collect();
        names.join(", ")
    };
    let rows = [
        ("helpdesk", {
            let own = |s: &VerbSpec| has_role(s, Role::Helpdesk) && !has_role(s, Role::Auditor);
            verbs(own) + ", and all that an auditor may"
        }),
        ("auditor", verbs(|spec| has_role(spec, Role::Auditor))),
        ("service", verbs(|spec| has_role(spec, Role::Service))),
        ("admin", "everything".to_owned()),
    ];
    let rows = rows.map(|(role, verbs)| format!("| `{role}` | {verbs} |\n")).concat();
    let is_subset = specs().all(|s| !has_role(s, Role::Auditor) || has_role(s, Role::Helpdesk));
    assert!(is_subset, "the row of the helpdesk says that it may do all that an auditor may");
    assert_fresh("docs/operators.md", |page| {
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        format!("{before}{BEGIN}\n| role | may run |\n|---|---|\n{rows}\n{END}{after}")
    });
}

/// Which verbs a rule allows comes from the table; which options, is chosen by hand in the file.
#[test]
fn the_sudo_rules_are_fresh() {
    let is_helpdesk = |s: &VerbSpec| {
        has_role(s, Role::Helpdesk) && !has_role(s, Role::Auditor) && s.takes_proof()
    };
    // They take a group or a serial in place of a name, so their rules are their own.
    // A page goes into a file only, and the rules take none.
    let is_plain =
        |s: &VerbSpec| !["require-mfa", "assign", "unassign", "handout"].contains(&s.name);
    let is_admins = |s: &VerbSpec| s.roles == Some(&[]) && s.changes_user;
    let names = |runs: &dyn Fn(&VerbSpec) -> bool| -> Vec<_> {
        specs().filter(|s| runs(s)).map(|s| s.name).collect()
    };
    // Of edit-user, only admins get all options.
    let admins = [names(&is_admins), vec!["edit-user"]].concat();
    let mut rules = [
        names(&|s| is_helpdesk(s) && is_plain(s)),
        names(&|s| is_helpdesk(s) && is_plain(s) && takes_list(s)),
        admins,
        names(&|s| is_admins(s) && takes_list(s)),
    ]
    .into_iter();
    assert_fresh("contrib/sudoers", |file| {
        let line = |line: &str| match line.split_once(" ^(") {
            Some((before, rest)) => {
                let (_, options) = rest.split_once(')').unwrap();
                format!("{before} ^({}){options}\n", rules.next().unwrap().join("|"))
            }
            None => format!("{line}\n"),
        };
        file.lines().map(line).collect()
    });
    assert_eq!(rules.next(), None, "the sudo rules have a line for each list of verbs");
    let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/sudoers"));
    let file = file.unwrap();
    let is_desks = |s: &&VerbSpec| has_role(s, Role::Helpdesk) || has_role(s, Role::Auditor);
    for spec in specs().filter(is_desks).filter(|spec| spec.name != "handout") {
        let name = spec.name;
        let has_rule = ["^", "(", "|"].iter().any(|before| {
            ["(", " ", ")", "|"]
                .iter()
                .any(|after| file.contains(&format!("{before}{name}{after}")))
        });
        assert!(has_rule, "contrib/sudoers has no rule for {name}: add one");
    }
    let everything: Vec<_> = crate::commands::check::What::value_variants()
        .iter()
        .map(|what| what.to_possible_value().unwrap().get_name().to_owned())
        .collect();
    assert!(file.contains(&format!(" ^check( ({}))?", everything.join("|"))), "{everything:?}");
    let is_used = |group: Group| specs().any(|spec| spec.group == group);
    assert!(Group::ALL.into_iter().all(is_used));
}

fn repository(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_verb_has_a_page_of_help_in_the_transcripts() {
    for VerbSpec { name, .. } in specs() {
        let file = format!("tests/cmd/help/{name}.trycmd");
        let advice = format!(
            "the verb {name} has no {file}: write the line \"The page of `{name}`.\", an empty line, \
             and a block of ``` with the line \"$ mfactl help {name}\" and an empty line; then \
             TRYCMD=overwrite cargo test --test transcripts fills it"
        );
        let text = fs::read_to_string(repository(&file)).unwrap_or_default();
        assert!(text.contains(&format!("$ mfactl help {name}\n")), "{advice}");
    }
}

#[test]
fn every_verb_has_a_story() {
    let entries = fs::read_dir(repository("tests/cmd/runs")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "trycmd"));
    let text: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("$ mfactl ")).collect();
    for VerbSpec { name, .. } in specs() {
        let runs = |line: &&str| line.split(' ').any(|word| word == *name);
        assert!(
            commands.iter().any(runs),
            "no story in tests/cmd/runs runs the verb {name}: write a line \"$ mfactl … {name} …\" and an \
             empty line into a block of one; then TRYCMD=overwrite cargo test --test transcripts fills it"
        );
    }
}

#[test]
fn every_verb_that_changes_users_of_a_list_says_what_it_means_for_each() {
    for spec in specs().filter(|spec| spec.changes_user && takes_list(spec)) {
        let world = World::new();
        world.active("alice");
        let more = match spec.name {
            "edit-user" => "--group vpn",
            "reset" => "--no-enrol",
            "force-new-password" => "--old-password-opens",
            "enrol" => "--no-confirm --device tablet",
            "recovery-codes" => "--reveal-secrets",
            "bypass" => "--for 1h --reveal-secrets",
            "remembered" => "--revoke",
            _ => "",
        };
        if spec.name == "undo" {
            let _ = world.run("disable alice --yes").ok();
        }
        let line = format!("{} --from - --yes --json {more}", spec.name);
        let user = world.run_with(&line, "alice\n").ok().json()["users"][0].clone();
        assert!(
            user["consequences"].is_array() && user["required"].is_boolean(),
            "the JSON of {line} has no consequences or no required: {user}"
        );
    }
}

#[test]
fn every_verb_that_changes_a_user_meets_every_state() {
    for VerbSpec { name, .. } in specs().filter(|spec| spec.changes_user) {
        assert!(
            super::states::has_row(name),
            "the verb {name} changes users: give it a row in TABLE of src/commands/tests/states.rs"
        );
    }
}
