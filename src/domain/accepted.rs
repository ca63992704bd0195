//! The positions of the codes that a device was accepted with, as far as they are remembered.
//!
//! The last one is enough as long as positions grow: it uses up all earlier ones. Only after a resynchronisation,
//! which goes back from a time ahead, are there accepted codes at later positions. They must not be accepted again
//! when their time comes, whatever resynchronisations follow. So the oldest known position is a floor, below which
//! some may be forgotten: it and all earlier ones count as accepted, and no device is resynchronised to a position
//! there.

/// Positions in ascending order, the first of which is the floor. Empty if no code was accepted, or only by a program
/// before schema 7: then the device's last position is the floor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted(Vec<u64>);

impl Accepted {
    /// How many positions up to the last one are remembered beside the floor. Those after it are never forgotten.
    const REMEMBERED: usize = 8;
    /// The most that are remembered after the last one, to bound the size of a device.
    const MOST_AHEAD: usize = 64;
    const WIDTH: usize = size_of::<u64>();
    /// The floor of a device that has forgotten nothing.
    const NOTHING_FORGOTTEN: u64 = 0;

    /// Up to which position all count as accepted; `last` is the device's last one.
    fn floor(&self, last: Option<u64>) -> Option<u64> {
        self.0.first().copied().or(last)
    }

    /// Whether a code at this position was accepted, or may have been; `last` is the device's last one.
    #[must_use]
    pub fn contains(&self, position: u64, last: Option<u64>) -> bool {
        let is_below = self.floor(last).is_some_and(|floor| position <= floor);
        is_below || self.0.contains(&position)
    }

    /// With a code accepted at this position, which is the device's last one from now on; `last` was it until now.
    #[must_use]
    pub fn with(mut self, position: u64, last: Option<u64>) -> Self {
        if self.0.is_empty() {
            self.0.push(last.unwrap_or(Self::NOTHING_FORGOTTEN));
        }
        self.0.push(position);
        self.0.sort_unstable();
        let earlier = self.0.iter().filter(|known| **known <= position).count();
        // The highest of those that are forgotten stays, as the floor.
        self.0.drain(..earlier.saturating_sub(Self::REMEMBERED + 1));
        self
    }

    /// The latest position that is known.
    #[must_use]
    pub fn latest(&self) -> Option<u64> {
        self.0.last().copied()
    }

    /// Whether every code that was accepted after this position is remembered; `last` is the device's last one.
    #[must_use]
    pub fn has_all_after(&self, position: u64, last: u64) -> bool {
        let is_above = self.floor(Some(last)).is_some_and(|floor| floor <= position);
        let ahead = self.0.iter().filter(|known| **known > position).count();
        is_above && ahead <= Self::MOST_AHEAD
    }

    /// As stored; `None` if there are none.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let bytes = || self.0.iter().flat_map(|position| position.to_be_bytes()).collect();
        (!self.0.is_empty()).then(bytes)
    }

    /// From the stored form; `None` if it is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (positions, rest) = bytes.as_chunks::<{ Self::WIDTH }>();
        rest.is_empty().then(|| Self(positions.iter().map(|p| u64::from_be_bytes(*p)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::accepted::Accepted;

    fn after(positions: impl IntoIterator<Item = u64>) -> Accepted {
        let mut last = None;
        positions.into_iter().fold(Accepted::default(), |accepted, position| {
            accepted.with(position, last.replace(position))
        })
    }

    #[test]
    fn w7_all_codes_ahead_are_known_until_one_is_forgotten() {
        assert!(after([2000]).has_all_after(1000, 2000), "the first code of all");
        assert!(after(2000..2008).has_all_after(1000, 2007), "eight since the device is new");
        assert!(!after(2000..2009).has_all_after(1000, 2008), "a ninth");
        let ordinary: Vec<u64> = (1..900).chain(2000..2008).collect();
        assert!(after(ordinary).has_all_after(1000, 2007));
        let many: Vec<u64> = (1..900).chain(2000..2009).collect();
        assert!(!after(many).has_all_after(1000, 2008));
    }

    #[test]
    fn w7_what_is_forgotten_counts_as_accepted() {
        let accepted = after((1..=20).map(|n| n * 10));
        assert!(
            accepted.contains(120, None)
                && accepted.contains(115, None)
                && accepted.contains(1, None)
        );
        assert!(!accepted.contains(125, None) && accepted.contains(130, None));
        assert!(!accepted.has_all_after(119, 200) && accepted.has_all_after(120, 200));
    }

    #[test]
    fn w7_what_an_earlier_program_accepted_is_not_known() {
        assert!(!Accepted::default().has_all_after(1000, 2000));
        assert!(Accepted::default().contains(1000, Some(2000)));
        assert!(!Accepted::default().contains(1000, None));
        assert!(!Accepted::default().with(2001, Some(2000)).has_all_after(1000, 2001));
        assert!(Accepted::default().with(2001, Some(900)).has_all_after(1000, 2001));
    }

    #[test]
    fn w7_codes_ahead_are_not_forgotten_until_they_are_passed() {
        let mut last = 2001;
        let mut accepted = after([900, 2000, 2001]);
        for position in 1000..1020 {
            accepted = accepted.with(position, Some(last));
            last = position;
            assert!(accepted.contains(2000, None) && accepted.contains(2001, None), "{position}");
        }
        assert!(!accepted.contains(1020, None));
        assert_eq!(
            accepted.to_bytes().unwrap().len(),
            11 * Accepted::WIDTH,
            "floor, eight and two ahead"
        );
    }

    #[test]
    fn w7_bytes_are_read_back() {
        let accepted = after([1, 7, u64::MAX - 1]);
        assert_eq!(Accepted::from_bytes(&accepted.to_bytes().unwrap()), Some(accepted));
        assert_eq!(Accepted::default().to_bytes(), None);
        assert_eq!(Accepted::from_bytes(&[0; 7]), None);
    }
}
