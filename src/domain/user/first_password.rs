//! A user who has to choose a password, and has none with which to sign in and choose it.

use crate::domain::hint::{Hint, command};
use crate::domain::name::UserName;
use crate::domain::password::PasswordChange;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;

/// Refuses a page which says that the sign-in asks for a new password, where the sign-in accepts no password of this
/// user. A temporary password that has expired is no such case: the page says to ask for another one.
pub fn check_first_password(user: &User) -> Result<(), Refusal> {
    let is_stuck = match user.password_change {
        PasswordChange::NotRequired => false,
        PasswordChange::Required => user.temporary.is_none(),
        PasswordChange::RequiredOldOpens => user.password.is_none(),
    };
    if !is_stuck {
        return Ok(());
    }
    let name = &user.name;
    let problem = format!("{name} has to choose a new password, and can't sign in to do so");
    let refusal = Refusal::new(ErrorCode::NoPassword, problem);
    if user.password.is_none() {
        return Err(refusal.hint(no_password_hint(name, true)));
    }
    let force = command("force-new-password");
    // Without it the device of the page would be gone.
    let force = if user.live().next().is_some() { force.flag("--keep-mfa") } else { force };
    let words = format!("{name} has no temporary password; to make one, run: ");
    Err(refusal.hint(force.name(name).after(&words)))
}

/// How a user gets in again who has no password here and was told to choose one. `is_done`: that was stored, so it can be
/// taken back.
#[must_use]
pub fn no_password_hint(name: &UserName, is_done: bool) -> Hint {
    let set = command("set-password").name(name);
    let first = set.after(&format!("{name} has no password here; to set one, run: "));
    if !is_done {
        return first;
    }
    let back = command("undo").name(name);
    first.then("; where it is kept elsewhere, take this back: ").then(back)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{active_state, alice, at, with_phone};
    use crate::domain::password::TemporaryPassword;
    use crate::domain::secret::Sealed;

    #[test]
    fn a_page_needs_the_password_that_the_sign_in_compares_with() {
        let hash = || Sealed(vec![1]);
        for (change, has_password, has_temporary, is_refused) in [
            (PasswordChange::NotRequired, false, false, false),
            (PasswordChange::NotRequired, true, false, false),
            (PasswordChange::Required, false, false, true),
            (PasswordChange::Required, true, false, true),
            (PasswordChange::Required, true, true, false),
            (PasswordChange::RequiredOldOpens, true, false, false),
            (PasswordChange::RequiredOldOpens, false, false, true),
            (PasswordChange::RequiredOldOpens, false, true, true),
        ] {
            for has_device in [false, true] {
                let mut user = alice();
                user.password_change = change;
                user.password = has_password.then(hash);
                user.temporary =
                    has_temporary.then(|| TemporaryPassword { hash: hash(), until: at(9) });
                if has_device {
                    user = with_phone(user, active_state());
                }
                let refused = check_first_password(&user).err();
                assert_eq!(refused.is_some(), is_refused, "{user:?}");
                let Some(refusal) = refused else { continue };
                assert_eq!(refusal.code, ErrorCode::NoPassword);
                let hint = refusal.hint.unwrap().to_string();
                let next = match (has_password, has_device) {
                    (false, _) => "mfactl set-password -- alice; where",
                    (true, false) => "mfactl force-new-password -- alice",
                    (true, true) => "mfactl force-new-password --keep-mfa -- alice",
                };
                assert!(hint.contains(next), "{hint}");
            }
        }
    }
}
