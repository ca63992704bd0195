//! Write transactions: the time they decide by, and their retries.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::{Context as _, Result};

use crate::app::{App, Authorization, OpenStore, ShownUser};
use crate::domain::factor::totp::Parameters;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::site_names::SiteNames;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::env::Clock;
use crate::files::unfinished;
use crate::keyring::Vault;
use crate::store::{Conflict, LockScope, WriteTx};

/// How often a transaction is tried if the database rolls it back because of a concurrent one.
const MAX_TRIES: u32 = 5;
/// How many users a bulk change loads and saves at once, so that its memory does not grow with the list.
pub const MAX_SET: usize = 500;

/// A transaction under the lock, the time it decides by, and the keys of its store.
pub struct Transaction<'u> {
    pub tx: WriteTx<'u>,
    pub at: Timestamp,
    pub vault: &'u Vault,
    authorization: Authorization,
    /// The request that the run carries out was consumed in this transaction, or before.
    is_approved: bool,
    store_changed: Rc<Cell<bool>>,
    shown: ShownUser,
}

impl Transaction<'_> {
    /// Makes the changes durable, and remembers for the run that there are some.
    pub fn commit(self) -> Result<()> {
        let has_events = self.tx.has_events();
        unfinished::begin_commit();
        self.tx.commit()?;
        unfinished::end_commit();
        self.store_changed.set(self.store_changed.get() || has_events);
        if let Some(approval) = self.authorization.approval.as_ref().filter(|_| self.is_approved) {
            approval.is_carried_out.set(true);
        }
        self.shown.set_changed();
        Ok(())
    }

    /// The user, for an operator who changes or shows something of theirs. Another user than the one who was shown
    /// is `busy`, also that one in another state; a protected user is `not_permitted`; an unknown name is `user_not_found`, to which [`write_tx`] adds the
    /// nearest names.
    pub fn user(&mut self, name: &UserName) -> Result<User> {
        self.user_if_any(name)?.ok_or_else(|| no_such_user(name))
    }

    /// Like [`Transaction::user`], with `None` for an unknown name.
    pub fn user_if_any(&mut self, name: &UserName) -> Result<Option<User>> {
        let user = self.find(name)?;
        self.shown.check(name, user.as_ref())?;
        if let Some(user) = &user {
            self.authorization.check(&mut self.tx, user, self.at)?;
            self.is_approved = true;
        }
        Ok(user)
    }

    /// Like [`Transaction::user_if_any`], for several users; unless `is_checked`, also for protected ones.
    pub fn users_if_any(
        &mut self,
        names: &[UserName],
        is_checked: bool,
    ) -> Result<Vec<Option<User>>> {
        let users = self.tx.load(names)?;
        for user in users.iter().flatten().filter(|_| is_checked) {
            self.authorization.check(&mut self.tx, user, self.at)?;
            self.is_approved = true;
        }
        Ok(users)
    }

    /// The user, protected or not: for what users do themselves (`verify`, `sign-in`, the code that
    /// ends `enrol`), for `diagnose`, and for a request to a second operator.
    pub fn any_user(&mut self, name: &UserName) -> Result<User> {
        let user = self.find(name)?;
        self.shown.check(name, user.as_ref())?;
        user.ok_or_else(|| no_such_user(name))
    }

    /// Like [`Transaction::any_user`], for several users.
    pub fn any_users(&mut self, names: &[UserName]) -> Result<Vec<User>> {
        let found = self.tx.load(names)?.into_iter().zip(names);
        found.map(|(user, name)| user.ok_or_else(|| no_such_user(name))).collect()
    }

    /// Whether somebody else has this name, in any of its spellings.
    pub fn is_taken(&mut self, name: &UserName, but_by: Id) -> Result<bool> {
        for spelling in name.spellings() {
            let holder = self.find(&UserName::stored(spelling.to_owned()))?;
            if holder.is_some_and(|holder| holder.id != but_by) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses a name that nobody has, where somebody else is stored by it with a realm of the site.
    pub fn require_no_twin(&mut self, site: &SiteNames, name: &UserName, but_by: Id) -> Result<()> {
        match self.twin(site, name, Some(but_by))? {
            Some(twin) => Err(has_twin(name, &twin.name).into()),
            None => Ok(()),
        }
    }

    /// Whoever is stored by this name with a realm of the site, and is not this user.
    pub fn twin(
        &mut self,
        site: &SiteNames,
        name: &UserName,
        but: Option<Id>,
    ) -> Result<Option<User>> {
        for with_realm in site.with_realms(name) {
            let twin = self.find(&with_realm)?.filter(|twin| Some(twin.id) != but);
            if twin.is_some() {
                return Ok(twin);
            }
        }
        Ok(None)
    }

    /// The user, without a comparison with the user who was shown; `None` for an unknown name.
    pub fn find(&mut self, name: &UserName) -> Result<Option<User>> {
        Ok(self.tx.load(std::slice::from_ref(name))?.pop().flatten())
    }
}

/// The error for a new name whose user is stored already, by the name with a realm.
#[must_use]
pub fn has_twin(name: &UserName, twin: &UserName) -> Refusal {
    let message = format!("user {twin} already exists, and [names] takes {twin} for {name}");
    let rename = command("edit-user").option("--rename", name.as_str()).name(twin);
    Refusal::new(ErrorCode::UserExists, message)
        .hint(rename.after("if that is the same person, rename them with: "))
}

/// The error for a name that nobody has, to which [`write_tx`] adds the nearest names.
#[must_use]
pub fn no_such_user(name: &UserName) -> anyhow::Error {
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

/// Runs `work` in a transaction that has the whole store for itself, and again if the database rolled it back because
/// of a concurrent one. `work` must commit.
pub fn write_tx<T>(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    work: impl FnMut(&mut App<'_>, Transaction<'_>) -> Result<T>,
) -> Result<T> {
    run_tx(app, opened, LockScope::Store, work)
}

/// Like [`write_tx`], in a transaction that has only the users for itself whom it loads, all of them at once: for
/// logins, which look at nothing else. `docs/locks.md` says what that leaves out.
pub fn user_tx<T>(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    work: impl FnMut(&mut App<'_>, Transaction<'_>) -> Result<T>,
) -> Result<T> {
    run_tx(app, opened, LockScope::Users, work)
}

fn run_tx<T>(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    scope: LockScope,
    mut work: impl FnMut(&mut App<'_>, Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let mut attempt = |is_retry| {
        let begun = if is_retry {
            opened.store.begin_again(&opened.vault, scope)?
        } else {
            Some(opened.store.begin_scope(&opened.vault, scope)?)
        };
        let Some(mut tx) = begun else { return Ok(None) };
        let at = agreed_time(&*app.env.clock, tx.clock()?)?;
        let authorization = app.authorization.clone();
        let (store_changed, shown) = (Rc::clone(&app.store_changed), app.shown.clone());
        let vault = &opened.vault;
        let is_approved = false;
        work(app, Transaction { tx, at, vault, authorization, is_approved, store_changed, shown })
            .map(Some)
    };
    let mut done = attempt(false);
    for _ in 1..MAX_TRIES {
        if !done.as_ref().is_err_and(|error| error.downcast_ref::<Conflict>().is_some()) {
            break;
        }
        match attempt(true) {
            // No time is left for another try: report the conflict.
            Ok(None) => break,
            retried => done = retried,
        }
    }
    let done = done.and_then(|done| done.context("nothing was begun"));
    done.map_err(|error| match error.downcast::<NoSuchUser>() {
        Ok(NoSuchUser(name)) => opened.user_not_found(&name),
        Err(error) => error,
    })
}

/// Fails with `clock` if this machine's clock and the database's disagree; `None` is a store without
/// a clock of its own.
pub fn require_agreement(clock: &dyn Clock, theirs: Option<Timestamp>) -> Result<()> {
    theirs.map_or(Ok(()), |theirs| agreed_time(clock, Some(theirs)).map(drop))
}

/// The current time, by which a whole transaction decides. Machines that share a store must agree on
/// it within one time step, or a step that one has accepted is in the future of another; if they do
/// not, the error is `clock`.
pub fn agreed_time(clock: &dyn Clock, theirs: Option<Timestamp>) -> Result<Timestamp> {
    let now = clock.now()?;
    let Some(theirs) = theirs else { return Ok(now) };
    let ahead = clock.seconds_ahead(now, theirs);
    let apart = ahead.unsigned_abs();
    if apart > Parameters::COMMON.period {
        let which = if ahead < 0 { "behind" } else { "ahead of" };
        let message = format!("this machine's clock is {apart} s {which} the database's");
        return Err(Refusal::new(ErrorCode::Clock, message)
            .hint("synchronise both with NTP; nothing was changed")
            .into());
    }
    Ok(now)
}
