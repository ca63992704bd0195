//! One run of a verb: its options, the configuration, the store once opened, the person.

mod attempt;
mod backup;
mod batch;
mod change;
pub mod completion;
mod create;
mod deadline;
mod diagnose;
mod files;
mod health;
mod login;
mod names;
mod nearest;
mod notify;
mod proof;
mod prune;
mod request;
mod sign_in;
mod slot;
mod standing;
mod transfer;
mod work;

use std::io::{Read as _, Write as _};

use anyhow::Result;
use zeroize::Zeroizing;

pub use crate::operator_file::NewFile;
pub use attempt::Attempted;
pub use backup::Plan;
pub use change::{Act, Done, Row};
pub use login::Login;
pub use proof::Proved;
pub use sign_in::{Credentials, SignedIn};
pub use standing::{Authorization, Leave};

use crate::config::{Config, Named};
use crate::domain::code::LONGEST_INPUT;
use crate::domain::event::{Event, Subject, Ticket};
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::env::{Env, Person};
use crate::options::Options;
use crate::report::{Format, Writer};
use crate::store::custody::{Custody, place};
use crate::store::location::Location;
use crate::store::{Access, Store, Transaction};
use crate::vault::{Vault, key_file};

/// The run of one verb.
pub struct Session<'a> {
    pub env: &'a mut Env,
    pub options: Options,
    named: Named,
    config: Option<Config>,
    /// What the operator may do, once a verb begins.
    pub standing: Authorization,
    /// The login service that asks, where one does.
    service: Option<login::Service>,
    /// Reading goes on where this machine's clock and the database's disagree.
    ignore_clock_skew: bool,
}

/// Where a store is, and which files of it are trusted.
pub struct StoreLocation {
    location: Location,
    custody: Custody,
}

impl StoreLocation {
    /// # Errors
    /// As [`Location::open`].
    pub fn open(&self) -> Result<Box<dyn Store>> {
        self.location.open(Access::Read, &self.custody)
    }
}

/// A store and its keys.
pub struct Opened {
    pub store: Box<dyn Store>,
    pub vault: Vault,
}

impl<'a> Session<'a> {
    pub fn new(env: &'a mut Env, options: Options, named: Named) -> Self {
        if options.no_input {
            env.person = None;
        }
        Self {
            env,
            options,
            named,
            config: None,
            standing: Authorization::default(),
            service: None,
            ignore_clock_skew: false,
        }
    }

    /// The configuration, read when it is first asked for.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn config(&mut self) -> Result<&Config> {
        if self.config.is_none() {
            self.config = Some(Config::load(&self.named, self.env)?);
        }
        self.config.as_ref().ok_or_else(|| anyhow::anyhow!("the configuration was just read"))
    }

    /// The store for looking only: no key, no lock.
    ///
    /// # Errors
    /// As [`Location::open`](crate::store::location::Location::open).
    pub fn reader(&mut self) -> Result<Box<dyn Store>> {
        self.open(Access::Read)
    }

    /// The store for changes, and its key.
    ///
    /// # Errors
    /// As [`Session::reader`]; `key` where the key is missing or another.
    pub fn opened(&mut self) -> Result<Opened> {
        let waits = if self.service.is_some() { Access::Answer } else { Access::Write };
        let store = self.open(waits)?;
        let identity = store.identity();
        let config = self.config()?;
        let shown = place(&config.key_file);
        if !config.custody.check(&config.key_file, config.key_purpose)? {
            return Err(Refusal::new(Code::Key, format!("there is no key file at {shown}"))
                .hint("put the saved copy there, or name it with --key-file")
                .into());
        }
        let root = key_file::load(&config.key_file, &shown, Some(identity.key))?;
        Ok(Opened { store, vault: Vault::new(&root, identity.store) })
    }

    fn open(&mut self, access: Access) -> Result<Box<dyn Store>> {
        let config = self.config()?;
        let store = config.store.open(access, &config.custody)?;
        // Under the lock the clocks are compared anyway.
        if access == Access::Read && !self.ignore_clock_skew {
            work::require_agreement(&*self.env.clock, store.clock())?;
        }
        Ok(store)
    }

    /// Where the store is, for whoever opens it again and again; the clocks are compared once.
    ///
    /// # Errors
    /// As [`Session::reader`].
    pub fn place(&mut self) -> Result<StoreLocation> {
        self.reader()?;
        let config = self.config()?;
        Ok(StoreLocation { location: config.store.clone(), custody: config.custody })
    }

    /// A user as he stands, without a lock and unchecked: to ask a person about, not to decide by.
    ///
    /// # Errors
    /// `user_not_found`, with the nearest names.
    pub fn look(&mut self, name: &UserName) -> Result<User> {
        let mut store = self.reader()?;
        let mut snapshot = store.read()?;
        match snapshot.user(name)? {
            Some(user) => Ok(user),
            None => Err(nearest::user_not_found(name, &mut *snapshot)),
        }
    }

    /// The refusal for a name that the store does not have.
    pub fn unknown(opened: &mut Opened, name: &UserName) -> anyhow::Error {
        match opened.store.read() {
            Ok(mut snapshot) => nearest::user_not_found(name, &mut *snapshot),
            Err(error) => error,
        }
    }

    /// Writes an event about a user as he stands after the act.
    ///
    /// # Errors
    /// As [`Transaction::append`].
    pub fn append(
        env: &mut Env,
        tx: &mut dyn Transaction,
        at: Timestamp,
        user: &User,
        record: Telling,
    ) -> Result<()> {
        let event = Event {
            at,
            verb: record.verb,
            outcome: record.outcome,
            operator: env.process.operator.clone(),
            ticket: record.ticket,
            subject: Some(Subject {
                id: user.id,
                name: user.name.as_str().to_owned(),
                status: user.status().word(),
                rev: user.rev,
                device: record.device,
                factor: record.factor,
            }),
            detail: record.detail,
        };
        let salt = env.random()?;
        if let Some(person) = &mut env.person {
            let name = &user.name;
            person.standing(&match record.verb {
                // Users can't look.
                "sign-in" => "it may be done; sign in again".to_owned(),
                _ => format!("it may be done; see: mfactl show-user {name}"),
            });
        }
        tx.append(&event, salt).map(|_| ())
    }

    /// Asks for a yes.
    ///
    /// # Errors
    /// `usage` where there is nobody to ask.
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        self.person("add --yes to do it unasked")?.confirm(question)
    }

    /// Somebody to ask.
    ///
    /// # Errors
    /// `usage`, with the option that makes asking unnecessary.
    pub fn person(&mut self, hint: &str) -> Result<&mut Box<dyn Person>> {
        self.env.person.as_mut().ok_or_else(|| {
            Refusal::new(Code::Usage, "there is nobody to ask: no terminal, or --no-input")
                .hint(hint)
                .into()
        })
    }

    /// All of standard input, at most a little longer than any code. A terminal is not read.
    ///
    /// # Errors
    /// As the stream has them.
    pub fn input(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        self.input_to(LONGEST_INPUT)
    }

    /// The same with another bound: what is longer by a byte is given back so, to be refused.
    ///
    /// # Errors
    /// As the stream has them.
    pub fn input_to(&mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
        if !self.env.input_is_terminal {
            let most = longest as u64 + 1;
            (&mut self.env.input).take(most).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// One line of standard input with its end, at most a little longer than any code; `None` at
    /// its end. A terminal is not read.
    ///
    /// # Errors
    /// As the stream has them.
    pub fn input_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
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

    /// One line of standard input without its end, as long as credentials may be; `None` at its end.
    ///
    /// # Errors
    /// `bad_input` for a longer one, or as the stream has them.
    pub fn secret_line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        /// Three texts of 256 characters, each of which JSON may write as twelve bytes.
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
                return Err(Refusal::bad_input("standard input", "is too long a line")
                    .hint("give one line of a few hundred characters")
                    .into());
            }
            line.push(byte[0]);
        }
        Ok(Some(line).filter(|line| !line.is_empty()))
    }

    /// A word to the person beside the output; silent where nobody wants to hear.
    pub fn say(&mut self, words: &str) {
        if !self.options.quiet {
            let _ = writeln!(self.env.err.writer, "mfactl: {}", shown(words));
        }
    }

    /// Where and how the report goes.
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

    /// The same for a person who is to be asked, beside the output.
    pub fn beside(&mut self) -> Writer<'_> {
        Writer {
            colour: self.options.colour(self.env),
            format: Format::Table,
            quiet: false,
            columns: self.env.err.terminal.map(|t| t.columns),
            only: None,
            out: &mut *self.env.err.writer,
        }
    }

    /// Does the output go to people?
    #[must_use]
    pub fn for_people(&self) -> bool {
        self.options.format() == Format::Table
    }
}

/// What the log is told of an act.
#[derive(Default)]
pub struct Telling {
    pub verb: &'static str,
    pub outcome: &'static str,
    pub ticket: Ticket,
    pub device: Option<String>,
    pub factor: Option<&'static str>,
    pub detail: Option<String>,
}
