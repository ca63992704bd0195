//! The order of locks in `docs/locks.md`, in a model small enough to run every interleaving.
//!
//! A transaction is a list of steps. A step that needs a lock which another one holds has to wait. Writes become visible
//! with the commit, as in PostgreSQL.

use std::collections::BTreeSet;

use Step::{Commit, LockEnd, LockStore, LockUser, ReadEnd, ReadUsers, ShareStore};

const USERS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    ShareStore,
    LockStore,
    LockUser(usize),
    ReadUsers,
    LockEnd,
    ReadEnd,
    /// Appends an event for each user of the transaction, writes their rows, and gives back all locks.
    Commit,
}

/// A transaction that brings the same code for each of its users.
#[derive(Clone, Debug)]
struct Program {
    steps: Vec<Step>,
    users: Vec<usize>,
}

/// What is stored of a user, and what is read of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct UserRow {
    is_code_used: bool,
    rev: u32,
    /// The number of the event that made the row.
    stamp: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LoggedEvent {
    user: usize,
    /// The event before it, as its hash covers it.
    previous: usize,
    was_stamp: usize,
    rev: u32,
    is_accepted: bool,
}

/// How far a transaction is, and what it has read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Progress {
    next: usize,
    read: [UserRow; USERS],
    end: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    rows: [UserRow; USERS],
    log: Vec<LoggedEvent>,
    sharers: BTreeSet<usize>,
    owner: Option<usize>,
    user_locks: [Option<usize>; USERS],
    end_lock: Option<usize>,
    progress: Vec<Progress>,
}

/// What went wrong in any interleaving.
#[derive(Debug, Default, PartialEq, Eq)]
struct Faults {
    deadlock: bool,
    code_accepted_twice: bool,
    forked_chain: bool,
    unlinked_user: bool,
}

impl State {
    /// The state after the next step of a transaction; `None` where it has to wait, or has ended.
    fn after(&self, tx: usize, program: &Program) -> Option<Self> {
        let mut state = self.clone();
        let step = *program.steps.get(self.progress[tx].next)?;
        let is_free = |lock: Option<usize>| lock.is_none_or(|holder| holder == tx);
        match step {
            ShareStore if is_free(self.owner) => {
                state.sharers.insert(tx);
            }
            LockStore if is_free(self.owner) && self.sharers.iter().all(|other| *other == tx) => {
                state.owner = Some(tx);
            }
            LockUser(user) if is_free(self.user_locks[user]) => state.user_locks[user] = Some(tx),
            LockEnd if is_free(self.end_lock) => state.end_lock = Some(tx),
            ShareStore | LockStore | LockUser(_) | LockEnd => return None,
            ReadUsers => state.progress[tx].read = self.rows,
            ReadEnd => state.progress[tx].end = self.log.len(),
            Commit => state.commit(tx, program),
        }
        state.progress[tx].next += 1;
        Some(state)
    }

    fn commit(&mut self, tx: usize, program: &Program) {
        let Progress { read, end, .. } = self.progress[tx];
        for (n, &user) in program.users.iter().enumerate() {
            let before = read[user];
            let stamp = end + n + 1;
            self.log.push(LoggedEvent {
                user,
                previous: end + n,
                was_stamp: before.stamp,
                rev: before.rev + 1,
                is_accepted: !before.is_code_used,
            });
            self.rows[user] = UserRow { is_code_used: true, rev: before.rev + 1, stamp };
        }
        self.sharers.remove(&tx);
        let locks = self.user_locks.iter_mut().chain([&mut self.end_lock, &mut self.owner]);
        for lock in locks.filter(|lock| **lock == Some(tx)) {
            *lock = None;
        }
    }

    fn look_for(&self, faults: &mut Faults) {
        faults.forked_chain |= (0..).zip(&self.log).any(|(n, event)| event.previous != n);
        for user in 0..USERS {
            let (mut stamp, mut rev, mut accepted) = (0, 0, 0);
            for (n, event) in (1..).zip(&self.log).filter(|(_, event)| event.user == user) {
                faults.unlinked_user |= event.was_stamp != stamp || event.rev != rev + 1;
                (stamp, rev) = (n, event.rev);
                accepted += u32::from(event.is_accepted);
            }
            faults.code_accepted_twice |= accepted > 1;
        }
    }
}

/// Runs every interleaving, and says what went wrong in any of them, and in how many states they were.
fn explore(programs: &[Program]) -> (Faults, usize) {
    let mut faults = Faults::default();
    let start = State { progress: vec![Progress::default(); programs.len()], ..State::default() };
    let (mut seen, mut open) = (BTreeSet::from([start.clone()]), vec![start]);
    while let Some(state) = open.pop() {
        let next = (0..).zip(programs).filter_map(|(tx, program)| state.after(tx, program));
        let next: Vec<_> = next.collect();
        if next.is_empty() {
            let is_over =
                |(progress, program): (&Progress, &Program)| progress.next == program.steps.len();
            if state.progress.iter().zip(programs).all(is_over) {
                state.look_for(&mut faults);
            } else {
                faults.deadlock = true;
            }
        }
        for state in next {
            if seen.insert(state.clone()) {
                open.push(state);
            }
        }
    }
    (faults, seen.len())
}

/// A login with the codes of these users, in the order of `docs/locks.md`.
fn login(users: &[usize]) -> Program {
    let ordered: BTreeSet<_> = users.iter().copied().collect();
    let locks = ordered.into_iter().map(LockUser);
    let steps = [ShareStore].into_iter().chain(locks);
    let steps = steps.chain([ReadUsers, LockEnd, ReadEnd, Commit]).collect();
    Program { steps, users: users.to_vec() }
}

/// A change by an operator, who has the whole store.
fn operator(user: usize) -> Program {
    Program { steps: vec![LockStore, ReadUsers, ReadEnd, Commit], users: vec![user] }
}

/// A login without this step.
fn login_without(users: &[usize], missing: Step) -> Program {
    let mut program = login(users);
    program.steps.retain(|step| *step != missing);
    program
}

#[test]
fn no_interleaving_of_two_or_three_changes_goes_wrong() {
    for programs in [
        vec![login(&[0]), login(&[0])],
        vec![login(&[0, 1]), login(&[1, 0])],
        vec![login(&[0, 1]), login(&[1, 0]), login(&[0])],
        vec![login(&[0, 1]), login(&[1]), operator(0)],
        vec![login(&[0]), operator(0), operator(1)],
        vec![login(&[1, 0]), login(&[0, 1]), login(&[1, 0])],
    ] {
        let (faults, states) = explore(&programs);
        assert_eq!(faults, Faults::default(), "{programs:?}");
        assert!(states > 10, "{states}");
    }
}

/// Each lock is there for something: without it the model finds what goes wrong.
#[test]
fn without_one_of_the_locks_something_goes_wrong() {
    let twice = |program: Program| explore(&[program.clone(), program]).0;
    let faults = twice(login_without(&[0], LockUser(0)));
    assert!(faults.code_accepted_twice && faults.unlinked_user && !faults.forked_chain);
    let faults = explore(&[login_without(&[0], LockEnd), login_without(&[1], LockEnd)]).0;
    assert!(faults.forked_chain && !faults.code_accepted_twice);
    let faults = explore(&[login_without(&[0], ShareStore), operator(0)]).0;
    assert!(faults.code_accepted_twice && faults.forked_chain);
    // Read before it was locked.
    let steps = vec![ShareStore, ReadUsers, LockUser(0), LockEnd, ReadEnd, Commit];
    assert!(twice(Program { steps, users: vec![0] }).code_accepted_twice);
    let steps = [ShareStore, LockUser(0), ReadUsers, ReadEnd, LockEnd, Commit];
    let early = |user| {
        let steps =
            steps.iter().map(|step| if *step == LockUser(0) { LockUser(user) } else { *step });
        Program { steps: steps.collect(), users: vec![user] }
    };
    assert!(explore(&[early(0), early(1)]).0.forked_chain);
}

/// Each order is there for something too.
#[test]
fn another_order_of_locks_ends_in_a_deadlock() {
    let in_order_of = |users: [usize; 2]| Program {
        steps: vec![
            ShareStore,
            LockUser(users[0]),
            LockUser(users[1]),
            ReadUsers,
            LockEnd,
            ReadEnd,
            Commit,
        ],
        users: users.to_vec(),
    };
    assert!(explore(&[in_order_of([0, 1]), in_order_of([1, 0])]).0.deadlock);
    let end_first = Program {
        steps: vec![ShareStore, LockEnd, LockUser(0), ReadUsers, ReadEnd, Commit],
        users: vec![0],
    };
    assert!(explore(&[end_first, login(&[0])]).0.deadlock);
}
