//! Answers that say no wait for a while after they are decided: deciding about a user takes a little longer than about a
//! name that nobody has, and a client could measure that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::authenticate::verifier::deadlines::{AnswerRight, now};

/// A no is sent so long after its question, or after a multiple of that where deciding took longer. Most questions are
/// decided sooner, also on a slow disk and by a server that is not near.
const STEP: Duration = Duration::from_millis(50);

/// A no that is decided and not sent yet.
pub struct HeldNo {
    pub client: u64,
    pub ticket: AnswerRight,
    pub line: Vec<u8>,
}

/// All of them, by when they are due.
#[derive(Default)]
pub struct HeldNoes(BTreeMap<(Instant, AnswerRight), HeldNo>);

impl HeldNoes {
    /// Holds the answer to a question that arrived then.
    pub fn hold(&mut self, since: Instant, no: HeldNo) {
        let due = since + delay(now().saturating_duration_since(since));
        self.0.insert((due, no.ticket), no);
    }

    /// Takes one that is due.
    pub fn take_due(&mut self) -> Option<HeldNo> {
        let first = self.0.first_entry()?;
        (first.key().0 <= now()).then(|| first.remove())
    }

    /// How long until the next one is due, where that comes before something else that is waited for.
    pub fn patience(&self, other: Option<Duration>) -> Option<Duration> {
        let next = self.0.first_key_value();
        let next = next.map(|((due, _), _)| due.saturating_duration_since(now()));
        next.into_iter().chain(other).min()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How long after its question a no is sent that was decided after so long.
fn delay(decided: Duration) -> Duration {
    let steps = decided.as_nanos() / STEP.as_nanos() + 1;
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::verifier::deadlines::Deadlines;
    use crate::authenticate::verifier::socket::tests::pair;
    use std::sync::Arc;

    #[test]
    fn a_no_is_sent_after_a_multiple_of_a_time() {
        let after = |micros: u64| delay(Duration::from_micros(micros)).as_millis();
        assert_eq!([0, 1, 49_999].map(after), [50; 3]);
        assert_eq!([50_000, 50_001, 99_999].map(after), [100; 3]);
        assert_eq!(after(1_799_000), 1_800);
    }

    #[test]
    fn what_is_due_comes_first_and_nothing_before() {
        let deadlines = Deadlines::start(Arc::new(|_: &str| {})).unwrap();
        let socket = Arc::new(pair().0);
        let mut held = HeldNoes::default();
        assert!(held.take_due().is_none() && held.is_empty());
        assert_eq!(held.patience(None), None);
        assert_eq!(held.patience(Some(STEP)), Some(STEP));
        let began = now();
        // Asked later, and decided first.
        for (client, age) in [(1, 0), (2, 45)] {
            let ticket = deadlines.note(&socket, Vec::new());
            let since = began.checked_sub(Duration::from_millis(age)).unwrap();
            held.hold(since, HeldNo { client, ticket, line: Vec::new() });
        }
        assert!(held.patience(None).unwrap() <= STEP);
        assert_eq!(held.patience(Some(Duration::ZERO)), Some(Duration::ZERO));
        for client in [2, 1] {
            let due = loop {
                if let Some(no) = held.take_due() {
                    break no;
                }
                std::thread::sleep(held.patience(None).unwrap());
            };
            assert_eq!(due.client, client);
        }
        assert!(held.is_empty() && now() - began >= STEP);
    }
}
