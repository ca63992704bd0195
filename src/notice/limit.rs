//! How long a way is waited for: for each notice, and for all of them where somebody waits for us.

use std::time::Duration;

use tokio::time::Instant;

use super::PATIENCE;

/// The end of all waiting, where there is one.
#[derive(Clone, Copy)]
pub struct Limit(Option<Instant>);

impl Limit {
    pub fn new(within: Option<Duration>) -> Self {
        Self(within.map(|within| Instant::now() + within))
    }

    /// The first half of what is left.
    pub fn half(self) -> Self {
        Self::new(self.0.map(|until| until.saturating_duration_since(Instant::now()) / 2))
    }

    /// For the next notice; `None` when it is over.
    pub fn patience(self) -> Option<Duration> {
        let left = self.0.map_or(PATIENCE, |until| until.saturating_duration_since(Instant::now()));
        Some(left.min(PATIENCE)).filter(|left| !left.is_zero())
    }

    /// What is said of a way that was not in time.
    pub fn silence(self) -> String {
        match self.0 {
            None => format!("no answer within {} s", PATIENCE.as_secs()),
            Some(_) => "no answer in time".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_all_is_one_of_each() {
        assert_eq!(Limit::new(None).patience(), Some(PATIENCE));
        assert_eq!(Limit::new(None).half().patience(), Some(PATIENCE));
        assert_eq!(Limit::new(Some(PATIENCE * 9)).patience(), Some(PATIENCE));
        assert_eq!(Limit::new(Some(Duration::ZERO)).patience(), None);
        let limit = Limit::new(Some(PATIENCE));
        assert!(limit.patience() <= Some(PATIENCE));
        assert!(limit.half().patience() <= Some(PATIENCE / 2));
    }
}
