//! The changes that can be undone, as JSON in one column: a list, the oldest first. Earlier versions kept the last
//! change only, as one object without the later fields. Such an object is written as it was read, because the MAC of
//! a user is computed from the values of the columns.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::secret::{Id, Sealed};
use crate::domain::time::Timestamp;
use crate::domain::undo_record::{UndoRecord, UndoStack, Undoable};
use crate::store::row::backup_codes::{self, RecoveryJson, id, time};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StackJson {
    List(Vec<ActJson>),
    LastOnly(Box<ActJson>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActJson {
    verb: String,
    at: i64,
    devices: Vec<String>,
    made: Option<String>,
    recovery: Option<RecoveryJson>,
    password_change: Option<String>,
    enrolment_barred: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    untouched: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_without_codes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary: Option<TemporaryJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemporaryJson {
    hash: String,
    until: i64,
}

/// `None` where there is no change to undo.
pub fn text(stack: &UndoStack) -> Option<String> {
    let json = match stack.acts() {
        [] => return None,
        [act] if is_as_before(act) => StackJson::LastOnly(Box::new(act_json(act))),
        acts => StackJson::List(acts.iter().map(act_json).collect()),
    };
    Some(backup_codes::text(&json))
}

/// Whether an earlier version wrote this record, and nothing was added to it.
const fn is_as_before(act: &UndoRecord) -> bool {
    act.untouched.is_none()
        && act.is_without_codes
        && act.temporary.is_none()
        && act.closed_at.is_none()
}

pub fn stack(text: &str) -> Option<UndoStack> {
    let acts = match serde_json::from_str(text).ok()? {
        StackJson::List(acts) => acts,
        StackJson::LastOnly(act) => vec![*act],
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
        is_without_codes: (!is_as_before(act)).then_some(act.is_without_codes),
        recovery: act.recovery.as_ref().map(backup_codes::recovery_json),
        password_change: act.password_change.word().map(ToOwned::to_owned),
        temporary: act.temporary.as_ref().map(|temporary| TemporaryJson {
            hash: HEXLOWER.encode(&temporary.hash.0),
            until: temporary.until.as_i64(),
        }),
        enrolment_barred: act.enrolment_barred,
        closed_at: act.closed_at.map(Timestamp::as_i64),
    }
}

fn act(json: ActJson) -> Option<UndoRecord> {
    let ids = |texts: Vec<String>| texts.iter().map(|text| id(text)).collect::<Option<Vec<_>>>();
    // An absent value is right; one that can't be read is not.
    let recovery = json.recovery.map(|set| backup_codes::recovery_set(set).ok_or(()));
    let temporary = json.temporary.map(|password| temporary(&password).ok_or(()));
    Some(UndoRecord {
        act: Undoable::ALL.into_iter().find(|act| act.verb() == json.verb)?,
        at: time(json.at)?,
        devices: ids(json.devices)?,
        made: json.made.map(|text| id(&text).ok_or(())).transpose().ok()?,
        untouched: json.untouched.map(|texts| ids(texts).ok_or(())).transpose().ok()?,
        // An earlier version always put back the codes that it had found.
        is_without_codes: json.is_without_codes.unwrap_or(true),
        recovery: recovery.transpose().ok()?,
        password_change: PasswordChange::from_word(json.password_change.as_deref())?,
        temporary: temporary.transpose().ok()?,
        enrolment_barred: json.enrolment_barred,
        closed_at: json.closed_at.map(|at| time(at).ok_or(())).transpose().ok()?,
    })
}

fn temporary(json: &TemporaryJson) -> Option<TemporaryPassword> {
    let hash = Sealed(HEXLOWER.decode(json.hash.as_bytes()).ok()?);
    Some(TemporaryPassword { hash, until: time(json.until)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an earlier version wrote it.
    const LAST_ONLY: &str = r#"{"verb":"reset","at":1772452800,"devices":["000102030405060708090a0b0c0d0e0f"],"made":null,"recovery":null,"password_change":null,"enrolment_barred":false}"#;

    #[test]
    fn a_record_of_an_earlier_version_is_written_as_it_was_read() {
        let mut acts = stack(LAST_ONLY).unwrap();
        assert_eq!(text(&acts).as_deref(), Some(LAST_ONLY));
        assert_eq!((acts.acts().len(), acts.acts()[0].act), (1, Undoable::Reset));
        acts.close(time(1_772_452_900).unwrap());
        let closed = text(&acts).unwrap();
        assert!(
            closed.starts_with('[') && closed.contains(r#""closed_at":1772452900"#),
            "{closed}"
        );
        let read = stack(&closed).unwrap();
        assert_eq!((&read, text(&read)), (&acts, Some(closed)));
        let before = stack(LAST_ONLY).unwrap();
        let two = UndoStack::of([before.acts(), acts.acts()].concat());
        assert_eq!(stack(&text(&two).unwrap()), Some(two));
    }

    #[test]
    fn what_is_not_a_list_of_changes_is_refused() {
        assert_eq!(text(&UndoStack::default()), None);
        for wrong in [
            "",
            "{}",
            "[{}]",
            "7",
            &LAST_ONLY.replace("reset", "verify"),
            &LAST_ONLY.replace("0001", "zz"),
        ] {
            assert_eq!(stack(wrong), None, "{wrong}");
        }
    }
}
