//! A user as columns.

use anyhow::Result;

use crate::domain::lockout::{Lock, Throttle};
use crate::domain::name::UserName;
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::remembered::RememberedLogins;
use crate::domain::secret::{Sealed, Stamp};
use crate::domain::time::Span;
use crate::domain::undo_record::UndoStack;
use crate::domain::user::{Language, Profile, User};
use crate::store::row::{
    Reader, Row, Value, backup_codes, bytes, maybe_bytes, maybe_number, maybe_text, maybe_time,
    number, remembered, time, undo_stack,
};

/// The columns of `users`, without the row id and the MAC.
pub const USER_COLUMNS: &[&str] = &[
    "id",
    "name",
    "display_name",
    "email",
    "language",
    "groups",
    "protected",
    "required",
    "password_change",
    "failures",
    "wrong_codes",
    "hour_codes",
    "hour_start",
    "lock_start",
    "lock_length",
    "turned_away",
    "told_at",
    "created_at",
    "last_verified_at",
    "rev",
    "password",
    "temporary_password",
    "temporary_until",
    "required_from",
    "enrolment_barred",
    "lock_looks",
    "recovery",
    "bypass",
    "undo",
    "stamp",
    "lock_again",
    "remembered",
];

/// The values of [`USER_COLUMNS`].
pub fn user_values(user: &User) -> Vec<Value> {
    let profile = &user.profile;
    let throttle = &user.throttle;
    vec![
        bytes(user.id.bytes()),
        Value::Text(user.name.as_str().to_owned()),
        maybe_text(profile.display_name.as_deref()),
        maybe_text(profile.email.as_deref()),
        maybe_text(profile.language.map(Language::code)),
        Value::Text(profile.groups.join(" ")),
        number(user.protected.into()),
        number(user.required.into()),
        maybe_text(user.password_change.word()),
        number(throttle.failures.into()),
        number(throttle.wrong_codes.into()),
        number(throttle.hour_codes.into()),
        maybe_time(throttle.hour_start),
        maybe_time(throttle.lock.map(|l| l.start)),
        maybe_number(throttle.lock.map(|l| l.length.0)),
        number(throttle.turned_away.into()),
        maybe_time(throttle.told_at),
        time(user.created_at),
        maybe_time(user.last_verified_at),
        number(user.rev),
        maybe_bytes(user.password.as_ref().map(|hash| hash.0.as_slice())),
        maybe_bytes(user.temporary.as_ref().map(|t| t.hash.0.as_slice())),
        maybe_time(user.temporary.as_ref().map(|t| t.until)),
        maybe_time(user.required_from),
        maybe_number(user.enrolment_barred.then_some(1)),
        maybe_number((throttle.lock_looks > 0).then_some(throttle.lock_looks.into())),
        maybe_text(user.recovery.as_ref().map(backup_codes::recovery_text).as_deref()),
        maybe_text(user.bypass.as_ref().map(backup_codes::bypass_text).as_deref()),
        maybe_text(undo_stack::text(&user.undo).as_deref()),
        maybe_bytes(user.stamp.as_ref().map(|stamp| &stamp.bytes()[..])),
        maybe_time(throttle.lock.and_then(|l| l.again)),
        maybe_text(remembered::text(&user.remembered).as_deref()),
    ]
}

/// A user without devices, from [`USER_COLUMNS`] starting at index `first`.
pub fn user(row: &dyn Row, first: usize) -> Result<User> {
    let mut r = Reader::new(row, "users", USER_COLUMNS, first);
    let id = r.id()?;
    let name = UserName::stored(r.text()?);
    let profile = Profile {
        display_name: r.maybe_text()?,
        email: r.maybe_text()?,
        language: match r.maybe_text()? {
            None => None,
            Some(code) => Some(Language::of_code(&code).ok_or_else(|| r.damaged())?),
        },
        groups: r.text()?.split_ascii_whitespace().map(str::to_owned).collect(),
    };
    let protected = r.flag()?;
    let required = r.flag()?;
    let text = r.maybe_text()?;
    let password_change = PasswordChange::from_word(text.as_deref()).ok_or_else(|| r.damaged())?;
    let (failures, wrong_codes, hour_codes) = (r.number()?, r.number()?, r.number()?);
    let hour_start = r.maybe_time()?;
    let (start, length) = (r.maybe_time()?, r.maybe_number()?);
    let lock = match (start, length) {
        (Some(start), Some(length)) => Some(Lock::new(start, Span(length))),
        (None, None) => None,
        _ => return Err(r.damaged()),
    };
    let (turned_away, told_at) = (r.number()?, r.maybe_time()?);
    let mut user = User {
        id,
        name,
        profile,
        protected,
        required,
        password_change,
        throttle: Throttle {
            failures,
            wrong_codes,
            hour_codes,
            hour_start,
            lock,
            turned_away,
            told_at,
            lock_looks: 0,
        },
        devices: Vec::new(),
        created_at: r.time()?,
        last_verified_at: r.maybe_time()?,
        rev: r.number()?,
        stamp: None,
        password: r.maybe_bytes()?.map(Sealed),
        temporary: None,
        required_from: None,
        enrolment_barred: false,
        recovery: None,
        bypass: None,
        undo: UndoStack::default(),
        remembered: RememberedLogins::default(),
    };
    user.temporary = match (r.maybe_bytes()?, r.maybe_time()?) {
        (Some(hash), Some(until)) => Some(TemporaryPassword { hash: Sealed(hash), until }),
        (None, None) => None,
        _ => return Err(r.damaged()),
    };
    user.required_from = r.maybe_time()?;
    user.enrolment_barred = match r.maybe_int()? {
        None => false,
        Some(1) => true,
        Some(_) => return Err(r.damaged()),
    };
    user.throttle.lock_looks = r.maybe_number()?.unwrap_or_default();
    let text = r.maybe_text()?;
    user.recovery =
        text.map(|t| backup_codes::recovery(&t).ok_or_else(|| r.damaged())).transpose()?;
    let text = r.maybe_text()?;
    user.bypass = text.map(|t| backup_codes::bypass(&t).ok_or_else(|| r.damaged())).transpose()?;
    let text = r.maybe_text()?;
    if let Some(text) = text {
        user.undo = undo_stack::stack(&text).ok_or_else(|| r.damaged())?;
    }
    let stamp = r.maybe_bytes()?.map(|stamp| stamp.try_into().map_err(|_| r.damaged()));
    user.stamp = stamp.transpose()?.map(Stamp::new);
    if let Some(again) = r.maybe_time()? {
        let lock = user.throttle.lock.as_mut().ok_or_else(|| r.damaged())?;
        lock.again = Some(again);
    }
    if let Some(text) = r.maybe_text()? {
        user.remembered = remembered::logins(&text).ok_or_else(|| r.damaged())?;
    }
    Ok(user)
}
