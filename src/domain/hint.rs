//! What to do next, in words that may name commands. A reader copies a command to a shell as it stands, so this is
//! the only place that writes one: options first, then `--`, then the name, as the sample rules for `sudo` want it.
//!
//! How the caller starts the program is known where words are printed, so a hint keeps its commands as data until
//! then; [`Caller::words`] writes them out.

use std::borrow::Cow;
use std::fmt;

use crate::domain::name::{Label, UserName};
use crate::domain::text::shell_word;

/// The system's user, who owns the machine's store.
pub const SYSTEM_USER: &str = "mfactl";

/// A command line of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    verb: Cow<'static, str>,
    /// Options, each with its value, as a shell reads them.
    options: Vec<String>,
    /// What no `--` comes before, such as the metric of `check`.
    operand: Option<String>,
    /// The name, which `--` comes before.
    name: Option<String>,
    /// The command whose output is the input.
    input: Option<&'static str>,
    /// The file that is the input.
    input_file: Option<&'static str>,
    runner: Runner,
}

/// Who is to run a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    /// Whoever reads the hint.
    Reader,
    /// Somebody with another role than the reader.
    Another,
    /// Anybody, without a store and without rights.
    Anybody,
    /// A person who has to call `sudo` for it.
    SystemUser,
}

/// The command line of a verb.
#[must_use]
pub fn command(verb: impl Into<Cow<'static, str>>) -> Command {
    Command {
        verb: verb.into(),
        options: Vec::new(),
        operand: None,
        name: None,
        input: None,
        input_file: None,
        runner: Runner::Reader,
    }
}

/// The command line for the help, of a verb if one is named.
#[must_use]
pub fn help(verb: Option<&str>) -> Command {
    let help = Command { runner: Runner::Anybody, ..command("help") };
    match verb {
        Some(verb) => help.operand(verb),
        None => help,
    }
}

impl Command {
    /// Adds an option without a value.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.options.push(flag.to_owned());
        self
    }

    /// Adds an option with its value. A word in capitals stands for a value that the reader chooses.
    #[must_use]
    pub fn option(self, option: &str, value: &str) -> Self {
        // A value with a dash at its start would read as an option.
        let separator = if value.starts_with('-') { '=' } else { ' ' };
        self.flag(&format!("{option}{separator}{}", shell_word(value)))
    }

    /// Names the device that is meant.
    #[must_use]
    pub fn device(self, label: &Label) -> Self {
        self.option("--device", label.as_str())
    }

    /// Sets the argument of a verb that takes no name of a user.
    #[must_use]
    pub fn operand(mut self, word: &str) -> Self {
        self.operand = Some(shell_word(word).into_owned());
        self
    }

    /// Sets the user.
    #[must_use]
    pub fn name(self, name: &UserName) -> Self {
        self.named(name.as_str())
    }

    /// Sets the name of what no [`UserName`] is at hand for: a request, or a word that the reader replaces.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(shell_word(name).into_owned());
        self
    }

    /// Gives the command the output of another one, which is written as it stands.
    #[must_use]
    pub fn fed_by(mut self, input: &'static str) -> Self {
        self.input = Some(input);
        self
    }

    /// Gives the command a file to read.
    #[must_use]
    pub fn reading(mut self, file: &'static str) -> Self {
        self.input_file = Some(file);
        self
    }

    /// Somebody else is to run it, whose role the words before it name.
    #[must_use]
    pub fn by_another(self) -> Self {
        Self { runner: Runner::Another, ..self }
    }

    /// It is to run as the system user, however the reader started the program.
    #[must_use]
    pub fn by_system_user(self) -> Self {
        Self { runner: Runner::SystemUser, ..self }
    }

    /// The hint of these words and then the command.
    #[must_use]
    pub fn after(self, words: &str) -> Hint {
        Hint::from(words).then(self)
    }
}

/// The form for a caller who starts the program by its name.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Caller::default().line(self))
    }
}

/// Words that say what to do, with commands in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(Box<Words>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    parts: Vec<Part>,
    /// What is said to an operator who may not run a command of it.
    otherwise: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Command(Box<Command>),
}

impl Hint {
    /// Adds words, or a command.
    #[must_use]
    pub fn then(mut self, more: impl Into<Self>) -> Self {
        let mut more = more.into();
        self.0.parts.append(&mut more.0.parts);
        self.0.otherwise = self.0.otherwise.or(more.0.otherwise);
        self
    }

    /// Sets what is said to an operator whose role may not run a command of it.
    #[must_use]
    pub fn or(mut self, otherwise: &str) -> Self {
        self.0.otherwise = Some(otherwise.into());
        self
    }

    fn commands(&self) -> impl Iterator<Item = &Command> {
        self.0.parts.iter().filter_map(|part| match part {
            Part::Command(command) => Some(&**command),
            Part::Words(_) => None,
        })
    }
}

impl From<Part> for Hint {
    fn from(part: Part) -> Self {
        Self(Box::new(Words { parts: vec![part], otherwise: None }))
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Part::Words(words).into()
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<&String> for Hint {
    fn from(words: &String) -> Self {
        words.as_str().into()
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        Part::Command(Box::new(command)).into()
    }
}

/// The form for a caller who starts the program by its name and may run every verb.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Caller::default().words(self))
    }
}

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
        words.extend(command.options.iter().map(Into::into));
        words.extend(command.operand.as_deref().map(Into::into));
        words.extend(command.name.as_ref().map(|name| format!("-- {name}").into()));
        words.extend(command.input_file.map(|file| format!("< {file}").into()));
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

#[cfg(test)]
mod tests {
    use crate::domain::hint::*;

    fn name(name: &str) -> UserName {
        UserName::parse(name).unwrap()
    }

    fn helpdesk() -> Caller {
        Caller { sudo_user: Some("mfactl".to_owned()), ..Caller::default() }
    }

    #[test]
    fn d5_options_come_first_then_two_dashes_then_the_name() {
        let line = command("show-qr").name(&name("alice")).flag("--active").to_string();
        assert_eq!(line, "mfactl show-qr --active -- alice");
        assert_eq!(command("approve").named("3f09a1c2").to_string(), "mfactl approve -- 3f09a1c2");
        assert_eq!(command("check").operand("clock").to_string(), "mfactl check clock");
    }

    #[test]
    fn d5_what_a_shell_would_read_otherwise_is_quoted() {
        let line = |line: Command| line.to_string();
        let unlock = |who: &str| line(command("unlock").name(&name(who)));
        assert_eq!(unlock("o'brien@example.com"), r"mfactl unlock -- 'o'\''brien@example.com'");
        assert_eq!(line(command("unlock").named("-alice")), "mfactl unlock -- -alice");
        assert_eq!(line(command("unlock").named("")), "mfactl unlock -- ''");
        assert_eq!(line(command("unlock").named("$(id)")), "mfactl unlock -- '$(id)'");
        let label = Label::parse("old phone").unwrap();
        let reset = command("reset").device(&label).name(&name("alice"));
        assert_eq!(line(reset), "mfactl reset --device 'old phone' -- alice");
        let dash = command("backup").option("--output", "-x").to_string();
        assert_eq!(dash, "mfactl backup --output=-x");
    }

    #[test]
    fn d5_a_command_begins_as_its_caller_began() {
        let unlock = command("unlock").name(&name("alice"));
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
        let diagnose = command("diagnose").name(&name("alice")).fed_by("echo CODE");
        let line = helpdesk().line(&diagnose);
        assert_eq!(line, "echo CODE | sudo -u mfactl mfactl diagnose -- alice");
        let set = command("set-password").name(&name("alice")).reading("FILE");
        assert_eq!(set.to_string(), "mfactl set-password -- alice < FILE");
    }

    #[test]
    fn d5_a_hint_names_no_verb_that_the_role_forbids() {
        let caller = Caller { denied: vec!["verify"], ..helpdesk() };
        let verify = || command("verify").name(&name("alice")).after("confirm it with: ");
        assert_eq!(caller.words(&verify()), "ask an operator who may run verify");
        assert_eq!(caller.words(&verify().or("sign in")), "sign in");
        assert_eq!(helpdesk().words(&verify().or("no")), {
            "confirm it with: sudo -u mfactl mfactl verify -- alice"
        });
        let another = command("verify").by_another().after("an admin can run: ");
        assert_eq!(caller.words(&another), "an admin can run: sudo -u mfactl mfactl verify");
    }
}
