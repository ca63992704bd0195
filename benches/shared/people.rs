//! The people of every benchmark's store: all of them follow from their number, so that a driver
//! knows each secret without being told.

use sha2::{Digest as _, Sha256};

/// The name of the nth user; in the order of the numbers.
pub fn name(n: u32) -> String {
    format!("user{n:07}")
}

/// Bytes that look random, and are the same for the same number and purpose in every run.
pub fn bytes<const N: usize>(purpose: &str, n: u32) -> [u8; N] {
    const { assert!(N <= 32, "one digest is 32 bytes") };
    let digest = Sha256::new().chain_update(purpose).chain_update(n.to_be_bytes()).finalize();
    std::array::from_fn(|i| digest[i])
}
