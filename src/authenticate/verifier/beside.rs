//! What takes longer than a code is done beside the loop, by a few threads: slow hashes, notices and hooks, and the
//! look-up of who a client is. A thread ends when nothing is left to do, and opens a store of its own.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use rustix::event::{EventfdFlags, eventfd};

use crate::app::{App, ServiceRun};
use crate::authenticate::batch::{AnswerLine, error_code};
use crate::authenticate::code::Evaluation;
use crate::authenticate::login::{LoginRequest, log_in, notify_after_login};
use crate::authenticate::services::Typed;
use crate::authenticate::services::batch_input::BatchQuery;
use crate::authenticate::verifier::asker::Rights;
use crate::authenticate::verifier::deadlines::{AnswerRight, Deadlines};
use crate::config::Config;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::{ErrorCode, no_thread};
use crate::domain::verb::FindVerb;
use crate::env::{Env, Process};
use crate::notice::BATCH_TIMEOUT;
use crate::operate;
use crate::options::Options;

/// Threads for each kind of work. Hash slots bound what all processes of the machine compute at once.
const THREADS: usize = 2;
/// What may wait for a thread.
const MOST_WAITING: usize = 64;

/// The kinds of work, each with threads of its own: a mail server that does not answer holds up no password.
const KINDS: usize = 3;

/// Something to do beside the loop.
pub enum Job {
    Identify { client: u64, uid: u32 },
    SignIn(Box<SlowLogin>),
    Notify(Vec<Evaluation>),
}

/// A login with password and code.
pub struct SlowLogin {
    pub client: u64,
    pub ticket: AnswerRight,
    pub query: BatchQuery,
    pub typed: Typed,
}

impl Job {
    const fn kind(&self) -> usize {
        match self {
            Self::Identify { .. } => 0,
            Self::SignIn(_) => 1,
            Self::Notify(_) => 2,
        }
    }
}

/// What a thread has found out.
pub enum Done {
    Identified { client: u64, rights: Rights },
    Answered { client: u64, ticket: AnswerRight, answer: AnswerLine, origin: AttemptOrigin },
}

/// The threads, and what they need for a run of their own.
pub struct Beside {
    queues: [Arc<Mutex<Queue>>; KINDS],
    done: Receiver<Done>,
    to_loop: Sender<Done>,
    /// Readable when something is done.
    pub wake: Arc<OwnedFd>,
    world: World,
}

#[derive(Clone)]
struct World {
    config: Arc<Config>,
    find_verb: FindVerb,
    process: Process,
    env: fn() -> Env,
    deadlines: Deadlines,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
}

impl Beside {
    pub fn new(app: &App<'_>, deadlines: &Deadlines) -> Result<Self> {
        let (to_loop, done) = channel();
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let world = World {
            config: Arc::clone(&app.config),
            find_verb: app.find_verb,
            process: app.env.process.clone(),
            env: app.env.for_thread,
            deadlines: deadlines.clone(),
        };
        Ok(Self { queues: Default::default(), done, to_loop, wake: Arc::new(wake), world })
    }

    /// Takes on another configuration for what comes.
    pub fn configure(&mut self, config: &Arc<Config>) {
        self.world.config = Arc::clone(config);
    }

    /// Gives the job to a thread; `busy` if too much waits already.
    pub fn give(&self, job: Job) -> Result<(), ErrorCode> {
        let queue = &self.queues[job.kind()];
        let mut waiting = lock(queue);
        if waiting.jobs.len() >= MOST_WAITING {
            return Err(ErrorCode::Busy);
        }
        waiting.jobs.push_back(job);
        if waiting.threads == THREADS {
            return Ok(());
        }
        let (queue, world) = (Arc::clone(queue), self.world.clone());
        let (to_loop, wake) = (self.to_loop.clone(), Arc::clone(&self.wake));
        let started =
            std::thread::Builder::new().spawn(move || work(&queue, &world, &to_loop, &wake));
        match started {
            Ok(_) => waiting.threads += 1,
            Err(_) if waiting.threads == 0 => {
                waiting.jobs.pop_back();
                return Err(no_thread().code);
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// What is done by now.
    pub fn done(&self) -> Vec<Done> {
        let mut count = [0; 8];
        let _ = rustix::io::read(&*self.wake, &mut count);
        self.done.try_iter().collect()
    }

    /// Whether threads still work.
    pub fn is_idle(&self) -> bool {
        self.queues.iter().all(|queue| lock(queue).threads == 0)
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(queue: &Mutex<Queue>, world: &World, to_loop: &Sender<Done>, wake: &OwnedFd) {
    loop {
        let job = {
            let mut queue = lock(queue);
            let job = queue.jobs.pop_front();
            if job.is_none() {
                queue.threads -= 1;
            }
            job
        };
        if let Some(job) = job {
            world.run(job, &mut |done| {
                let _ = to_loop.send(done);
                let _ = rustix::io::write(wake, &1_u64.to_ne_bytes());
            });
        } else {
            // The loop may wait for the last thread.
            let _ = rustix::io::write(wake, &1_u64.to_ne_bytes());
            return;
        }
    }
}

impl World {
    fn run(&self, job: Job, tell: &mut dyn FnMut(Done)) {
        let mut env = (self.env)();
        env.prompt = None;
        env.process = self.process.clone();
        let config = Arc::clone(&self.config);
        let mut app = App::new(&mut env, Options::default(), config, self.find_verb);
        app.service = Some(ServiceRun::of_verifier());
        match job {
            Job::Identify { client, uid } => {
                tell(Done::Identified { client, rights: Rights::of(&app, uid) });
            }
            Job::SignIn(job) => self.sign_in(&mut app, &job, tell),
            Job::Notify(confirmed) => {
                // The store was there a moment ago. Without it the notice can't be logged, and is not sent.
                let Ok(mut opened) = app.open_store() else { return };
                let each = confirmed.iter().map(|done| (&done.user, &done.outcome, done.at));
                operate::notify_activations(&mut app, &mut opened, each, Some(BATCH_TIMEOUT));
            }
        }
    }

    fn sign_in(&self, app: &mut App<'_>, job: &SlowLogin, tell: &mut dyn FnMut(Done)) {
        let SlowLogin { client, ticket, query, typed } = job;
        // Refused meanwhile: to decide it would use the code up for nobody.
        if !self.deadlines.is_waiting(*ticket) {
            return;
        }
        let (Ok((name, _)), Some(terms)) = (&query.parsed, query.login) else { return };
        let (origin, without) = (&query.origin, terms.without);
        let login = LoginRequest { origin, name, typed, without, has_password: true };
        let decided = app.open_store().and_then(|mut opened| {
            opened.store.defer_upkeep();
            log_in(app, &mut opened, &login).map(|done| (opened, done))
        });
        let (client, ticket) = (*client, *ticket);
        match decided {
            Ok((mut opened, done)) => {
                let answer = AnswerLine::login(query, done.lets_in);
                tell(Done::Answered { client, ticket, answer, origin: origin.clone() });
                notify_after_login(app, &mut opened, &done);
                opened.store.upkeep();
            }
            Err(error) => {
                let answer = AnswerLine::error(query, error_code(&error));
                tell(Done::Answered { client, ticket, answer, origin: origin.clone() });
            }
        }
    }
}
