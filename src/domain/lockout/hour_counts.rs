//! How many wrong codes a sliding hour has.

use crate::domain::time::{Span, Timestamp};

/// How many wrong codes there were in the last hour, by thirds of an hour.
///
/// A sliding hour touches four of them at most: the one that runs now and three before it. Their sum is at
/// least the number of wrong codes in the hour that ends now, so a limit on the sum holds in every hour,
/// wherever it begins. A wrong code counts for an hour at least and for 80 minutes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCounts {
    /// When the newest part began.
    pub start: Timestamp,
    /// The newest part first.
    parts: [u32; Self::PARTS],
}

impl HourCounts {
    const PARTS: usize = 4;
    const LENGTH: Span = Span::minutes(20);
    /// Bits of one part, which is more than the highest limit.
    const BITS: u32 = 7;
    const LARGEST: u32 = (1 << Self::BITS) - 1;
    /// Marks packed parts. A number without it comes from an earlier version, which counted the codes of one
    /// fixed hour.
    const MARK: u32 = 1 << 31;

    /// The counts as of now.
    pub fn unpack(packed: u32, start: Option<Timestamp>, now: Timestamp) -> Self {
        let none = Self { start: now, parts: [0; Self::PARTS] };
        let Some(start) = start else { return none };
        let (start, parts) = if packed & Self::MARK == 0 {
            // The codes of a fixed hour, the last of which may have come at its end.
            (start.plus(Span::hours(1)).min(now), [packed.min(Self::LARGEST), 0, 0, 0])
        } else {
            // Where the clock was set back, no code is forgotten: all have come by now.
            let part = |n: u32| packed >> (n * Self::BITS) & Self::LARGEST;
            (start.min(now), [part(0), part(1), part(2), part(3)])
        };
        let passed = now.since(start).0 / Self::LENGTH.0;
        match usize::try_from(passed) {
            Ok(passed) if passed < Self::PARTS => {
                let mut moved = none.parts;
                moved[passed..].copy_from_slice(&parts[..Self::PARTS - passed]);
                let start = (0..passed).fold(start, |start, _| start.plus(Self::LENGTH));
                Self { start, parts: moved }
            }
            _ => none,
        }
    }

    pub fn with_one_more(mut self) -> Self {
        self.parts[0] = (self.parts[0] + 1).min(Self::LARGEST);
        self
    }

    pub fn total(self) -> u32 {
        self.parts.iter().sum()
    }

    pub fn pack(self) -> u32 {
        self.parts.iter().rev().fold(0, |packed, part| packed << Self::BITS | part) | Self::MARK
    }
}
