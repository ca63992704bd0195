//! What a verifier does once nobody asks, and when.

use std::time::Duration;

/// A process that systemd started ends when nobody was connected for so long.
const IDLE: Duration = Duration::from_mins(1);
/// So long nobody asks before the store's upkeep, which keeps whoever asks then waiting.
const QUIET: Duration = Duration::from_millis(20);

/// What is left to do once nobody asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LeftToDo {
    Upkeep,
    Nothing,
}

impl LeftToDo {
    /// How long the verifier waits for the next question before it does this, or ends; `None` where it sleeps until
    /// somebody asks.
    pub const fn patience(self, may_end: bool) -> Option<Duration> {
        match self {
            Self::Upkeep => Some(QUIET),
            Self::Nothing if may_end => Some(IDLE),
            Self::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_that_nobody_asks_tidies_up_and_sleeps() {
        for may_end in [false, true] {
            assert_eq!(LeftToDo::Upkeep.patience(may_end), Some(QUIET));
        }
        assert_eq!(LeftToDo::Nothing.patience(true), Some(IDLE));
        assert_eq!(LeftToDo::Nothing.patience(false), None);
    }
}
