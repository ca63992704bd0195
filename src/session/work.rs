//! A unit of work: the moment that it goes by, and how often it is tried.

use anyhow::Result;

use super::Session;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::totp::Parameters;
use crate::env::Env;
use crate::store::{Conflict, Transaction};

/// How often a unit of work is begun, where the database undoes it because of another.
const TRIES: u32 = 5;

impl Session<'_> {
    /// What time it is, once for the whole unit of work. Machines that share a store must agree on it
    /// within a time step, or what one of them has accepted is another one's future.
    ///
    /// # Errors
    /// `clock`.
    pub fn moment(env: &Env, tx: &mut dyn Transaction) -> Result<Timestamp> {
        let now = env.clock.now()?;
        let Some(theirs) = tx.clock()? else { return Ok(now) };
        let ahead = env.clock.ahead(now, theirs);
        let apart = ahead.unsigned_abs();
        if apart > Parameters::COMMON.period {
            let which = if ahead < 0 { "behind" } else { "ahead of" };
            let message = format!("this machine's clock is {apart} s {which} the database's");
            return Err(Refusal::new(Code::Clock, message)
                .hint("set both by NTP; nothing was changed")
                .into());
        }
        Ok(now)
    }
}

/// Does a unit of work, anew where the database undid it because of another.
///
/// # Errors
/// As the work has them.
pub fn again<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let mut tries = 1;
    loop {
        match work() {
            Err(error) if tries < TRIES && error.downcast_ref::<Conflict>().is_some() => tries += 1,
            done => return done,
        }
    }
}
