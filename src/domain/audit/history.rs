//! A user's earlier states, from the audit log: what `list-status` listed at any earlier time.
//!
//! Each event holds, in JSON, the earlier values of exactly what it changed. Applied one by one from
//! the newest event to the oldest, they lead from a user's present state back to an earlier one.

use serde_json::{Map, Value, json};

use crate::domain::bypass::BypassCode;
use crate::domain::device::{Active, BeforeDisable, Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::hint::command;
use crate::domain::lockout::{Lock, MOST_WRONG_CODES};
use crate::domain::name::{Label, UserName};
use crate::domain::password::PasswordChange;
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed, Stamp};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// The status of a user who did not exist.
pub const ABSENT: &str = "absent";

/// Stands for the earlier values of a user who was given up; also the outcome of that removal.
pub const GIVEN_UP: &str = "given_up";

/// The earlier values that an event keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierValues {
    /// The earlier status, if it was different.
    pub status: Option<&'static str>,
    /// The earlier revision; `None` if there was no user, or nothing changed.
    pub rev: Option<u64>,
    /// The earlier stamp; `None` without a user, and for a user without one whom the event did not change.
    pub stamp: Option<Stamp>,
    /// Earlier values in JSON; `None` if nothing changed that `list-status` lists.
    pub values: Option<String>,
}

impl EarlierValues {
    /// Of an event that did not change its user.
    #[must_use]
    pub fn unchanged(user: &User) -> Self {
        Self { stamp: user.stamp, ..Self::default() }
    }

    /// Of the removal of a user whose rows are not believed: the log keeps that they were there, and their name.
    #[must_use]
    pub fn given_up(before: &User, status: Status) -> Self {
        Self {
            status: Some(status.word()),
            rev: Some(before.rev),
            stamp: Some(before.stamp.unwrap_or(Stamp::NONE)),
            values: Some(json!({ GIVEN_UP: true, "name": before.name.as_str() }).to_string()),
        }
    }

    /// The difference between two states; `None` is a user who does not exist yet or any more.
    #[must_use]
    pub fn of(before: Option<&User>, after: Option<&User>) -> Self {
        let status = |user: Option<&User>| user.map_or(ABSENT, |user| user.status().word());
        let values = match (before, after) {
            (None, _) => Map::from_iter([(ABSENT.to_owned(), Value::Bool(true))]),
            (Some(before), after) => values(before, after),
        };
        Self {
            status: Some(status(before)).filter(|word| *word != status(after)),
            rev: before.map(|before| before.rev),
            stamp: Some(before.and_then(|before| before.stamp).unwrap_or(Stamp::NONE)),
            values: (!values.is_empty()).then(|| Value::from(values).to_string()),
        }
    }
}

/// The values of `before` that differ from `after`; all of them if the user was removed.
fn values(before: &User, after: Option<&User>) -> Map<String, Value> {
    let mut was = Map::new();
    let mut record = |name: &str, differs: &dyn Fn(&User) -> bool, value: &dyn Fn() -> Value| {
        if after.is_none_or(differs) {
            was.insert(name.to_owned(), value());
        }
    };
    let b = before;
    record("name", &|a| a.name != b.name, &|| b.name.as_str().into());
    let (p, q) = (&b.profile, |a: &User| a.profile.clone());
    record("display_name", &|a| q(a).display_name != p.display_name, &|| json!(p.display_name));
    record("email", &|a| q(a).email != p.email, &|| json!(p.email));
    record("groups", &|a| q(a).groups != p.groups, &|| json!(p.groups));
    record("required", &|a| a.required != b.required, &|| b.required.into());
    record("required_from", &|a| a.required_from != b.required_from, &|| time(b.required_from));
    record("new_password", &|a| a.password_change != b.password_change, &|| {
        json!(b.password_change.word())
    });
    record("last_code", &|a| a.last_verified_at != b.last_verified_at, &|| {
        time(b.last_verified_at)
    });
    record("lock", &|a| a.throttle.lock != b.throttle.lock, &|| {
        json!(b.throttle.lock.map(|lock| match lock.again {
            None => vec![lock.start.unix(), lock.length.0],
            Some(again) => vec![lock.start.unix(), lock.length.0, again.unix()],
        }))
    });
    record("shut", &|a| is_shut(a) != is_shut(b), &|| is_shut(b).into());
    record("recovery_codes", &|a| codes(a) != codes(b), &|| json!(codes(b)));
    record("bypass", &|a| a.bypass != b.bypass, &|| {
        json!(b.bypass.as_ref().map(|b| (b.starts_at.unix(), b.expires_at.unix(), b.uses)))
    });
    record("devices", &|a| !a.live().map(listed).eq(b.live().map(listed)), &|| {
        b.live().map(|d| Value::from(listed(d))).collect()
    });
    record("used", &|a| !a.live().map(used).eq(b.live().map(used)), &|| {
        Value::Object(b.live().map(used).collect())
    });
    if after.is_none() {
        was.insert("created_at".into(), time(Some(before.created_at)));
    }
    was
}

fn time(time: Option<Timestamp>) -> Value {
    json!(time.map(Timestamp::unix))
}

fn is_shut(user: &User) -> bool {
    user.throttle.wrong_codes >= MOST_WRONG_CODES
}

fn codes(user: &User) -> usize {
    user.recovery.as_ref().map_or(0, RecoverySet::left)
}

/// A device as it is listed, without its last use, which every code changes.
fn listed(device: &Device) -> Vec<Value> {
    vec![
        device.id.to_string().into(),
        device.label.as_str().into(),
        device.factor.kind().into(),
        device.state.word().into(),
        device.created_at.unix().into(),
        time(device.confirmed_at()),
    ]
}

fn used(device: &Device) -> (String, Value) {
    (device.id.to_string(), time(device.last_used_at))
}

/// Values that can change while the user's protection stays the same. Each use of a code changes the
/// first two.
const HARMLESS: &[&str] = &["last_code", "used", "display_name", "email", "name"];

/// Whether an event changed nothing but the time of the last use. Most events are of this kind, and none
/// of them changes a user's protection.
#[must_use]
pub fn is_code_use_only(was: &str) -> bool {
    values_of(was).is_some_and(|was| has_only(&was, &HARMLESS[..2]))
}

/// Whether an event at this time left the user's protection unchanged. A bypass code that had expired by
/// then does not count: the next change of any kind removes it.
#[must_use]
pub fn leaves_protection_unchanged(was: &str, at: Timestamp) -> bool {
    let Some(mut was) = values_of(was) else { return false };
    let end = was.get("bypass").and_then(|bypass| moment(bypass.get(1)?));
    if end.is_some_and(|end| end <= at) {
        was.remove("bypass");
    }
    has_only(&was, HARMLESS)
}

/// Whether this event created the user.
#[must_use]
pub fn is_creation(was: &str) -> bool {
    values_of(was).is_some_and(|was| was.contains_key(ABSENT))
}

fn values_of(was: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(was).ok()
}

fn has_only(was: &Map<String, Value>, names: &[&str]) -> bool {
    was.keys().all(|name| names.contains(&name.as_str()))
}

/// Earlier values of a user, collected event by event, from the newest to the oldest.
#[derive(Clone, Debug, Default)]
pub struct Rewind(Map<String, Value>);

impl Rewind {
    /// Takes back one more event, the next older one.
    pub fn rewind(&mut self, was: &str) -> Result<(), Refusal> {
        let was: Map<String, Value> = serde_json::from_str(was).map_err(|_| unreadable())?;
        self.0.extend(was);
        Ok(())
    }

    /// Whether one of these events changed the field, also where a later one changed it back.
    #[must_use]
    pub fn has_changed(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether one of these events created the user.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.0.contains_key(ABSENT)
    }

    /// The user's earlier state; `None` if the user did not exist yet. Values that no event can have are
    /// refused as `damaged`.
    pub fn apply_to(self, now: User) -> Result<Option<User>, Refusal> {
        if self.0.contains_key(ABSENT) {
            return Ok(None);
        }
        let mut user = now;
        let mut last_uses = None;
        for (name, value) in &self.0 {
            let applied = match name.as_str() {
                "devices" => devices(value, &user).map(|devices| user.devices = devices),
                "used" => value.as_object().map(|times| last_uses = Some(times)),
                _ => set_value(&mut user, name, value),
            };
            applied.ok_or_else(unreadable)?;
        }
        for device in &mut user.devices {
            if let Some(value) = last_uses.and_then(|times| times.get(&device.id.to_string())) {
                device.last_used_at = maybe_moment(value)?;
            }
        }
        Ok(Some(user))
    }

    /// The earlier name of a user who was given up since, and was there: nothing else is known of them.
    #[must_use]
    pub fn name_of_given_up(&self) -> Option<&str> {
        let is_known = self.0.contains_key(GIVEN_UP) && !self.0.contains_key(ABSENT);
        self.0.get("name")?.as_str().filter(|_| is_known)
    }

    /// The earlier state of a user who was removed since, from the log alone; `None` also for one who was given up.
    pub fn rebuild_removed(self, id: Id) -> Result<Option<User>, Refusal> {
        if self.0.contains_key(GIVEN_UP) {
            return Ok(None);
        }
        let name = self.0.get("name").and_then(Value::as_str).and_then(stored_name);
        let created_at = self.0.get("created_at").and_then(moment);
        match name.zip(created_at) {
            Some((name, created_at)) => self.apply_to(User::new(id, name, created_at)),
            None if self.0.contains_key(ABSENT) => Ok(None),
            None => Err(unreadable()),
        }
    }
}

/// A name as it was stored, which an earlier version may have spelt in another way.
fn stored_name(name: &str) -> Option<UserName> {
    UserName::parse(name).ok().map(|_| UserName::stored(name.to_owned()))
}

fn set_value(user: &mut User, name: &str, value: &Value) -> Option<()> {
    let text = || match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    };
    match name {
        "name" => user.name = stored_name(value.as_str()?)?,
        "display_name" => user.profile.display_name = text()?,
        "email" => user.profile.email = text()?,
        "groups" => user.profile.groups = texts(value)?,
        "required" => user.required = value.as_bool()?,
        "required_from" => user.required_from = maybe_moment(value).ok()?,
        "new_password" => user.password_change = PasswordChange::from_word(value.as_str())?,
        "last_code" => user.last_verified_at = maybe_moment(value).ok()?,
        "lock" => {
            user.throttle.lock = match value {
                Value::Null => None,
                lock => Some(Lock {
                    start: moment(lock.get(0)?)?,
                    length: Span::seconds(lock.get(1)?.as_u64()?),
                    again: lock.get(2).and_then(moment),
                }),
            }
        }
        "shut" => user.throttle.wrong_codes = if value.as_bool()? { MOST_WRONG_CODES } else { 0 },
        "recovery_codes" => {
            user.recovery = Some(placeholder_codes(value.as_u64()?, user.created_at));
        }
        "bypass" => {
            user.bypass = match value {
                Value::Null => None,
                bypass => Some(BypassCode {
                    id: Id::new([0; Id::LENGTH]),
                    tag: [0; 32],
                    starts_at: moment(bypass.get(0)?)?,
                    expires_at: moment(bypass.get(1)?)?,
                    uses: bypass.get(2)?.as_u64()?.try_into().ok()?,
                }),
            }
        }
        GIVEN_UP => {}
        "created_at" => user.created_at = moment(value)?,
        _ => return None,
    }
    Some(())
}

/// A set that counts `left` codes, none of which exists.
fn placeholder_codes(left: u64, made_at: Timestamp) -> RecoverySet {
    let tags = (0..left.min(64)).map(|_| Some([0; 32])).collect();
    RecoverySet { id: Id::new([0; Id::LENGTH]), made_at, tags }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| Some(text.as_str()?.to_owned())).collect()
}

fn moment(value: &Value) -> Option<Timestamp> {
    Timestamp::from_unix(value.as_i64()?).ok()
}

fn maybe_moment(value: &Value) -> Result<Option<Timestamp>, Refusal> {
    if value.is_null() { Ok(None) } else { moment(value).map(Some).ok_or_else(unreadable) }
}

/// Devices that can be listed but not used: no event keeps a secret.
fn devices(value: &Value, now: &User) -> Option<Vec<Device>> {
    let device = |listed: &Value| {
        let text = |n: usize| listed.get(n)?.as_str();
        let id = data_encoding::HEXLOWER.decode(text(0)?.as_bytes()).ok()?;
        let id = Id::new(id.try_into().ok()?);
        let confirmed_at = maybe_moment(listed.get(5)?).ok()?;
        // Events do not keep `expires_at`; `Device::expires_at` takes this value for unknown.
        let held = match confirmed_at {
            Some(confirmed_at) => BeforeDisable::Active(Active { confirmed_at }),
            None => BeforeDisable::Pending(Pending {
                expires_at: Timestamp::EARLIEST,
                first_proof: None,
                replaces: Vec::new(),
            }),
        };
        let state = match (text(3)?, held) {
            ("active", BeforeDisable::Active(active)) => DeviceState::Active(active),
            ("pending", BeforeDisable::Pending(pending)) => DeviceState::Pending(pending),
            ("disabled", held) => DeviceState::Disabled(held),
            _ => return None,
        };
        let same = now.devices.iter().find(|d| d.id == id);
        Some(Device {
            id,
            label: Label::parse(text(1)?).ok()?,
            // The settings are not in the log, since no listing shows them.
            factor: Factor::listed(text(2)?)?,
            serial: None,
            secret: Sealed(Vec::new()),
            state,
            position: None,
            created_at: moment(listed.get(4)?)?,
            last_used_at: same.and_then(|d| d.last_used_at),
            accepted: crate::domain::accepted::Accepted::default(),
        })
    };
    value.as_array()?.iter().map(device).collect()
}

fn unreadable() -> Refusal {
    Refusal::new(
        ErrorCode::Damaged,
        "the log is damaged: the earlier values in an event are unreadable",
    )
    .hint(command("verify-log").after("find the first bad event with: "))
}

#[cfg(test)]
mod tests;
