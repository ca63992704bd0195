//! The changes that can be undone, as JSON in one column: a list, the oldest first. Earlier versions kept the last
//! change only, as one object without the later fields.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::secret::{Id, Sealed};
use crate::domain::undo_record::{UndoRecord, UndoStack, Undoable};
use crate::store::row::backup_codes::{self, RecoveryJson, id, time};

#[derive(Deserialize)]
#[serde(untagged)]
enum StackJson {
    List(Vec<ActJson>),
    LastOnly(ActJson),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActJson {
    verb: String,
    at: i64,
    devices: Vec<String>,
    made: Option<String>,
    untouched: Option<Vec<String>>,
    is_without_codes: Option<bool>,
    recovery: Option<RecoveryJson>,
    password_change: Option<String>,
    temporary: Option<TemporaryJson>,
    enrolment_barred: bool,
    closed_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemporaryJson {
    hash: String,
    until: i64,
}

/// `None` for no change.
pub fn text(stack: &UndoStack) -> Option<String> {
    let acts: Vec<_> = stack.acts().iter().map(act_json).collect();
    (!acts.is_empty()).then(|| backup_codes::text(&acts))
}

pub fn stack(text: &str) -> Option<UndoStack> {
    let acts = match serde_json::from_str(text).ok()? {
        StackJson::List(acts) => acts,
        StackJson::LastOnly(act) => vec![act],
    };
    acts.into_iter().map(act).collect::<Option<_>>().map(UndoStack::of)
}

fn act_json(act: &UndoRecord) -> ActJson {
    let ids = |ids: &[Id]| ids.iter().map(Id::to_string).collect();
    ActJson {
        verb: act.act.verb().to_owned(),
        at: act.at.as_i64(),
        devices: ids(&act.devices),
        made: act.made.map(|id| id.to_string()),
        untouched: act.untouched.as_deref().map(ids),
        is_without_codes: Some(act.is_without_codes),
        recovery: act.recovery.as_ref().map(backup_codes::recovery_json),
        password_change: act.password_change.word().map(ToOwned::to_owned),
        temporary: act.temporary.as_ref().map(|temporary| TemporaryJson {
            hash: HEXLOWER.encode(&temporary.hash.0),
            until: temporary.until.as_i64(),
        }),
        enrolment_barred: act.enrolment_barred,
        closed_at: act.closed_at.map(|at| at.as_i64()),
    }
}

fn act(json: ActJson) -> Option<UndoRecord> {
    let ids = |texts: Vec<String>| texts.iter().map(|text| id(text)).collect::<Option<Vec<_>>>();
    Some(UndoRecord {
        act: Undoable::ALL.into_iter().find(|act| act.verb() == json.verb)?,
        at: time(json.at)?,
        devices: ids(json.devices)?,
        made: inner(json.made, |text| id(&text))?,
        untouched: inner(json.untouched, ids)?,
        // An earlier version always put back the codes that it had found.
        is_without_codes: json.is_without_codes.unwrap_or(true),
        recovery: inner(json.recovery, backup_codes::recovery_set)?,
        password_change: PasswordChange::from_word(json.password_change.as_deref())?,
        temporary: inner(json.temporary, temporary)?,
        enrolment_barred: json.enrolment_barred,
        closed_at: inner(json.closed_at, time)?,
    })
}

fn temporary(json: TemporaryJson) -> Option<TemporaryPassword> {
    let hash = Sealed(HEXLOWER.decode(json.hash.as_bytes()).ok()?);
    Some(TemporaryPassword { hash, until: time(json.until)? })
}

/// An absent value is right; one that can't be read is not.
fn inner<T, U>(value: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    value.map_or(Some(None), |value| read(value).map(Some))
}
