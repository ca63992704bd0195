//! `serve`: the verifier of this machine. One loop waits for all clients; what they have sent by then is decided in one
//! transaction, and answered after its commit.

mod asker;
mod at_once;
mod beside;
mod client;
mod clients;
mod deadlines;
mod held_noes;
mod left_to_do;
mod memory;
mod message;
mod signals;
mod socket;
mod trace;

use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::Shutdown;
use serde_json::value::RawValue;

pub use client::{Asked, Verifier};
pub use trace::trace_error;

use crate::app::{App, OpenStore, ServiceRun};
use crate::authenticate::batch::{AnswerLine, answers};
use crate::authenticate::code::Evaluation;
use crate::authenticate::services::batch_input::BatchQuery;
use crate::authenticate::verifier::asker::Rights;
use crate::authenticate::verifier::at_once::at_once;
use crate::authenticate::verifier::beside::{Beside, Done, Job, SlowLogin};
use crate::authenticate::verifier::clients::Clients;
use crate::authenticate::verifier::deadlines::{AnswerRight, Deadlines};
use crate::authenticate::verifier::held_noes::{HeldNo, HeldNoes};
use crate::authenticate::verifier::left_to_do::LeftToDo;
use crate::authenticate::verifier::message::{GREETING, LONGEST, Question};
use crate::authenticate::verifier::signals::{Asks, Signals};
use crate::authenticate::verifier::socket::{Listener, Received, peer, receive, send};
use crate::config::{Config, MACHINE_SOCKET};
use crate::domain::causes::with_causes;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;

/// Questions in one transaction: as many as a file takes, so that an answer comes in time on a server too.
const MAX_BATCH: usize = 500;
/// Messages of one client in a round, so that none keeps the others waiting.
const IN_A_ROUND: usize = 8;
/// Connections that are accepted in a round.
const ACCEPTED_IN_A_ROUND: usize = 64;

/// After a round of so many clients more questions are on their way: most who were answered have a next one.
const CROWD: usize = 16;
/// How long the next round waits for them where fewer clients have asked. The commit that it saves takes longer.
const GATHERING: Duration = Duration::from_micros(500);

/// Reads the configuration anew.
pub type Reload<'r> = &'r dyn Fn(&Env) -> Result<Config>;

/// A question that is decided in the next transaction.
struct PendingQuestion {
    client: u64,
    ticket: AnswerRight,
    query: BatchQuery,
}

/// The verifier between two rounds.
struct VerifierLoop {
    listener: Listener,
    signals: Signals,
    clients: Clients,
    deadlines: Deadlines,
    held: HeldNoes,
    beside: Beside,
    opened: Option<OpenStore>,
    waiting: Vec<PendingQuestion>,
    /// Clients that were read in the last round.
    crowd: usize,
    left: LeftToDo,
    /// Whether the configuration was to be read anew and is bad, so that the next process would not start with it.
    is_outdated: bool,
    /// The client that was read last.
    last_read: u64,
    /// For one message more than the longest.
    buffer: zeroize::Zeroizing<Vec<u8>>,
}

/// Answers until a signal ends it, or nobody has asked for a minute where systemd starts it again.
pub fn serve(app: &mut App<'_>, path: Option<&Path>, reload: Reload<'_>) -> Result<()> {
    app.env.prompt = None;
    app.service = Some(ServiceRun::of_verifier());
    memory::lock();
    clients::lift_limit();
    // Before the first thread, which inherits the mask.
    let signals = Signals::new()?;
    let listener = match Listener::inherited()? {
        Some(_) if path.is_some() => {
            let problem = "--socket: the socket came on standard input";
            return Err(Refusal::new(ErrorCode::Usage, problem).hint("leave --socket out").into());
        }
        Some(listener) => listener,
        None => Listener::bind(path.unwrap_or(Path::new(MACHINE_SOCKET)), &app.config.file_policy)?,
    };
    let deadlines = Deadlines::start(Arc::clone(&app.env.system_log))?;
    let beside = Beside::new(app, &deadlines)?;
    let mut service = VerifierLoop {
        listener,
        signals,
        clients: Clients::default(),
        deadlines,
        held: HeldNoes::default(),
        beside,
        opened: None,
        waiting: Vec::new(),
        crowd: 0,
        left: LeftToDo::Nothing,
        is_outdated: false,
        last_read: 0,
        buffer: zeroize::Zeroizing::new(vec![0; LONGEST + 1]),
    };
    service.open_store(app);
    loop {
        match service.round(app)? {
            Asks::Nothing => {}
            Asks::Reload => service.reload(app, reload),
            Asks::End => {
                service.finish(app)?;
                return Ok(());
            }
        }
    }
}

impl VerifierLoop {
    /// Opens the store before anybody waits for it. Where that fails, each question tries again.
    fn open_store(&mut self, app: &mut App<'_>) {
        match app.open_store() {
            Ok(mut opened) => {
                opened.store.defer_upkeep();
                self.opened = Some(opened);
            }
            Err(error) => {
                app.warn(&format!("the store can't be opened yet: {}", with_causes(error.chain())));
            }
        }
    }

    /// Reads configuration and key anew. With a bad configuration the one before it stays in force, for as long as this
    /// process runs.
    fn reload(&mut self, app: &mut App<'_>, reload: Reload<'_>) {
        let read = reload(app.env);
        self.is_outdated = read.is_err();
        match read {
            Ok(config) => {
                app.config = Arc::new(config);
                self.beside.configure(&app.config);
                self.opened = None;
                self.open_store(app);
                // Who may ask may have changed.
                let unknown = self.clients.iter().filter(|(_, c)| Rights::known(c.uid).is_none());
                let unknown: Vec<(u64, u32)> = unknown.map(|(n, client)| (n, client.uid)).collect();
                for (client, uid) in unknown {
                    self.identify(client, uid);
                }
            }
            Err(error) => app.warn(&format!(
                "the configuration is not read anew: {}",
                with_causes(error.chain())
            )),
        }
    }

    fn identify(&mut self, client: u64, uid: u32) {
        if let Some(known) = self.clients.get(client) {
            known.rights = None;
        }
        if self.beside.give(Job::Identify { client, uid }).is_err() {
            self.clients.remove(client);
        }
    }

    /// Waits until something happens, and does all that there is to do.
    fn round(&mut self, app: &mut App<'_>) -> Result<Asks> {
        let is_quiet = self.clients.is_empty() && self.beside.is_idle();
        let may_end = self.listener.is_inherited() && is_quiet && !self.is_outdated;
        let mut ready = self.wait(self.held.patience(self.left.patience(may_end)))?;
        if self.crowd >= CROWD && (1..self.crowd).contains(&ready.readable.len()) {
            thread::sleep(GATHERING);
            ready = self.wait(Some(Duration::ZERO))?;
        }
        if ready.is_nothing && self.held.is_empty() {
            if self.left == LeftToDo::Nothing && may_end {
                return Ok(Asks::End);
            }
            self.tidy();
        }
        let asks = self.signals.read();
        self.send_due();
        self.take_done(app);
        if ready.accepts {
            for _ in 0..ACCEPTED_IN_A_ROUND {
                match self.listener.accept() {
                    Ok(Some(socket)) => self.welcome(socket),
                    Ok(None) => break,
                    Err(_) => {
                        self.clients.make_room();
                        break;
                    }
                }
            }
        }
        for client in ready.gone {
            self.clients.remove(client);
        }
        // Whoever did not get their turn in the last round is first in this one.
        let mut readable = ready.readable;
        self.crowd = readable.len();
        let next = readable.partition_point(|client| *client <= self.last_read);
        readable.rotate_left(next);
        for client in readable {
            self.read(app, client, IN_A_ROUND);
            self.last_read = client;
            if self.waiting.len() >= MAX_BATCH {
                break;
            }
        }
        self.decide(app);
        Ok(asks)
    }

    /// What is ready; everything else waits for the next round.
    fn wait(&self, patience: Option<Duration>) -> Result<Ready> {
        let readable = |client: &clients::Client| {
            if client.is_read() { PollFlags::IN } else { PollFlags::empty() }
        };
        let own = [self.signals.as_fd(), self.beside.wake.as_fd(), self.listener.socket.as_fd()];
        let mut watched: Vec<PollFd<'_>> =
            own.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let numbers: Vec<u64> = self.clients.iter().map(|(number, _)| number).collect();
        watched.extend(self.clients.iter().map(|(_, c)| PollFd::new(&*c.socket, readable(c))));
        let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
        let count = match poll(&mut watched, patience.as_ref()) {
            Err(rustix::io::Errno::INTR) => 1,
            count => count?,
        };
        let (own, watched) = watched.split_at(own.len());
        let mut ready = Ready {
            is_nothing: count == 0,
            accepts: own[2].revents().contains(PollFlags::IN),
            ..Ready::default()
        };
        for (number, watched) in numbers.into_iter().zip(watched) {
            let happened = watched.revents();
            // Nobody is there any more to hear an answer: what was sent is not decided.
            if happened.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                ready.gone.push(number);
            } else if happened.contains(PollFlags::IN) {
                ready.readable.push(number);
            }
        }
        Ok(ready)
    }

    fn welcome(&mut self, socket: std::os::fd::OwnedFd) {
        let Some(uid) = peer(&socket) else { return };
        let rights = Rights::known(uid);
        let is_known = rights.is_some();
        let greeted = send(&socket, GREETING);
        let Some(client) = self.clients.admit(socket, uid, rights) else { return };
        if greeted.is_err() {
            self.clients.remove(client);
        } else if !is_known {
            self.identify(client, uid);
        }
    }

    /// Reads what a client has sent, up to so many messages.
    fn read(&mut self, app: &mut App<'_>, number: u64, most: usize) {
        for _ in 0..most {
            let Some(client) = self.clients.get(number).filter(|client| client.is_read()) else {
                return;
            };
            let (socket, uid) = (Arc::clone(&client.socket), client.uid);
            let mut question = match receive(socket.as_fd(), &mut self.buffer) {
                Received::Message(message) => Question::read(message, uid, &app.config.names),
                Received::TooLong => {
                    let query =
                        BatchQuery::plain(RawValue::NULL.to_owned(), Err(ErrorCode::BadInput));
                    let _ = send(&socket, &line(&AnswerLine::error(&query, ErrorCode::BadInput)));
                    self.clients.remove(number);
                    return;
                }
                Received::Nothing => return,
                Received::End => {
                    self.clients.ended(number);
                    return;
                }
            };
            let rights = client.rights.clone().unwrap_or(Rights::Nobody);
            if !matches!(rights, Rights::Anybody) && !self.clients.may_ask(uid) {
                let busy = AnswerLine::error(&question.query, ErrorCode::Busy);
                if send(&socket, &line(&busy)).is_err() {
                    self.clients.remove(number);
                    return;
                }
                continue;
            }
            if let Some(answer) = at_once(app, &mut question, &rights, uid) {
                if send(&socket, &line(&answer)).is_err() {
                    self.clients.remove(number);
                    return;
                }
                continue;
            }
            // A late password waited for other passwords, and a late code for the store.
            let why = match question.credentials {
                Some(_) => ErrorCode::Busy,
                None => ErrorCode::StoreUnavailable,
            };
            let refusal = AnswerLine::error(&question.query, why);
            let ticket = self.deadlines.note(&socket, line(&refusal));
            self.clients.asked(number);
            let Question { query, credentials, .. } = question;
            let Some(typed) = credentials else {
                self.waiting.push(PendingQuestion { client: number, ticket, query });
                continue;
            };
            let busy = AnswerLine::error(&query, ErrorCode::Busy);
            let sign_in = Box::new(SlowLogin { client: number, ticket, query, typed });
            if self.beside.give(Job::SignIn(sign_in)).is_err() {
                self.answer(number, ticket, &busy);
            }
        }
    }

    /// Decides all that waits, in one transaction, and answers.
    fn decide(&mut self, app: &mut App<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let mut confirmed: Vec<Evaluation> = Vec::new();
        while !self.waiting.is_empty() {
            let rest = self.waiting.split_off(self.waiting.len().min(MAX_BATCH));
            let mut waiting = std::mem::replace(&mut self.waiting, rest);
            // What was refused meanwhile must not be used up.
            waiting.retain(|one| {
                self.deadlines.is_waiting(one.ticket) || {
                    self.clients.answered(one.client);
                    false
                }
            });
            if waiting.is_empty() {
                continue;
            }
            let (asked, queries): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|one| ((one.client, one.ticket), one.query)).unzip();
            let decided = answers(app, &mut self.opened, &queries);
            for (((client, ticket), query), (answer, proved)) in
                asked.into_iter().zip(&queries).zip(decided)
            {
                self.answer(client, ticket, &answer);
                if let Some(code) = answer.error_code() {
                    trace::unanswered(app.env, code, &query.origin);
                }
                confirmed.extend(proved);
            }
        }
        if !confirmed.is_empty() && app.config.notify.is_some() {
            // Where too much waits already, the notice is not sent: the change stands in the log.
            let _ = self.beside.give(Job::Notify(confirmed));
        }
        // Not at once: a client that was answered may have the next question, and a checkpoint after each round costs more
        // than the round.
        self.left = LeftToDo::Upkeep;
    }

    /// Does what can wait until nobody asks.
    fn tidy(&mut self) {
        if self.left == LeftToDo::Nothing || !self.deadlines.is_empty() {
            return;
        }
        if let Some(opened) = &mut self.opened {
            opened.store.upkeep();
        }
        self.left = LeftToDo::Nothing;
    }

    /// Takes over what the threads have done.
    fn take_done(&mut self, app: &mut App<'_>) {
        for done in self.beside.done() {
            match done {
                Done::Identified { client, rights } => {
                    if let Some(client) = self.clients.get(client) {
                        client.rights = Some(rights);
                    }
                }
                Done::Answered { client, ticket, answer, origin } => {
                    self.answer(client, ticket, &answer);
                    if let Some(code) = answer.error_code() {
                        trace::unanswered(app.env, code, &origin);
                    }
                }
            }
        }
    }

    /// Answers a question, unless it was refused because that took too long.
    fn answer(&mut self, number: u64, ticket: AnswerRight, answer: &AnswerLine) {
        match self.deadlines.since(ticket).filter(|_| answer.is_no()) {
            Some(since) => {
                self.held.hold(since, HeldNo { client: number, ticket, line: line(answer) });
            }
            None => self.send(number, ticket, &line(answer)),
        }
    }

    fn send_due(&mut self) {
        while let Some(HeldNo { client, ticket, line }) = self.held.take_due() {
            self.send(client, ticket, &line);
        }
    }

    fn send(&mut self, number: u64, ticket: AnswerRight, line: &[u8]) {
        let may_answer = self.deadlines.take(ticket);
        let Some(client) = self.clients.get(number) else { return };
        // Whoever does not read leaves no room for an answer.
        if may_answer && send(&client.socket, line).is_err() {
            self.clients.remove(number);
            return;
        }
        self.clients.answered(number);
    }

    /// Answers all that was received, and nothing more: what a client sends from now on fails at once, so that it knows
    /// to ask the next process.
    fn finish(&mut self, app: &mut App<'_>) -> Result<()> {
        let numbers: Vec<u64> = self.clients.iter().map(|(number, _)| number).collect();
        for number in &numbers {
            if let Some(client) = self.clients.get(*number) {
                let _ = rustix::net::shutdown(&*client.socket, Shutdown::Read);
            }
        }
        for number in numbers {
            loop {
                self.read(app, number, MAX_BATCH);
                if !self.waiting.is_empty() {
                    self.decide(app);
                    continue;
                }
                // What a client may have open at once bounds what is read, until its noes are sent.
                let is_full = self.clients.get(number).is_some_and(|client| client.is_full());
                match self.held.patience(None).filter(|_| is_full) {
                    Some(moment) => thread::sleep(moment),
                    None => break,
                }
                self.send_due();
            }
        }
        while !self.deadlines.is_empty() {
            let mut watched = [PollFd::new(&*self.beside.wake, PollFlags::IN)];
            let moment = self.held.patience(Some(Duration::from_millis(50)));
            poll(&mut watched, moment.and_then(|moment| Timespec::try_from(moment).ok()).as_ref())?;
            self.take_done(app);
            self.send_due();
        }
        if let Some(opened) = &mut self.opened {
            opened.store.upkeep();
        }
        Ok(())
    }
}

/// What is ready after a wait.
#[derive(Default)]
struct Ready {
    /// The wait ended with nothing.
    is_nothing: bool,
    accepts: bool,
    readable: Vec<u64>,
    gone: Vec<u64>,
}

fn line(answer: &AnswerLine) -> Vec<u8> {
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}
