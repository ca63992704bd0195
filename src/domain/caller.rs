//! How the caller of this run starts the program. Here the commands of a hint become lines for that caller's shell:
//! options first, then `--`, then the name, as the sample rules for `sudo` want it.

use std::borrow::Cow;
use std::fmt;

use crate::domain::hint::{Command, Hint, Part, Runner};
use crate::domain::text::shell_word;

/// The system's user, who owns the machine's store.
pub const SYSTEM_USER: &str = "mfactl";

/// How the caller of this run starts the program, and what their role forbids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user as whom `sudo` started the program, as `sudo` takes it.
    pub sudo_user: Option<String>,
    /// The options for store, configuration and key file that were given, which come before the verb.
    pub path_options: Vec<(&'static str, String)>,
    /// The verbs that the operator's role may not run.
    pub denied: Vec<&'static str>,
}

impl Caller {
    /// A command as this caller types it.
    #[must_use]
    pub fn line(&self, command: &Command) -> String {
        let (user, path_options) = match command.runner {
            Runner::Reader | Runner::Another => (self.sudo_user.as_deref(), &*self.path_options),
            Runner::Anybody => (None, [].as_slice()),
            Runner::SystemUser => (Some(SYSTEM_USER), [].as_slice()),
        };
        let mut words: Vec<Cow<'_, str>> = Vec::new();
        words.extend(command.input.map(|input| format!("{input} |").into()));
        match user {
            // Without `-u`, sudo takes root.
            Some("root") => words.push("sudo".into()),
            Some(user) => words.extend(["sudo".into(), "-u".into(), shell_word(user)]),
            None => {}
        }
        words.push("mfactl".into());
        for (option, value) in path_options {
            words.extend([Cow::from(*option), shell_word(value)]);
        }
        words.push((&*command.verb).into());
        words.extend(command.operand.as_deref().map(shell_word));
        for (option, value) in &command.options {
            match value {
                // Else it would read as an option.
                Some(value) if value.starts_with('-') && value != "-" => {
                    words.push(format!("{option}={}", shell_word(value)).into());
                }
                Some(value) => words.extend([option.into(), shell_word(value)]),
                None => words.push(option.into()),
            }
        }
        if !command.names.is_empty() {
            words.push("--".into());
            words.extend(command.names.iter().map(|name| shell_word(name)));
        }
        if let Some(file) = &command.input_file {
            words.extend(["<".into(), shell_word(file)]);
        }
        words.join(" ")
    }

    /// A hint in words. It names no verb that this operator's role may not run.
    #[must_use]
    pub fn words(&self, hint: &Hint) -> String {
        let is_denied = |command: &&Command| {
            command.runner == Runner::Reader && self.denied.iter().any(|verb| *verb == command.verb)
        };
        if let Some(command) = hint.commands().find(is_denied) {
            let ask = || format!("ask an operator who may run {}", command.verb);
            return hint.0.otherwise.as_deref().map_or_else(ask, str::to_owned);
        }
        let part = |part: &Part| match part {
            Part::Words(words) => words.clone(),
            Part::Command(command) => self.line(command),
        };
        hint.0.parts.iter().map(part).collect()
    }
}

/// The form for a caller who starts the program by its name.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Caller::default().line(self))
    }
}

/// The form for a caller who starts the program by its name and may run every verb.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Caller::default().words(self))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::caller::*;
    use crate::domain::hint::{command, help};
    use crate::domain::name::{Label, UserName};

    fn name(name: &str) -> UserName {
        UserName::parse(name).unwrap()
    }

    fn helpdesk() -> Caller {
        Caller { sudo_user: Some("mfactl".to_owned()), ..Caller::default() }
    }

    #[test]
    fn d5_options_come_first_then_two_dashes_then_the_name() {
        let line = command("show-qr").name(name("alice")).flag("--active").to_string();
        assert_eq!(line, "mfactl show-qr --active -- alice");
        assert_eq!(command("approve").name("3f09a1c2").to_string(), "mfactl approve -- 3f09a1c2");
        let check = command("check").option("--warning", "5").operand("clock");
        assert_eq!(check.to_string(), "mfactl check clock --warning 5", "the rules want it so");
    }

    #[test]
    fn d5_what_a_shell_would_read_otherwise_is_quoted() {
        let line = |line: Command| line.to_string();
        let unlock = |who: &str| line(command("unlock").name(name(who)));
        assert_eq!(unlock("o'brien@example.com"), r"mfactl unlock -- 'o'\''brien@example.com'");
        assert_eq!(line(command("unlock").name("-alice")), "mfactl unlock -- -alice");
        assert_eq!(line(command("unlock").name("")), "mfactl unlock -- ''");
        assert_eq!(line(command("unlock").name("$(id)")), "mfactl unlock -- '$(id)'");
        let label = Label::parse("old phone").unwrap();
        let reset = command("reset").device(&label).name(name("alice"));
        assert_eq!(line(reset), "mfactl reset --device 'old phone' -- alice");
        let dash = command("backup").option("--output", "-x").to_string();
        assert_eq!(dash, "mfactl backup --output=-x");
    }

    #[test]
    fn d5_a_command_begins_as_its_caller_began() {
        let unlock = command("unlock").name(name("alice"));
        assert_eq!(helpdesk().line(&unlock), "sudo -u mfactl mfactl unlock -- alice");
        let root = Caller { sudo_user: Some("root".to_owned()), ..Caller::default() };
        assert_eq!(root.line(&unlock), "sudo mfactl unlock -- alice");
        let path_options =
            vec![("--store", "/srv/my store.db".to_owned()), ("--key-file", "k".to_owned())];
        let with_paths = Caller { path_options, ..helpdesk() };
        assert_eq!(
            with_paths.line(&unlock),
            "sudo -u mfactl mfactl --store '/srv/my store.db' --key-file k unlock -- alice"
        );
        assert_eq!(with_paths.line(&help(Some("reset"))), "mfactl help reset");
        let init = command("init").by_system_user();
        assert_eq!(with_paths.line(&init), "sudo -u mfactl mfactl init");
        assert_eq!(init.to_string(), "sudo -u mfactl mfactl init");
    }

    #[test]
    fn d5_a_command_with_input_pipes_it_into_sudo() {
        let diagnose = command("diagnose").name(name("alice")).fed_by("echo CODE");
        let line = helpdesk().line(&diagnose);
        assert_eq!(line, "echo CODE | sudo -u mfactl mfactl diagnose -- alice");
        let set = command("set-password").name(name("alice")).reading("FILE");
        assert_eq!(set.to_string(), "mfactl set-password -- alice < FILE");
    }

    #[test]
    fn d5_a_hint_names_no_verb_that_the_role_forbids() {
        let caller = Caller { denied: vec!["verify"], ..helpdesk() };
        let verify = || command("verify").name(name("alice")).after("confirm it with: ");
        assert_eq!(caller.words(&verify()), "ask an operator who may run verify");
        assert_eq!(caller.words(&verify().or("sign in")), "sign in");
        assert_eq!(helpdesk().words(&verify().or("no")), {
            "confirm it with: sudo -u mfactl mfactl verify -- alice"
        });
        let another = command("verify").by_another().after("an admin can run: ");
        assert_eq!(caller.words(&another), "an admin can run: sudo -u mfactl mfactl verify");
    }
}
