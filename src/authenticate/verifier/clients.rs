//! The clients of the verifier: how many there may be, and what each may have open at once.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::authenticate::verifier::asker::Rights;
use crate::authenticate::verifier::deadlines::now;

/// Clients at once, and those among them that are neither root nor the system user.
const MOST: usize = 1024;
const MOST_OTHERS: usize = 512;
/// Clients of one such uid.
const MOST_OF_ONE: usize = 64;
/// Questions of one client that wait for an answer; more are left in its socket.
const MOST_UNANSWERED: usize = 64;

/// Questions that a uid without the right to ask about anybody may ask in a while: each may be an event that nobody can
/// remove, or a line in the system's log.
const MOST_OWN: u32 = 30;
const WHILE: Duration = Duration::from_mins(1);

/// Lets this process open as many files as it may: a connection is one.
pub fn lift_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // With fewer, silent clients go earlier.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// A connection.
pub struct Client {
    pub socket: Arc<OwnedFd>,
    pub uid: u32,
    /// `None` until the system has said who that is.
    pub rights: Option<Rights>,
    /// Questions that wait for an answer.
    pub unanswered: usize,
    /// It sends no more, and leaves once it has its answers.
    pub has_ended: bool,
    /// Root or the system user.
    is_ours: bool,
    heard: Instant,
}

impl Client {
    /// Whether to read from it.
    pub fn is_read(&self) -> bool {
        self.rights.is_some() && !self.is_full() && !self.has_ended
    }

    /// Whether it has as many questions open as it may.
    pub const fn is_full(&self) -> bool {
        self.unanswered >= MOST_UNANSWERED
    }

    fn is_silent(&self) -> bool {
        self.unanswered == 0
    }
}

/// All connections, the oldest first.
#[derive(Default)]
pub struct Clients {
    table: BTreeMap<u64, Client>,
    next: u64,
    /// Since when, and how often, uids asked about themselves.
    own: BTreeMap<u32, (Instant, u32)>,
}

impl Clients {
    /// Takes a client in, in place of the one that has been silent for longest if there are too many. `None` if there
    /// are too many that wait for an answer.
    pub fn admit(&mut self, socket: OwnedFd, uid: u32, rights: Option<Rights>) -> Option<u64> {
        let is_ours = rights.is_some();
        let others = |uid: Option<u32>| {
            self.table.values().filter(move |c| !c.is_ours && uid.is_none_or(|uid| uid == c.uid))
        };
        let is_full = self.table.len() >= MOST;
        if !is_ours && others(Some(uid)).count() >= MOST_OF_ONE {
            self.drop_silent(|client| !client.is_ours && client.uid == uid)?;
        } else if !is_ours && others(None).count() >= MOST_OTHERS {
            self.drop_silent(|client| !client.is_ours)?;
        } else if is_full {
            self.drop_silent(|_| true)?;
        }
        let number = self.next;
        self.next += 1;
        let socket = Arc::new(socket);
        let (unanswered, has_ended, heard) = (0, false, now());
        let client = Client { socket, uid, rights, unanswered, has_ended, is_ours, heard };
        self.table.insert(number, client);
        Some(number)
    }

    /// Lets the client go that has been silent for longest, where this process may open no more files.
    pub fn make_room(&mut self) {
        self.drop_silent(|_| true);
    }

    fn drop_silent(&mut self, is_one: impl Fn(&Client) -> bool) -> Option<()> {
        let silent = self.table.iter().filter(|(_, client)| client.is_silent() && is_one(client));
        let (number, _) = silent.min_by_key(|(_, client)| client.heard)?;
        let number = *number;
        self.table.remove(&number).map(drop)
    }

    pub fn get(&mut self, number: u64) -> Option<&mut Client> {
        self.table.get_mut(&number)
    }

    /// Notes a question that a client has asked.
    pub fn asked(&mut self, number: u64) {
        if let Some(client) = self.table.get_mut(&number) {
            client.unanswered += 1;
            client.heard = now();
        }
    }

    /// Counts a question of a uid that may not ask about anybody; `false` if that are too many.
    pub fn may_ask(&mut self, uid: u32) -> bool {
        let now = now();
        self.own.retain(|_, (since, _)| now.saturating_duration_since(*since) < WHILE);
        let (_, count) = self.own.entry(uid).or_insert((now, 0));
        *count = count.saturating_add(1);
        *count <= MOST_OWN
    }

    /// Notes an answer, and lets a client go that has all of its answers.
    pub fn answered(&mut self, number: u64) {
        let Some(client) = self.table.get_mut(&number) else { return };
        client.unanswered = client.unanswered.saturating_sub(1);
        if client.has_ended && client.unanswered == 0 {
            self.table.remove(&number);
        }
    }

    /// Notes that a client sends no more.
    pub fn ended(&mut self, number: u64) {
        let Some(client) = self.table.get_mut(&number) else { return };
        client.has_ended = true;
        if client.unanswered == 0 {
            self.table.remove(&number);
        }
    }

    pub fn remove(&mut self, number: u64) {
        self.table.remove(&number);
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &Client)> {
        self.table.iter().map(|(number, client)| (*number, client))
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::verifier::socket::tests::pair;

    #[test]
    fn one_user_holds_no_more_than_their_share_and_nobody_keeps_root_out() {
        let mut clients = Clients::default();
        let mut kept = Vec::new();
        let mut admit = |clients: &mut Clients, uid, rights| {
            let (server, client) = pair();
            kept.push(client);
            clients.admit(server, uid, rights)
        };
        for _ in 0..MOST_OF_ONE + 3 {
            assert!(admit(&mut clients, 1000, None).is_some());
        }
        assert_eq!(clients.iter().count(), MOST_OF_ONE, "their oldest ones went");
        let waiting: Vec<u64> = clients.iter().map(|(number, _)| number).collect();
        for number in &waiting {
            clients.asked(*number);
        }
        assert!(admit(&mut clients, 1000, None).is_none(), "all of theirs wait for answers");
        assert!(admit(&mut clients, 1001, None).is_some());
        for uid in 2000..2000 + 60 {
            for _ in 0..10 {
                let _ = admit(&mut clients, uid, None);
            }
        }
        assert_eq!(clients.iter().count(), MOST_OTHERS);
        assert!(waiting.iter().all(|n| clients.iter().any(|(number, _)| number == *n)));
        let root = admit(&mut clients, 0, Some(Rights::Anybody)).unwrap();
        assert_eq!(clients.iter().count(), MOST_OTHERS + 1);
        clients.asked(root);
        clients.ended(root);
        assert!(clients.get(root).is_some(), "its answer is still to come");
        clients.answered(root);
        assert!(clients.get(root).is_none());
    }

    #[test]
    fn nobody_fills_the_log_with_questions_about_themselves() {
        let mut clients = Clients::default();
        assert!((0..MOST_OWN).all(|_| clients.may_ask(1000)));
        assert!(!clients.may_ask(1000));
        assert!(clients.may_ask(1001), "another one has their own share");
    }

    #[test]
    fn a_client_is_read_only_while_it_takes_its_answers() {
        let mut clients = Clients::default();
        let (server, _client) = pair();
        let number = clients.admit(server, 1000, None).unwrap();
        assert!(!clients.get(number).unwrap().is_read(), "nobody knows yet who it is");
        clients.get(number).unwrap().rights = Some(Rights::Nobody);
        for _ in 0..MOST_UNANSWERED {
            assert!(clients.get(number).unwrap().is_read());
            clients.asked(number);
        }
        assert!(!clients.get(number).unwrap().is_read());
        clients.answered(number);
        assert!(clients.get(number).unwrap().is_read());
    }
}
