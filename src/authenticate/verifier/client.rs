//! The other end: asks the verifier of this machine, where one is there.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use crate::authenticate::services::ServiceInput;
use crate::authenticate::verifier::deadlines::now;
use crate::authenticate::verifier::message::{self, Answer, GREETING, LONGEST};
use crate::authenticate::verifier::socket::{
    Received, connect_within, is_trusted, peer, receive, send,
};
use crate::domain::refusal::ErrorCode;
use crate::domain::service_rules::NotEnabledPolicy;
use crate::files::file_trust::FilePolicy;

/// How often a question is put again, to the next process, where the first one ended.
const MAX_TRIES: u32 = 3;

/// The word for a question that the client has no right to ask.
const FORBIDDEN: &str = ErrorCode::NotPermitted.word();

/// A verifier that has greeted.
pub struct Verifier {
    socket: OwnedFd,
    path: PathBuf,
    policy: FilePolicy,
    until: Instant,
}

/// What became of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Answered {
        lets_in: bool,
    },
    /// Nobody decided, so that somebody else may.
    Nobody,
    /// Who asks may not ask about this user.
    Forbidden,
    /// There was no answer in time. The code may be used up.
    Late,
}

impl Verifier {
    /// Connects to the verifier at a path; `None` where none is there, or none that may be believed, or it does not
    /// greet within `patience`. No code is sent to a process that is stopped.
    pub fn connect(
        path: &Path,
        policy: &FilePolicy,
        patience: Duration,
        left: Duration,
    ) -> Option<Self> {
        let until = now() + left;
        let socket = greeted(path, policy, until.min(now() + patience))?;
        Some(Self { socket, path: path.to_owned(), policy: *policy, until })
    }

    /// Asks about a login.
    pub fn ask(
        &mut self,
        asked: &ServiceInput,
        without: NotEnabledPolicy,
        has_password: bool,
    ) -> Asked {
        let Some(message) = message::write(asked, without, has_password) else {
            return Asked::Answered { lets_in: false };
        };
        for _ in 0..MAX_TRIES {
            // It may have ended meanwhile; then the next one is asked.
            let sent = send(&self.socket, &message).is_ok();
            match sent.then(|| heard(&self.socket, self.until)) {
                Some(Heard::Line(line)) => {
                    return match Answer::read(&line) {
                        Some(Answer::Yes) => Asked::Answered { lets_in: true },
                        Some(Answer::No) => Asked::Answered { lets_in: false },
                        Some(Answer::Undecided(word)) if word == FORBIDDEN => Asked::Forbidden,
                        Some(Answer::Undecided(_)) => Asked::Nobody,
                        None => Asked::Late,
                    };
                }
                Some(Heard::Nothing) => return Asked::Late,
                Some(Heard::End) | None => {}
            }
            match greeted(&self.path, &self.policy, self.until) {
                Some(socket) => self.socket = socket,
                None => return Asked::Nobody,
            }
        }
        Asked::Nobody
    }
}

/// A connection to a verifier that has said something before `until`.
fn greeted(path: &Path, policy: &FilePolicy, until: Instant) -> Option<OwnedFd> {
    if is_trusted(path, policy) != Some(true) {
        return None;
    }
    let socket = connect_within(path, until.saturating_duration_since(now())).ok()?;
    // The path may be another one by now, and the folder of another.
    let is_ours = peer(&socket).is_some_and(|uid| policy.owns_uid(uid));
    let greeting = || matches!(heard(&socket, until), Heard::Line(line) if *line == GREETING);
    (is_ours && greeting()).then_some(socket)
}

enum Heard {
    Line(Zeroizing<Vec<u8>>),
    Nothing,
    End,
}

/// The next message, if one comes in time.
fn heard(socket: &OwnedFd, until: Instant) -> Heard {
    let mut buffer = Zeroizing::new(vec![0; LONGEST + 1]);
    loop {
        match receive(socket.as_fd(), &mut buffer) {
            Received::Message(line) => return Heard::Line(Zeroizing::new(line.to_vec())),
            Received::TooLong | Received::End => return Heard::End,
            Received::Nothing => {}
        }
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return Heard::Nothing;
        }
        let mut watched = [PollFd::new(socket, PollFlags::IN)];
        // An interrupted wait begins anew.
        let _ = poll(&mut watched, Timespec::try_from(left).ok().as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::services::{HandedName, Typed};
    use crate::authenticate::verifier::socket::Listener;
    use crate::domain::origin::AttemptOrigin;

    const SOON: Duration = Duration::from_millis(200);

    fn policy() -> FilePolicy {
        FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() }
    }

    fn question() -> ServiceInput {
        let whole = Some(Zeroizing::new("alice".to_owned()));
        ServiceInput {
            name: HandedName { whole, stripped: None },
            typed: Typed::OneField(Zeroizing::new(b"123456".to_vec())),
            origin: AttemptOrigin::of("pam"),
        }
    }

    /// A verifier that gives these answers, one a connection; without one it hangs up. Returns what it heard.
    fn asked(answers: &'static [Option<&'static str>]) -> (Asked, usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify");
        let listener = Listener::bind(&path, &policy()).unwrap();
        let server = std::thread::spawn(move || {
            let mut questions = 0;
            for answer in answers {
                let mut watched = [PollFd::new(&listener.socket, PollFlags::IN)];
                poll(&mut watched, None).unwrap();
                let client = listener.accept().unwrap().unwrap();
                send(&client, GREETING).unwrap();
                if let Heard::Line(line) = heard(&client, now() + Duration::from_secs(5)) {
                    assert!(line.starts_with(b"{\"user\":\"alice\""));
                    questions += 1;
                }
                match answer {
                    Some("") => std::thread::sleep(2 * SOON),
                    Some(answer) => send(&client, answer.as_bytes()).unwrap(),
                    None => {}
                }
            }
            questions
        });
        let mut verifier = Verifier::connect(&path, &policy(), SOON, SOON).unwrap();
        let asked = verifier.ask(&question(), NotEnabledPolicy::Refuse, false);
        (asked, server.join().unwrap())
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        let yes = (Asked::Answered { lets_in: true }, 1);
        let no = (Asked::Answered { lets_in: false }, 1);
        assert_eq!(asked(&[Some(r#"{"outcome":"accepted","code":null}"#)]), yes);
        assert_eq!(asked(&[Some(r#"{"outcome":"rejected","code":null}"#)]), no);
        assert_eq!(asked(&[Some(r#"{"outcome":"error","code":"busy"}"#)]), (Asked::Nobody, 1));
        let forbidden = asked(&[Some(r#"{"outcome":"error","code":"not_permitted"}"#)]);
        assert_eq!(forbidden, (Asked::Forbidden, 1));
        assert_eq!(asked(&[Some("accepted")]), (Asked::Late, 1));
        assert_eq!(asked(&[Some("")]), (Asked::Late, 1), "silence");
    }

    #[test]
    fn the_next_process_is_asked_where_the_first_one_ended() {
        let yes = Asked::Answered { lets_in: true };
        assert_eq!(asked(&[None, Some(r#"{"outcome":"accepted","code":null}"#)]), (yes, 2));
        assert_eq!(asked(&[None, None, None]).0, Asked::Nobody);
    }

    #[test]
    fn nobody_is_asked_who_is_not_there_or_does_not_greet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify");
        assert!(Verifier::connect(&path, &policy(), SOON, SOON).is_none());
        let listener = Listener::bind(&path, &policy()).unwrap();
        let started = now();
        assert!(Verifier::connect(&path, &policy(), SOON, 5 * SOON).is_none(), "as if stopped");
        assert!((SOON..4 * SOON).contains(&(now() - started)));
        drop(listener);
        assert!(Verifier::connect(&path, &policy(), SOON, SOON).is_none());
    }
}
