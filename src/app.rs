//! The context of one run: environment, options, configuration, open store, prompts, output.

pub mod authorization;
mod input;
mod language;
pub mod operator_files;
pub mod output;
pub mod service_run;
mod shown_user;
pub mod transaction;
pub mod watchdog;

pub use authorization::{Authorization, Decision};
pub use language::language_of;
pub use service_run::ServiceRun;
pub use shown_user::ShownUser;
pub use transaction::{user_tx, write_tx};

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;

use crate::config::Config;
use crate::domain::hint;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;
use crate::domain::verb::FindVerb;
use crate::env::{Env, Prompt, YesNo};
use crate::files::file_trust::{FilePolicy, display_path};
use crate::keyring::{Vault, key_file};
use crate::options::Options;
use crate::report::Format;
use crate::store::location::StoreLocation;
use crate::store::{Access, Store};
use crate::suggest;

/// The run of one verb.
pub struct App<'a> {
    pub env: &'a mut Env,
    pub options: Options,
    pub config: Arc<Config>,
    pub find_verb: FindVerb,
    /// What the operator may do; set when the verb is authorized.
    pub authorization: Authorization,
    /// Set while this run answers a login service.
    pub service: Option<ServiceRun>,
    /// The user whom the operator named by something else than the name, or chose from a list.
    pub meant: Option<UserName>,
    /// The user who was shown to the operator; transactions refuse another one.
    pub shown: ShownUser,
    /// The store that was opened to authorize the verb, for the verb to go on with.
    pub opened: Option<OpenStore>,
    /// Set once this run has changed a store, for the error of a result that can't be written.
    pub store_changed: Rc<Cell<bool>>,
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
    shown: ShownUser,
}

impl OpenStore {
    /// Reads a user without a lock and without checking the MAC: good enough for a question to a
    /// person, not for a decision. An unknown name is `user_not_found` with the nearest names. A user who is not
    /// the one that the operator was shown is `busy`.
    pub fn read_user(&mut self, name: &UserName) -> Result<User> {
        let read = read_user(&mut *self.store, name);
        self.shown.check(name, read.as_ref().ok())?;
        read
    }

    /// The error for a name that is not in the store.
    pub fn user_not_found(&mut self, name: &UserName) -> anyhow::Error {
        match self.store.read() {
            Ok(mut snapshot) => suggest::user_not_found(name, &mut snapshot),
            Err(error) => error,
        }
    }
}

fn read_user(store: &mut dyn Store, name: &UserName) -> Result<User> {
    let mut snapshot = store.read()?;
    match snapshot.user(name)? {
        Some(user) => Ok(user),
        None => Err(suggest::user_not_found(name, &mut snapshot)),
    }
}

impl<'a> App<'a> {
    /// A run by a configuration, which other threads may use too.
    pub fn new(
        env: &'a mut Env,
        options: Options,
        config: impl Into<Arc<Config>>,
        find_verb: FindVerb,
    ) -> Self {
        if options.no_input {
            env.prompt = None;
        }
        Self {
            env,
            options,
            config: config.into(),
            find_verb,
            authorization: Authorization::default(),
            service: None,
            meant: None,
            shown: ShownUser::default(),
            opened: None,
            store_changed: Rc::default(),
            ignore_clock_skew: false,
        }
    }

    /// Opens the store read-only: needs no key and takes no lock.
    pub fn reader(&mut self) -> Result<Box<dyn Store>> {
        self.open(Access::Read)
    }

    /// Opens the store for changes, with its keys. Fails with `key` if the key file is missing or
    /// holds another store's key.
    pub fn open_store(&mut self) -> Result<OpenStore> {
        if let Some(opened) = self.opened.take() {
            return Ok(opened);
        }
        let access = if self.service.is_some() { Access::Login } else { Access::Write };
        let store = self.open(access)?;
        let identity = store.identity();
        let config = &self.config;
        let shown = display_path(&config.key_file);
        if !config.file_policy.check(&config.key_file, config.key_file_kind)? {
            return Err(Refusal::new(ErrorCode::Key, format!("there is no key file at {shown}"))
                .hint("put the saved copy there, or name it with --key-file")
                .into());
        }
        let root = key_file::load(&config.key_file, &shown, Some(identity.key))?;
        let vault = Vault::new(&root, identity.store);
        Ok(OpenStore { store, vault, shown: self.shown.clone() })
    }

    fn open(&mut self, access: Access) -> Result<Box<dyn Store>> {
        let config = &self.config;
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
        let config = &self.config;
        Ok(StoreOpener { location: config.store.clone(), file_policy: config.file_policy })
    }

    /// As [`OpenStore::read_user`], for a verb that changes nothing.
    pub fn read_user(&mut self, name: &UserName) -> Result<User> {
        read_user(&mut *self.reader()?, name)
    }

    /// The one user whom a verb is for: the user who was found before it began, else the typed name. `advice` is for
    /// an operator who gave none, where nobody is there to be asked.
    pub fn target(&mut self, typed: Option<&str>, advice: &str) -> Result<UserName, Refusal> {
        match (&self.meant, typed) {
            (Some(meant), _) => Ok(meant.clone()),
            (None, Some(typed)) => self.user_name(typed),
            (None, None) => {
                let verb = self.authorization.verb;
                Err(Refusal::new(ErrorCode::Usage, "missing: <NAME>")
                    .hint(hint::help(Some(verb)).after(&format!("{advice}; see: "))))
            }
        }
    }

    /// Reads a typed name. Where several users could be meant, it becomes the name of the one who is stored, so that
    /// every answer names them. A store that can't be read leaves the name as it is: the verb reports the error.
    pub fn user_name(&mut self, typed: &str) -> Result<UserName, Refusal> {
        let name = self.config.names.read(typed)?;
        if name.spellings().nth(1).is_none() {
            return Ok(name);
        }
        let found = match &mut self.opened {
            Some(opened) => opened.store.read().and_then(|mut snapshot| snapshot.user(&name)),
            None => self.reader().and_then(|mut store| store.read()?.user(&name)),
        };
        Ok(found.ok().flatten().map_or(name, |user| user.name))
    }

    /// Opens the store again if it was replaced, or the connection closed, while a person typed.
    pub fn reopen_if_replaced(&mut self, opened: &mut OpenStore) -> Result<()> {
        if !opened.store.is_there() {
            *opened = self.open_store()?;
        }
        Ok(())
    }

    /// Whether an operator is at a terminal, and reads the answer there.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.env.prompt.is_some() && !matches!(self.options.format(), Format::Json | Format::Jsonl)
    }

    /// Asks a yes/no question; fails with `usage` if no terminal is there to ask on.
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        let question = self.env.words(question);
        self.person("add --yes to skip the question")?.confirm(&question, &YesNo::ENGLISH)
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
}
