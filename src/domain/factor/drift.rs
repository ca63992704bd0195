//! How far the clock of a token has gone from the server's (RFC 6238, section 6).

/// The drift of a token's clock in time steps, positive for a clock that is ahead.
///
/// It is learned: each accepted code moves it by one step towards what that code shows. A phone has none, because it
/// keeps its clock by the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift(i16);

impl Drift {
    /// How far accepted codes alone may move it.
    pub const MOST_LEARNED: i16 = 10;
    /// How far two successive codes may set it, before and after the server's time.
    pub const MOST: i16 = 100;

    /// `None` beyond [`Drift::MOST`].
    #[must_use]
    pub fn new(steps: i64) -> Option<Self> {
        let steps = i16::try_from(steps).ok()?;
        (-Self::MOST..=Self::MOST).contains(&steps).then_some(Self(steps))
    }

    #[must_use]
    pub fn steps(self) -> i64 {
        self.0.into()
    }

    /// The time step that a clock with this drift shows, where a right one shows `step`.
    #[must_use]
    pub fn applied_to(self, step: u64) -> u64 {
        step.saturating_add_signed(self.0.into())
    }

    /// After a code was accepted that is `observed` steps from the server's time: one step nearer to it. Beyond
    /// [`Drift::MOST_LEARNED`] it only comes back.
    #[must_use]
    pub fn learned(self, observed: i64) -> Self {
        let moved = match observed.cmp(&self.steps()) {
            std::cmp::Ordering::Less => self.0 - 1,
            std::cmp::Ordering::Equal => self.0,
            std::cmp::Ordering::Greater => self.0 + 1,
        };
        let is_nearer = moved.abs() < self.0.abs();
        if is_nearer || moved.abs() <= Self::MOST_LEARNED { Self(moved) } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_by_one_step_and_ten_at_most() {
        let mut drift = Drift::default();
        for n in 1..=20 {
            drift = drift.learned(drift.steps() + 1);
            assert_eq!(drift.steps(), n.min(10));
        }
        assert_eq!(drift.learned(-50).steps(), 9, "back by one step too");
        assert_eq!(drift.learned(10), drift);
        let mut drift = Drift::default();
        for n in 1..=20 {
            drift = drift.learned(drift.steps() - 1);
            assert_eq!(drift.steps(), -n.min(10));
        }
    }

    #[test]
    fn what_two_codes_have_set_only_comes_back() {
        let far = Drift::new(60).unwrap();
        assert_eq!(far.learned(61), far);
        assert_eq!(far.learned(59).steps(), 59);
        assert_eq!(Drift::new(-60).unwrap().learned(-61).steps(), -60);
        assert_eq!(Drift::new(-60).unwrap().learned(-59).steps(), -59);
        assert_eq!((Drift::new(101), Drift::new(-101), Drift::new(40_000)), (None, None, None));
        assert!(Drift::new(100).is_some() && Drift::new(-100).is_some());
    }

    #[test]
    fn no_step_lies_before_the_first() {
        assert_eq!(Drift::new(-5).unwrap().applied_to(3), 0);
        assert_eq!(Drift::new(5).unwrap().applied_to(3), 8);
    }
}
