//! Password hashing with Argon2id (RFC 9106), as a PHC string.

use anyhow::Result;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::domain::password::Password;
use crate::domain::refusal::Refusal;

/// Length of a salt in bytes.
pub const SALT: usize = 16;

/// The cost of one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// MiB.
    pub memory: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl HashCost {
    /// 136 ms on the machine where it was first measured.
    pub const DEFAULT: Self = Self { memory: 64, passes: 2, lanes: 1 };
    /// OWASP's minimum: 19 MiB, two passes, one lane.
    pub const LEAST: Self = Self { memory: 19, passes: 2, lanes: 1 };

    fn argon2(self) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory * 1024, self.passes, self.lanes, None)
            .map_err(|e| Refusal::config("password", e))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes a password; `config` for a cost that Argon2 does not allow.
pub fn hash(password: &Password, cost: HashCost, salt: &[u8; SALT]) -> Result<Zeroizing<String>> {
    #[cfg(test)]
    HASHES_COMPUTED.set(HASHES_COMPUTED.get() + 1);
    let hash = cost.argon2()?.hash_password_with_salt(password.expose().as_bytes(), salt);
    Ok(Zeroizing::new(hash.map_err(|_| broken())?.to_string()))
}

/// Whether the password matches the hash; `damaged` for an invalid hash.
pub fn verify(password: &Password, hash: &str) -> Result<bool> {
    #[cfg(test)]
    HASHES_COMPUTED.set(HASHES_COMPUTED.get() + 1);
    let hash = PasswordHash::new(hash).map_err(|_| broken())?;
    Ok(Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

/// Whether the hash was made with a lower cost than this.
#[must_use]
pub fn needs_rehash(hash: &str, cost: HashCost) -> bool {
    let params = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|p| {
        p.m_cost() < cost.memory * 1024 || p.t_cost() < cost.passes || p.p_cost() < cost.lanes
    })
}

fn broken() -> Refusal {
    Refusal::damaged("a password's hash can't be read")
        .hint("set a new password, or restore a backup")
}

#[cfg(test)]
thread_local! {
    /// The number of hashes that this thread has computed.
    pub static HASHES_COMPUTED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use crate::keyring::argon2::*;

    #[test]
    fn a_hash_matches_its_password_and_records_its_cost() {
        let password = |text| Password::read("password", text).unwrap();
        let hash = hash(&password("correct horse"), HashCost::LEAST, &[7; SALT]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", *hash);
        assert!(verify(&password("correct horse"), &hash).unwrap());
        assert!(!verify(&password("correct horse "), &hash).unwrap());
        assert!(verify(&password("x"), "no hash").is_err());
        assert!(!needs_rehash(&hash, HashCost::LEAST) && needs_rehash(&hash, HashCost::DEFAULT));
    }
}
