//! Time limits for delivery: one for each notice, and one for all if a caller waits.

use std::time::Duration;

use tokio::time::Instant;

use crate::notice::NOTICE_TIMEOUT;

/// The time by which all notices must be done, if there is one.
#[derive(Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    pub fn new(within: Option<Duration>) -> Self {
        Self(within.map(|within| Instant::now() + within))
    }

    /// The first half of the time left.
    pub fn half(self) -> Self {
        Self::new(self.0.map(|until| until.saturating_duration_since(Instant::now()) / 2))
    }

    /// The time for the next notice; `None` once the deadline has passed.
    pub fn remaining(self) -> Option<Duration> {
        let left =
            self.0.map_or(NOTICE_TIMEOUT, |until| until.saturating_duration_since(Instant::now()));
        Some(left.min(NOTICE_TIMEOUT)).filter(|left| !left.is_zero())
    }

    /// The message for a delivery that timed out.
    pub fn timeout_message(self) -> String {
        match self.0 {
            None => format!("no answer within {} s", NOTICE_TIMEOUT.as_secs()),
            Some(_) => "no answer in time".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::notice::deadline::*;

    #[test]
    fn the_deadline_of_all_limits_each() {
        assert_eq!(Deadline::new(None).remaining(), Some(NOTICE_TIMEOUT));
        assert_eq!(Deadline::new(None).half().remaining(), Some(NOTICE_TIMEOUT));
        assert_eq!(Deadline::new(Some(NOTICE_TIMEOUT * 9)).remaining(), Some(NOTICE_TIMEOUT));
        assert_eq!(Deadline::new(Some(Duration::ZERO)).remaining(), None);
        let deadline = Deadline::new(Some(NOTICE_TIMEOUT));
        assert!(deadline.remaining() <= Some(NOTICE_TIMEOUT));
        assert!(deadline.half().remaining() <= Some(NOTICE_TIMEOUT / 2));
    }
}
