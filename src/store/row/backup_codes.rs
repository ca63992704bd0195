//! Recovery codes, a bypass code and the undo record, each as JSON in one column, so that an auditor can
//! query them with SQL.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::bypass::BypassCode;
use crate::domain::password::PasswordChange;
use crate::domain::recovery::{RecoverySet, Tag};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::undo_record::{UndoRecord, Undoable};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryJson {
    id: String,
    made_at: i64,
    tags: Vec<Option<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BypassJson {
    id: String,
    tag: String,
    starts_at: i64,
    expires_at: i64,
    uses: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UndoJson {
    verb: String,
    at: i64,
    devices: Vec<String>,
    made: Option<String>,
    recovery: Option<RecoveryJson>,
    password_change: Option<String>,
    enrolment_barred: bool,
}

pub fn recovery_text(set: &RecoverySet) -> String {
    text(&recovery_json(set))
}

pub fn recovery(text: &str) -> Option<RecoverySet> {
    recovery_set(serde_json::from_str(text).ok()?)
}

pub fn bypass_text(bypass: &BypassCode) -> String {
    text(&BypassJson {
        id: bypass.id.to_string(),
        tag: HEXLOWER.encode(&bypass.tag),
        starts_at: bypass.starts_at.as_i64(),
        expires_at: bypass.expires_at.as_i64(),
        uses: bypass.uses,
    })
}

pub fn bypass(text: &str) -> Option<BypassCode> {
    let json: BypassJson = serde_json::from_str(text).ok()?;
    Some(BypassCode {
        id: id(&json.id)?,
        tag: tag(&json.tag)?,
        starts_at: time(json.starts_at)?,
        expires_at: time(json.expires_at)?,
        uses: json.uses,
    })
}

pub fn undo_text(undo: &UndoRecord) -> String {
    text(&UndoJson {
        verb: undo.act.verb().to_owned(),
        at: undo.at.as_i64(),
        devices: undo.devices.iter().map(Id::to_string).collect(),
        made: undo.made.map(|id| id.to_string()),
        recovery: undo.recovery.as_ref().map(recovery_json),
        password_change: undo.password_change.word().map(ToOwned::to_owned),
        enrolment_barred: undo.enrolment_barred,
    })
}

pub fn undo(text: &str) -> Option<UndoRecord> {
    let json: UndoJson = serde_json::from_str(text).ok()?;
    Some(UndoRecord {
        act: Undoable::ALL.into_iter().find(|act| act.verb() == json.verb)?,
        at: time(json.at)?,
        devices: json.devices.iter().map(|text| id(text)).collect::<Option<_>>()?,
        made: json.made.map(|text| id(&text).ok_or(())).transpose().ok()?,
        recovery: json.recovery.map(|json| recovery_set(json).ok_or(())).transpose().ok()?,
        password_change: PasswordChange::from_word(json.password_change.as_deref())?,
        enrolment_barred: json.enrolment_barred,
    })
}

fn recovery_json(set: &RecoverySet) -> RecoveryJson {
    RecoveryJson {
        id: set.id.to_string(),
        made_at: set.made_at.as_i64(),
        tags: set.tags.iter().map(|tag| tag.map(|tag| HEXLOWER.encode(&tag))).collect(),
    }
}

fn recovery_set(json: RecoveryJson) -> Option<RecoverySet> {
    let optional_tag =
        |text: Option<String>| text.map(|text| tag(&text).ok_or(())).transpose().ok();
    Some(RecoverySet {
        id: id(&json.id)?,
        made_at: time(json.made_at)?,
        tags: json.tags.into_iter().map(optional_tag).collect::<Option<_>>()?,
    })
}

fn text(json: &impl Serialize) -> String {
    // Serialising can't fail: there are no map keys, only strings, numbers and lists.
    serde_json::to_string(json).unwrap_or_default()
}

fn id(text: &str) -> Option<Id> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Id::new)
}

fn tag(text: &str) -> Option<Tag> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn time(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix(seconds).ok()
}
