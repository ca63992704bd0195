//! How a user stood before an act: what an event keeps, so that the log can tell of any earlier time
//! what `list-status` told then.
//!
//! An event holds the earlier values of what its act changed and nothing else, in JSON. Taken back one
//! by one, from the newest event to the oldest, they lead from how a user stands now to how he stood.

use serde_json::{Map, Value, json};

use crate::domain::bypass::Bypass;
use crate::domain::device::{Active, Device, Held, Kind, Pending, State};
use crate::domain::name::{Label, UserName};
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::{Id, Sealed};
use crate::domain::throttle::{Lock, MOST_WRONG_CODES};
use crate::domain::time::{Span, Timestamp};
use crate::domain::totp::Parameters;
use crate::domain::user::{PasswordChange, User};

/// The status of somebody who was not there.
pub const ABSENT: &str = "absent";

/// What an event keeps of the time before its act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The word of the status, where it was another.
    pub status: Option<&'static str>,
    /// Earlier values in JSON; none where nothing was other that a list tells.
    pub values: Option<String>,
}

impl Past {
    /// What was other before an act; nobody stands before a user is made and after he is removed.
    #[must_use]
    pub fn of(before: Option<&User>, after: Option<&User>) -> Self {
        let word = |user: Option<&User>| user.map_or(ABSENT, |user| user.status().word());
        let values = match (before, after) {
            (None, _) => Map::from_iter([(ABSENT.to_owned(), Value::Bool(true))]),
            (Some(before), after) => values(before, after),
        };
        Self {
            status: Some(word(before)).filter(|status| *status != word(after)),
            values: (!values.is_empty()).then(|| Value::from(values).to_string()),
        }
    }
}

/// The values of `before` that differ from those of `after`; all of them where nothing follows.
fn values(before: &User, after: Option<&User>) -> Map<String, Value> {
    let mut was = Map::new();
    let mut note = |name: &str, differs: &dyn Fn(&User) -> bool, value: &dyn Fn() -> Value| {
        if after.is_none_or(differs) {
            was.insert(name.to_owned(), value());
        }
    };
    let b = before;
    note("name", &|a| a.name != b.name, &|| b.name.as_str().into());
    let (p, q) = (&b.profile, |a: &User| a.profile.clone());
    note("display_name", &|a| q(a).display_name != p.display_name, &|| json!(p.display_name));
    note("email", &|a| q(a).email != p.email, &|| json!(p.email));
    note("groups", &|a| q(a).groups != p.groups, &|| json!(p.groups));
    note("required", &|a| a.required != b.required, &|| b.required.into());
    note("required_from", &|a| a.required_from != b.required_from, &|| time(b.required_from));
    note("new_password", &|a| a.password_change != b.password_change, &|| {
        json!(b.password_change.word())
    });
    note("last_code", &|a| a.last_verified_at != b.last_verified_at, &|| time(b.last_verified_at));
    note("lock", &|a| a.throttle.lock != b.throttle.lock, &|| {
        json!(b.throttle.lock.map(|lock| (lock.start.unix(), lock.length.0)))
    });
    note("shut", &|a| is_shut(a) != is_shut(b), &|| is_shut(b).into());
    note("recovery_codes", &|a| codes(a) != codes(b), &|| json!(codes(b)));
    note("bypass", &|a| a.bypass != b.bypass, &|| {
        json!(b.bypass.as_ref().map(|b| (b.starts_at.unix(), b.expires_at.unix(), b.uses)))
    });
    note("devices", &|a| !a.live().map(told).eq(b.live().map(told)), &|| {
        b.live().map(|d| Value::from(told(d))).collect()
    });
    note("used", &|a| !a.live().map(used).eq(b.live().map(used)), &|| {
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

/// What a list tells of a device, but for its last use, which every code changes.
fn told(device: &Device) -> Vec<Value> {
    vec![
        device.id.to_string().into(),
        device.label.as_str().into(),
        device.kind.as_str().into(),
        device.state.word().into(),
        device.created_at.unix().into(),
        time(device.confirmed_at()),
    ]
}

fn used(device: &Device) -> (String, Value) {
    (device.id.to_string(), time(device.last_used_at))
}

/// What may change without a change of anybody's protection; the first two by each use of a code.
const HARMLESS: &[&str] = &["last_code", "used", "display_name", "email", "name"];

/// Does an event keep nothing but when codes were used before? Most events are of that kind, and none of
/// these changes anybody's protection.
#[must_use]
pub fn is_mere_use(was: &str) -> bool {
    values_of(was).is_some_and(|was| has_only(&was, &HARMLESS[..2]))
}

/// Does an event of this moment keep nothing that is about a user's protection? A bypass code that had
/// ended by then goes with whatever is changed next, which is not what ended it.
#[must_use]
pub fn is_harmless(was: &str, at: Timestamp) -> bool {
    let Some(mut was) = values_of(was) else { return false };
    let end = was.get("bypass").and_then(|bypass| moment(bypass.get(1)?));
    if end.is_some_and(|end| end <= at) {
        was.remove("bypass");
    }
    has_only(&was, HARMLESS)
}

/// Is it the event by which a user came to be there?
#[must_use]
pub fn is_first(was: &str) -> bool {
    values_of(was).is_some_and(|was| was.contains_key(ABSENT))
}

fn values_of(was: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(was).ok()
}

fn has_only(was: &Map<String, Value>, names: &[&str]) -> bool {
    was.keys().all(|name| names.contains(&name.as_str()))
}

/// A user on the way back, event by event.
#[derive(Clone, Debug, Default)]
pub struct Undoing(Map<String, Value>);

impl Undoing {
    /// Takes back one event: the one before those that were taken back.
    ///
    /// # Errors
    /// `damaged` for what no event keeps.
    pub fn take_back(&mut self, was: &str) -> Result<(), Refusal> {
        let was: Map<String, Value> = serde_json::from_str(was).map_err(|_| unreadable())?;
        self.0.extend(was);
        Ok(())
    }

    /// The user as he stood; `None` where he was not there yet.
    ///
    /// # Errors
    /// `damaged` for what no event keeps.
    pub fn stood(self, now: User) -> Result<Option<User>, Refusal> {
        if self.0.contains_key(ABSENT) {
            return Ok(None);
        }
        let mut user = now;
        let mut last_uses = None;
        for (name, value) in &self.0 {
            let done = match name.as_str() {
                "devices" => devices(value, &user).map(|devices| user.devices = devices),
                "used" => value.as_object().map(|times| last_uses = Some(times)),
                _ => put(&mut user, name, value),
            };
            done.ok_or_else(unreadable)?;
        }
        for device in &mut user.devices {
            if let Some(value) = last_uses.and_then(|times| times.get(&device.id.to_string())) {
                device.last_used_at = maybe_moment(value)?;
            }
        }
        Ok(Some(user))
    }

    /// Somebody who was removed, as he stood; only his id and the log are left of him.
    ///
    /// # Errors
    /// `damaged` for what no event keeps.
    pub fn stood_once(self, id: Id) -> Result<Option<User>, Refusal> {
        let name = self.0.get("name").and_then(Value::as_str).and_then(|n| UserName::parse(n).ok());
        let made = self.0.get("created_at").and_then(moment);
        match name.zip(made) {
            Some((name, made)) => self.stood(User::new(id, name, made)),
            None if self.0.contains_key(ABSENT) => Ok(None),
            None => Err(unreadable()),
        }
    }
}

fn put(user: &mut User, name: &str, value: &Value) -> Option<()> {
    let text = || match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    };
    match name {
        "name" => user.name = UserName::parse(value.as_str()?).ok()?,
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
                }),
            }
        }
        "shut" => user.throttle.wrong_codes = if value.as_bool()? { MOST_WRONG_CODES } else { 0 },
        "recovery_codes" => user.recovery = Some(nameless_codes(value.as_u64()?, user.created_at)),
        "bypass" => {
            user.bypass = match value {
                Value::Null => None,
                bypass => Some(Bypass {
                    id: Id::new([0; Id::LENGTH]),
                    tag: [0; 32],
                    starts_at: moment(bypass.get(0)?)?,
                    expires_at: moment(bypass.get(1)?)?,
                    uses: bypass.get(2)?.as_u64()?.try_into().ok()?,
                }),
            }
        }
        "created_at" => user.created_at = moment(value)?,
        _ => return None,
    }
    Some(())
}

/// So many recovery codes that nobody has.
fn nameless_codes(left: u64, made_at: Timestamp) -> RecoverySet {
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

/// Devices that can be listed, and nothing else: no event keeps a secret.
fn devices(value: &Value, now: &User) -> Option<Vec<Device>> {
    let device = |told: &Value| {
        let text = |n: usize| told.get(n)?.as_str();
        let id = data_encoding::HEXLOWER.decode(text(0)?.as_bytes()).ok()?;
        let id = Id::new(id.try_into().ok()?);
        let confirmed_at = maybe_moment(told.get(5)?).ok()?;
        // When it would have expired is not kept: no list tells it.
        let held = match confirmed_at {
            Some(confirmed_at) => Held::Active(Active { confirmed_at }),
            None => Held::Pending(Pending {
                expires_at: now.created_at,
                first_proof: None,
                replaces: Vec::new(),
            }),
        };
        let state = match (text(3)?, held) {
            ("active", Held::Active(active)) => State::Active(active),
            ("pending", Held::Pending(pending)) => State::Pending(pending),
            ("disabled", held) => State::Disabled(held),
            _ => return None,
        };
        let same = now.devices.iter().find(|d| d.id == id);
        Some(Device {
            id,
            label: Label::parse(text(1)?).ok()?,
            kind: Some(Kind::Totp).filter(|kind| text(2) == Some(kind.as_str()))?,
            parameters: Parameters::COMMON,
            secret: Sealed(Vec::new()),
            state,
            last_step: None,
            created_at: moment(told.get(4)?)?,
            last_used_at: same.and_then(|d| d.last_used_at),
        })
    };
    value.as_array()?.iter().map(device).collect()
}

fn unreadable() -> Refusal {
    Refusal::new(Code::Damaged, "the log is damaged: an event does not tell how a user stood")
        .hint("look for the first bad event with: mfactl verify-log")
}

#[cfg(test)]
mod tests;
