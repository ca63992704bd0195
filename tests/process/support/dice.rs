//! Random numbers that can be reproduced.

use std::io::Write as _;

use super::now;

/// A failing test prints the seed; `MFACTL_TEST_SEED` sets it.
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    pub fn new() -> Self {
        let given = std::env::var("MFACTL_TEST_SEED").ok().and_then(|s| s.parse().ok());
        let chance = now().cast_unsigned() << 20 | u64::from(std::process::id());
        let seed = given.unwrap_or(chance);
        Self { seed, state: seed }
    }

    /// A number below this one (`SplitMix64`).
    pub fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "MFACTL_TEST_SEED={}", self.seed);
        }
    }
}
