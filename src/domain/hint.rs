//! What to do next, in words that may name commands. A reader copies a command to a shell as it stands, so this is
//! the only place where one is composed.
//!
//! How the caller starts the program is known where words are printed, so a hint keeps its commands as data until
//! then; [`super::caller::Caller`] writes them out.

use std::borrow::Cow;

/// A command line of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub verb: Cow<'static, str>,
    /// Options, with their values.
    pub options: Vec<(String, Option<String>)>,
    /// What no `--` comes before, such as the metric of `check`.
    pub operand: Option<String>,
    /// The name, or the words, which `--` comes before.
    pub names: Vec<String>,
    /// The command whose output is the input.
    pub input: Option<&'static str>,
    /// The file that is the input.
    pub input_file: Option<String>,
    pub runner: Runner,
}

/// Who is to run a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
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
        names: Vec::new(),
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
        self.options.push((flag.to_owned(), None));
        self
    }

    /// Adds an option with its value. A word in capitals stands for a value that the reader chooses.
    #[must_use]
    pub fn option(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.to_owned(), Some(value.to_owned())));
        self
    }

    /// Names the device that is meant.
    #[must_use]
    pub fn device(self, label: impl AsRef<str>) -> Self {
        self.option("--device", label.as_ref())
    }

    /// Sets the argument of a verb that takes no name of a user.
    #[must_use]
    pub fn operand(mut self, word: &str) -> Self {
        self.operand = Some(word.to_owned());
        self
    }

    /// Adds the name of the user, the ID of a request, or a word that the reader replaces.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.names.push(name.as_ref().to_owned());
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
    pub fn reading(mut self, file: &str) -> Self {
        self.input_file = Some(file.to_owned());
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

/// Words that say what to do, with commands in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(pub Box<Words>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub parts: Vec<Part>,
    /// What is said to an operator who may not run a command of it.
    pub otherwise: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
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

    /// The hint with this name in the place of a name that was to be filled in.
    #[must_use]
    pub fn about(self, name: impl AsRef<str>) -> Self {
        self.map_commands(|mut command| {
            for placeholder in command.names.iter_mut().filter(|word| *word == "NAME") {
                name.as_ref().clone_into(placeholder);
            }
            command
        })
    }

    /// The hint with its commands changed.
    #[must_use]
    pub fn map_commands(mut self, change: impl Fn(Command) -> Command) -> Self {
        for part in &mut self.0.parts {
            if let Part::Command(command) = part {
                **command = change((**command).clone());
            }
        }
        self
    }

    pub fn commands(&self) -> impl Iterator<Item = &Command> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_known_stands_for_itself() {
        let hint = command("show-user").name("NAME").after("check with: ");
        assert_eq!(
            hint.clone().about("alice").to_string(),
            "check with: mfactl show-user -- alice"
        );
        let named = command("assign").name("SERIAL").name("bob").after("run: ");
        assert_eq!(named.clone().about("alice"), named);
    }
}
