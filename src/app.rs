//! The context of one run: environment, options, configuration, open store, prompts, output.

use crate::authenticate::login;
use crate::operate::authorize::Authorization;
use crate::operate::transaction;
use crate::suggest;
use std::io::{Read as _, Write as _};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zeroize::Zeroizing;

use crate::config::{Config, PathOptions};
use crate::domain::name::UserName;
use crate::domain::otp::LONGEST_INPUT;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::user::User;
use crate::domain::verb::FindVerb;
use crate::env::{Env, Prompt};
use crate::files::file_trust::{FilePolicy, display_path};
use crate::keyring::{Vault, key_file};
use crate::options::Options;
use crate::report::{Format, Writer};
use crate::store::location::StoreLocation;
use crate::store::{Access, Store};

/// The run of one verb.
pub struct App<'a> {
    pub env: &'a mut Env,
    pub options: Options,
    named: PathOptions,
    pub find_verb: FindVerb,
    config: Option<Config>,
    /// What the operator may do; set when the verb is authorized.
    pub authorization: Authorization,
    /// Set while this run answers a login service.
    pub service: Option<login::ServiceRun>,
    /// Reads go on even if this machine's clock and the database's disagree.
    pub ignore_clock_skew: bool,
}

/// Where a store is, and which of its files are trusted.
pub struct StoreOpener {
    location: StoreLocation,
    file_policy: FilePolicy,
}

impl StoreOpener {
    pub fn open(&self) -> Result<Box<dyn Store>> {
        self.location.open(Access::Read, &self.file_policy)
    }
}

/// A store and its keys.
pub struct OpenStore {
    pub store: Box<dyn Store>,
    pub vault: Vault,
}

impl<'a> App<'a> {
    pub fn new(
        env: &'a mut Env,
        options: Options,
        named: PathOptions,
        find_verb: FindVerb,
    ) -> Self {
        if options.no_input {
            env.prompt = None;
        }
        Self {
            env,
            options,
            named,
            find_verb,
            config: None,
            authorization: Authorization::default(),
            service: None,
            ignore_clock_skew: false,
        }
    }

    /// The configuration, loaded on first use.
    pub fn config(&mut self) -> Result<&Config> {
        if self.config.is_none() {
            self.config = Some(Config::load(&self.named, self.env, self.find_verb)?);
        }
        self.config.as_ref().ok_or_else(|| anyhow::anyhow!("the configuration was just read"))
    }

    /// Opens the store read-only: needs no key and takes no lock.
    pub fn reader(&mut self) -> Result<Box<dyn Store>> {
        self.open(Access::Read)
    }

    /// Opens the store for changes, with its keys. Fails with `key` if the key file is missing or
    /// holds another store's key.
    pub fn open_store(&mut self) -> Result<OpenStore> {
        let access = if self.service.is_some() { Access::Login } else { Access::Write };
        let store = self.open(access)?;
        let identity = store.identity();
        let config = self.config()?;
        let shown = display_path(&config.key_file);
        if !config.file_policy.check(&config.key_file, config.key_file_kind)? {
            return Err(Refusal::new(ErrorCode::Key, format!("there is no key file at {shown}"))
                .hint("put the saved copy there, or name it with --key-file")
                .into());
        }
        let root = key_file::load(&config.key_file, &shown, Some(identity.key))?;
        Ok(OpenStore { store, vault: Vault::new(&root, identity.store) })
    }

    fn open(&mut self, access: Access) -> Result<Box<dyn Store>> {
        let config = self.config()?;
        let store = config.store.open(access, &config.file_policy)?;
        // Write access compares the clocks under the lock.
        if access == Access::Read && !self.ignore_clock_skew {
            transaction::require_agreement(&*self.env.clock, store.clock())?;
        }
        Ok(store)
    }

    /// The store's location, for a caller that reopens it repeatedly; compares the clocks once.
    pub fn store_opener(&mut self) -> Result<StoreOpener> {
        self.reader()?;
        let config = self.config()?;
        Ok(StoreOpener { location: config.store.clone(), file_policy: config.file_policy })
    }

    /// Reads a user without a lock and without checking the MAC: good enough for a question to a
    /// person, not for a decision. An unknown name is `user_not_found` with the nearest names.
    pub fn read_user(&mut self, name: &UserName) -> Result<User> {
        let mut store = self.reader()?;
        let mut snapshot = store.read()?;
        match snapshot.user(name)? {
            Some(user) => Ok(user),
            None => Err(suggest::user_not_found(name, &mut snapshot)),
        }
    }

    /// The error for a name that is not in the store.
    pub fn user_not_found(opened: &mut OpenStore, name: &UserName) -> anyhow::Error {
        match opened.store.read() {
            Ok(mut snapshot) => suggest::user_not_found(name, &mut snapshot),
            Err(error) => error,
        }
    }

    /// Asks a yes/no question; fails with `usage` if no terminal is there to ask on.
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        self.person("add --yes to skip the question")?.confirm(question)
    }

    /// The person to prompt. `hint` names the option that makes the prompt unnecessary; it goes
    /// into the `usage` error if nobody is there.
    pub fn person(&mut self, hint: &str) -> Result<&mut Box<dyn Prompt>> {
        self.env.prompt.as_mut().ok_or_else(|| {
            Refusal::new(ErrorCode::Usage, "can't prompt: no terminal, or --no-input")
                .hint(hint)
                .into()
        })
    }

    /// Reads standard input to its end, up to the longest code plus one byte. Does not read a
    /// terminal.
    pub fn read_input(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        self.read_input_up_to(LONGEST_INPUT)
    }

    /// Like [`App::read_input`] with another limit. Longer input is returned with `longest + 1`
    /// bytes, so that the caller can refuse it.
    pub fn read_input_up_to(&mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
        if !self.env.input_is_terminal {
            (&mut self.env.input).take(longest as u64 + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Reads one line of standard input with its line end, up to the longest code plus one byte;
    /// `None` at the end of input. Does not read a terminal.
    pub fn read_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if self.env.input_is_terminal {
            return Ok(None);
        }
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_INPUT + 1));
        let mut byte = [0];
        while line.len() <= LONGEST_INPUT && self.env.input.read(&mut byte)? == 1 {
            line.push(byte[0]);
            if byte[0] == b'\n' {
                break;
            }
        }
        Ok(Some(line).filter(|l| !l.is_empty()))
    }

    /// Reads one line of standard input without its line end; `None` at the end of input. A line
    /// longer than any credentials is `bad_input`.
    pub fn read_secret_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        /// Three strings of 256 characters; JSON may escape each character as twelve bytes.
        const LONGEST: usize = 3 * 256 * 12 + 64;
        if self.env.input_is_terminal {
            return Ok(None);
        }
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let mut byte = [0];
        while self.env.input.read(&mut byte)? == 1 {
            if byte[0] == b'\n' {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if line.len() == LONGEST {
                return Err(Refusal::bad_input("standard input", "has too long a line")
                    .hint("write one line of at most a few hundred characters")
                    .into());
            }
            line.push(byte[0]);
        }
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    /// Prints a note on standard error, unless `--quiet`.
    pub fn note(&mut self, words: &str) {
        if !self.options.quiet {
            let _ = writeln!(self.env.err.writer, "mfactl: {}", shown(words));
        }
    }

    /// Writes the report to standard output.
    pub fn writer(&mut self) -> Writer<'_> {
        let colour = self.options.colour(self.env);
        Writer {
            colour,
            format: self.options.format(),
            quiet: self.options.quiet,
            columns: self.env.out.terminal.map(|t| t.columns),
            only: None,
            out: &mut *self.env.out.writer,
        }
    }

    /// Writes a table to standard error, to show before a prompt.
    pub fn prompt_writer(&mut self) -> Writer<'_> {
        Writer {
            colour: self.options.colour(self.env),
            format: Format::Table,
            quiet: false,
            columns: self.env.err.terminal.map(|t| t.columns),
            only: None,
            out: &mut *self.env.err.writer,
        }
    }

    /// Is the output a table for people, not JSON or CSV?
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        self.options.format() == Format::Table
    }

    /// A progress bar on a terminal; hidden anywhere else and with `--quiet`.
    #[must_use]
    pub fn progress_bar(&self, steps: u64) -> ProgressBar {
        let is_seen = self.env.err.terminal.is_some() && !self.options.quiet;
        let target =
            if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{wide_bar} {percent}%, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), target).with_style(style)
    }

    /// Prints a warning on standard error, also with `--quiet`.
    pub fn warn(&mut self, words: &str) {
        let _ = writeln!(self.env.err.writer, "mfactl: warning: {}", shown(words));
    }
}
