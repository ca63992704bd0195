//! Runs the program in process: fixed clock, seeded random numbers, captured streams, scripted answers.

mod engine;
mod hardware;
mod round_trips;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub use engine::Engine;
pub use round_trips::CountingSocket;

use crate::domain::audit::event::Operator;
use crate::domain::caller::Caller;
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::zone::Zone;
use crate::env::{
    Clock, Env, OpenPage, Page, PickList, Process, Prompt, RandomSource, Size, Stream, SystemLog,
};

/// The time at which every test starts: 2026-01-01T00:00:00Z, the first second of a time step.
pub const START: i64 = 1_767_225_600;

/// A directory with a store, a clock that only a test advances, and a counter of random draws.
pub struct World {
    pub folder: TempDir,
    pub engine: Engine,
    pub now: Rc<Cell<i64>>,
    draws: Rc<Cell<u64>>,
    pub terminal: Option<Size>,
    pub answers: Option<Vec<&'static str>>,
    /// What others do while the next run waits for its first answer.
    pub meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    /// Whether the terminal has an alternate screen.
    pub has_pages: bool,
    /// What the kernel says of NTP.
    pub is_synchronised: Cell<Option<bool>>,
    /// The name of the machine.
    pub host_name: String,
    pub uid: Cell<u32>,
    pub sudo_uid: Cell<Option<u32>>,
    /// Another effective uid than that of the tests.
    pub euid: Option<u32>,
    /// Below it are the machine's folders.
    pub root: PathBuf,
    /// Whether the variables name store and key.
    pub names_store: bool,
    /// As whom `sudo` starts the program.
    pub sudo_user: Option<&'static str>,
    /// Environment variables that a login service sets.
    pub variables: Vec<(String, OsString)>,
    pub zone: Zone,
    /// Collects what goes to the system's log.
    pub system_log: SystemLog,
    /// The names of this machine.
    pub user_name: fn(u32) -> Option<String>,
}

/// The result of a run.
#[must_use]
#[derive(Debug)]
pub struct CommandResult {
    pub code: u8,
    pub out: String,
    pub err: String,
    pub prompts: Vec<String>,
    /// What the alternate screen showed, when it was opened and again at each prompt.
    pub pages: Vec<String>,
    /// What an interrupt would have printed at each prompt.
    pub interrupt_messages: Vec<String>,
}

impl CommandResult {
    /// The JSON document on standard output.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The error code of the JSON document on standard error.
    pub fn error(&self) -> String {
        let error: serde_json::Value = serde_json::from_str(&self.err).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

impl World {
    /// A world without a store.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("mfactl-test").tempdir().unwrap();
        Self {
            engine: Engine::new(folder.path()),
            folder,
            now: Rc::new(Cell::new(START)),
            draws: Rc::default(),
            terminal: None,
            answers: None,
            meanwhile: RefCell::default(),
            has_pages: false,
            is_synchronised: Cell::default(),
            host_name: "mfactl.example.com".to_owned(),
            uid: Cell::new(1000),
            sudo_uid: Cell::default(),
            euid: None,
            root: "/".into(),
            names_store: true,
            sudo_user: None,
            variables: Vec::new(),
            zone: Zone::default(),
            system_log: Arc::new(|_| {}),
            user_name: |_| None,
        }
    }

    /// A world whose store differs from that of every other world: those draw the same random numbers.
    pub fn unrelated() -> Self {
        let world = Self::empty();
        world.draws.set(1 << 32);
        let _ = world.run("init").ok();
        world
    }

    /// A world with an empty store.
    pub fn new() -> Self {
        let world = Self::empty();
        let _ = world.run("init").ok();
        world
    }

    /// Runs a command line, split at blanks, with empty standard input.
    pub fn run(&self, line: &str) -> CommandResult {
        self.run_with(line, "")
    }

    /// The same with `input` on standard input.
    pub fn run_with(&self, line: &str, input: &str) -> CommandResult {
        let args = ["mfactl"].into_iter().chain(line.split_whitespace()).map(OsString::from);
        let (code, ran) = self.act(input, |env| crate::run(args, env));
        CommandResult { code, ..ran }
    }

    /// Lets somebody act in the surroundings of a run.
    pub fn act<T>(&self, input: &str, act: impl FnOnce(&mut Env) -> T) -> (T, CommandResult) {
        let (out, err) = (CapturedStream::default(), CapturedStream::default());
        let (prompts, interrupt_messages) = (Recorded::default(), Recorded::default());
        let pages = Recorded::default();
        let meanwhile = self.meanwhile.take();
        let prompt = self.answers.as_ref().map(|answers| {
            let answers = answers.iter().copied().collect();
            let (prompts, interrupt_messages) = (prompts.clone(), interrupt_messages.clone());
            Box::new(ScriptedPrompt {
                answers,
                meanwhile,
                prompts,
                interrupt_messages,
                interrupt_message: String::new(),
                page_size: self.terminal.filter(|_| self.has_pages),
                page: None,
                pages: pages.clone(),
            }) as Box<dyn Prompt>
        });
        let folder = self.folder.path().to_owned();
        let store = self.engine.location();
        let (variables, names_store) = (self.variables.clone(), self.names_store);
        let zone = self.zone.clone();
        let mut env = Env {
            has_pending_input: || false,
            clock: Box::new(FixedClock(self.now.clone(), self.is_synchronised.get())),
            rng: Box::new(SeededRandom(self.draws.clone())),
            input_is_terminal: prompt.is_some(),
            prompt,
            prompt_after_list: Box::new(|| None),
            input: Box::new(Cursor::new(input.as_bytes().to_vec())),
            out: Stream { writer: Box::new(out.clone()), terminal: self.terminal },
            err: Stream { writer: Box::new(err.clone()), terminal: self.terminal },
            variables: Box::new(move |name| match name {
                "MFACTL_STORE" if names_store => Some(store.clone().into()),
                "MFACTL_KEY_FILE" if names_store => Some(folder.join("key/mfactl.key").into()),
                "MFACTL_CONFIG" => {
                    Some(folder.join("config.toml")).filter(|p| p.exists()).map(Into::into)
                }
                _ => variables
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone()),
            }),
            zone: Box::new(move || zone.clone()),
            user_name: self.user_name,
            process: Process {
                operator: Operator { uid: self.uid.get(), claim: None },
                euid: self.euid.unwrap_or_else(|| rustix::process::geteuid().as_raw()),
                root: self.root.clone(),
                host_name: self.host_name.clone(),
                sudo_uid: self.sudo_uid.get(),
                is_service: false,
                is_self_service: false,
                is_elevated: false,
            },
            caller: Caller { sudo_user: self.sudo_user.map(str::to_owned), ..Caller::default() },
            system_log: self.system_log.clone(),
            watch_interrupts: |_| {},
            for_thread: Env::real,
            end: |_| {},
        };
        let done = act(&mut env);
        drop(env);
        let (prompts, interrupt_messages) = (prompts.take(), interrupt_messages.take());
        let (out, err, pages) = (out.text(), err.text(), pages.take());
        (done, CommandResult { code: 0, out, err, prompts, pages, interrupt_messages })
    }

    /// A folder that everybody can write to: a hook is run as the system user, where there is one.
    pub fn public(&self) -> std::path::PathBuf {
        let public = self.folder.path().join("public");
        std::fs::create_dir_all(&public).unwrap();
        for (folder, mode) in [(self.folder.path(), 0o711), (&*public, 0o777)] {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(folder, mode).unwrap();
        }
        public
    }

    /// Writes the configuration.
    pub fn configure(&self, text: &str) {
        let path = self.folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
    }

    /// Enrols a device, leaves it pending and returns its secret.
    pub fn pending(&self, user: &str, more: &str) -> Secret {
        let line = format!("enrol {user} --create --no-confirm --json --reveal-secrets {more}");
        secret(&self.run(&line).ok())
    }

    /// Enrols a device and confirms it with the code of the current time step.
    pub fn active(&self, user: &str) -> Secret {
        let secret = self.pending(user, "");
        let _ = self.verify(user, &self.code(&secret, 0)).ok();
        secret
    }

    pub fn verify(&self, user: &str, code: &str) -> CommandResult {
        self.run_with(&format!("verify --json {user}"), code)
    }

    /// The code of the time step `steps` from now.
    pub fn code(&self, secret: &Secret, steps: i64) -> String {
        code_at(secret, Parameters::COMMON, self.now.get() + 30 * steps)
    }

    pub fn wait(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// The user's entry in the list.
    pub fn listed(&self, user: &str) -> serde_json::Value {
        let all = self.run("list-status --json").ok().json();
        let users = all["users"].as_array().unwrap();
        users.iter().find(|u| u["user"] == user).cloned().unwrap_or_default()
    }

    pub fn sql(&self, query: &str) -> String {
        self.engine.sql(query)
    }

    pub fn sql_each(&self, queries: &[impl AsRef<str>]) -> String {
        self.engine.sql_each(queries)
    }
}

/// The secret in a JSON report.
pub fn secret(ran: &CommandResult) -> Secret {
    let base32 = ran.json()["secret"].as_str().unwrap().to_owned();
    Secret::new(Zeroizing::new(data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap()))
}

struct FixedClock(Rc<Cell<i64>>, Option<bool>);

impl Clock for FixedClock {
    fn now(&self) -> Result<Timestamp> {
        Ok(Timestamp::from_unix(self.0.get())?)
    }

    /// The clock of a database server can't be set to the time of a test.
    fn seconds_ahead(&self, _: Timestamp, _: Timestamp) -> i64 {
        0
    }

    fn is_synchronised(&self) -> Option<bool> {
        self.1
    }
}

struct SeededRandom(Rc<Cell<u64>>);

impl RandomSource for SeededRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(32) {
            let draw = self.0.replace(self.0.get() + 1);
            chunk.copy_from_slice(&Sha256::digest(draw.to_be_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}

type Recorded = Rc<RefCell<Vec<String>>>;

struct ScriptedPrompt {
    answers: VecDeque<&'static str>,
    meanwhile: Option<Box<dyn FnOnce()>>,
    prompts: Recorded,
    interrupt_messages: Recorded,
    interrupt_message: String,
    page_size: Option<Size>,
    page: Option<Page>,
    pages: Recorded,
}

impl ScriptedPrompt {
    /// As a terminal does, with the rows of the question and of a short answer below the page.
    fn show_page(&self, question: &str) {
        if let (Some(page), Some(size)) = (&self.page, self.page_size) {
            let rows = (question.len() + 12).div_ceil(size.columns.into());
            let left = size.rows.saturating_sub(rows.try_into().unwrap());
            let lines = page(Size { rows: left, ..size });
            let text = lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
            self.pages.borrow_mut().push(text);
        }
    }

    fn answer(&mut self, question: &str) -> String {
        self.show_page(question);
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        let question = question.trim_end_matches(" [y/N]");
        self.prompts.borrow_mut().push(question.to_owned());
        self.interrupt_messages.borrow_mut().push(self.interrupt_message.clone());
        self.answers.pop_front().unwrap_or_default().to_owned()
    }
}

impl Prompt for ScriptedPrompt {
    fn line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.answer(question)))
    }

    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.answer(question)))
    }

    fn has_pages(&self) -> bool {
        self.page_size.is_some()
    }

    fn open_page(&mut self, page: Page) -> Result<OpenPage> {
        self.page = Some(page);
        self.show_page("");
        Ok(OpenPage::new(|| {}))
    }

    /// An answer is the text to search for, with `>N` behind it for the Nth line below the first.
    fn pick(
        &mut self,
        question: &str,
        search: &mut dyn FnMut(&str) -> Result<PickList>,
    ) -> Result<Option<usize>> {
        let answer = self.answer(question);
        let (text, index) = answer.split_once('>').unwrap_or((&answer, "0"));
        let found = search(text)?;
        let more = (found.more > 0).then(|| format!("and {} more", found.more));
        self.prompts.borrow_mut().extend(found.lines.iter().cloned().chain(more));
        Ok(index.parse().ok().filter(|index| *index < found.lines.len()))
    }

    fn set_interrupt_message(&mut self, message: &str) {
        message.clone_into(&mut self.interrupt_message);
    }
}

#[derive(Clone, Default)]
struct CapturedStream(Rc<RefCell<Vec<u8>>>);

impl CapturedStream {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for CapturedStream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
