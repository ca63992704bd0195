//! A user as columns.

use anyhow::Result;

use super::{Reader, Row, Value, bytes, maybe_number, maybe_text, maybe_time, number, time};
use crate::domain::name::UserName;
use crate::domain::throttle::{Lock, Throttle};
use crate::domain::time::Span;
use crate::domain::user::{Language, PasswordChange, Profile, User};

/// The columns of `users`, without the row number and the MAC.
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
        maybe_text(match user.password_change {
            PasswordChange::NotRequired => None,
            PasswordChange::Required => Some("required"),
            PasswordChange::RequiredOldOpens => Some("old_opens"),
        }),
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
    ]
}

/// A user without devices, from [`USER_COLUMNS`] that start at column `first`.
pub fn user(row: &dyn Row, first: usize) -> Result<User> {
    let mut r = Reader::new(row, "users", USER_COLUMNS, first);
    let id = r.id()?;
    let name = UserName::stored(r.text()?);
    let profile = Profile {
        display_name: r.maybe_text()?,
        email: r.maybe_text()?,
        language: match r.maybe_text()?.as_deref() {
            None => None,
            Some("en") => Some(Language::English),
            Some("fr") => Some(Language::French),
            Some(_) => return Err(r.wrong()),
        },
        groups: r.text()?.split_ascii_whitespace().map(str::to_owned).collect(),
    };
    let protected = r.flag()?;
    let required = r.flag()?;
    let password_change = match r.maybe_text()?.as_deref() {
        None => PasswordChange::NotRequired,
        Some("required") => PasswordChange::Required,
        Some("old_opens") => PasswordChange::RequiredOldOpens,
        Some(_) => return Err(r.wrong()),
    };
    let (failures, wrong_codes, hour_codes) = (r.number()?, r.number()?, r.number()?);
    let hour_start = r.maybe_time()?;
    let (start, length) = (r.maybe_time()?, r.maybe_number()?);
    let lock = match (start, length) {
        (Some(start), Some(length)) => Some(Lock { start, length: Span(length) }),
        (None, None) => None,
        _ => return Err(r.wrong()),
    };
    let (turned_away, told_at) = (r.number()?, r.maybe_time()?);
    Ok(User {
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
        },
        devices: Vec::new(),
        created_at: r.time()?,
        last_verified_at: r.maybe_time()?,
        rev: r.number()?,
    })
}
