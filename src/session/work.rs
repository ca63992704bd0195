//! A unit of work: the moment that it goes by, and how often it is tried.

use anyhow::{Context as _, Result};

use super::{Authorization, Opened, Session};
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::totp::Parameters;
use crate::domain::user::User;
use crate::env::Clock;
use crate::store::{Conflict, Transaction};
use crate::vault::Vault;

/// How often a unit of work is begun, where the database undoes it because of another.
const MAX_TRIES: u32 = 5;

/// A transaction under the lock, the moment it goes by, and the keys of its store.
pub struct WriteTx<'u> {
    pub tx: Box<dyn Transaction + 'u>,
    pub at: Timestamp,
    pub vault: &'u Vault,
    standing: Authorization,
}

impl WriteTx<'_> {
    /// The user, who must be there, for an operator who changes or shows something of his.
    ///
    /// # Errors
    /// `user_not_found`, to which [`Session::unit`] adds the nearest names; `tampered`;
    /// `not_permitted` for a protected user.
    pub fn user(&mut self, name: &UserName) -> Result<User> {
        self.maybe(name)?.ok_or_else(|| no_such_user(name))
    }

    /// The same, where nobody need be there.
    ///
    /// # Errors
    /// As [`Unit::user`].
    pub fn maybe(&mut self, name: &UserName) -> Result<Option<User>> {
        let user = self.tx.user(name)?;
        if let Some(user) = &user {
            self.standing.check(&mut *self.tx, user, self.at)?;
        }
        Ok(user)
    }

    /// The user, who must be there, protected or not: for what a user does himself (`verify`,
    /// `sign-in`, the code that ends `enrol`), for `diagnose`, and for a request to a second operator.
    ///
    /// # Errors
    /// As [`Unit::user`], but for the last.
    pub fn known(&mut self, name: &UserName) -> Result<User> {
        self.tx.user(name)?.ok_or_else(|| no_such_user(name))
    }
}

fn no_such_user(name: &UserName) -> anyhow::Error {
    anyhow::Error::msg(NoSuchUser(name.clone()))
}

/// There is no user of this name.
#[derive(Debug)]
struct NoSuchUser(UserName);

impl std::fmt::Display for NoSuchUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no user {}", self.0)
    }
}

impl Session<'_> {
    /// Does a unit of work under the lock, anew where the database undid it because of another. The
    /// work itself commits.
    ///
    /// # Errors
    /// As the work has them; `user_not_found` with the nearest names.
    pub fn unit<T>(
        &mut self,
        opened: &mut Opened,
        mut work: impl FnMut(&mut Self, WriteTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut attempt = |is_retry| {
            let begun = if is_retry {
                opened.store.begin_again(&opened.vault)?
            } else {
                Some(opened.store.begin(&opened.vault)?)
            };
            let Some(mut tx) = begun else { return Ok(None) };
            let at = agreed_time(&*self.env.clock, tx.clock()?)?;
            let standing = self.standing.clone();
            work(self, WriteTx { tx, at, vault: &opened.vault, standing }).map(Some)
        };
        let mut done = attempt(false);
        for _ in 1..MAX_TRIES {
            if !done.as_ref().is_err_and(|error| error.downcast_ref::<Conflict>().is_some()) {
                break;
            }
            match attempt(true) {
                // No time is left: what undid it is what there is to say.
                Ok(None) => break,
                retried => done = retried,
            }
        }
        let done = done.and_then(|done| done.context("nothing was begun"));
        done.map_err(|error| match error.downcast::<NoSuchUser>() {
            Ok(NoSuchUser(name)) => Self::unknown(opened, &name),
            Err(error) => error,
        })
    }
}

/// Do the clocks of a store's machines agree? Where there is but one nothing is read.
///
/// # Errors
/// `clock`.
pub(super) fn require_agreement(clock: &dyn Clock, theirs: Option<Timestamp>) -> Result<()> {
    theirs.map_or(Ok(()), |theirs| agreed_time(clock, Some(theirs)).map(drop))
}

/// What time it is, once for all that is done. Machines that share a store must agree on it within a
/// time step, or what one of them has accepted is another one's future.
///
/// # Errors
/// `clock`.
pub(super) fn agreed_time(clock: &dyn Clock, theirs: Option<Timestamp>) -> Result<Timestamp> {
    let now = clock.now()?;
    let Some(theirs) = theirs else { return Ok(now) };
    let ahead = clock.ahead(now, theirs);
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
