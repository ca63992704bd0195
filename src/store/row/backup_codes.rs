//! Recovery codes and a bypass code, each as JSON in one column, so that an auditor can query them with SQL.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::bypass::BypassCode;
use crate::domain::recovery::{RecoverySet, Tag};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryJson {
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

pub fn recovery_json(set: &RecoverySet) -> RecoveryJson {
    RecoveryJson {
        id: set.id.to_string(),
        made_at: set.made_at.as_i64(),
        tags: set.tags.iter().map(|tag| tag.map(|tag| HEXLOWER.encode(&tag))).collect(),
    }
}

pub fn recovery_set(json: RecoveryJson) -> Option<RecoverySet> {
    let optional_tag =
        |text: Option<String>| text.map(|text| tag(&text).ok_or(())).transpose().ok();
    Some(RecoverySet {
        id: id(&json.id)?,
        made_at: time(json.made_at)?,
        tags: json.tags.into_iter().map(optional_tag).collect::<Option<_>>()?,
    })
}

pub fn text(json: &impl Serialize) -> String {
    // Serialising can't fail: there are no map keys, only strings, numbers and lists.
    serde_json::to_string(json).unwrap_or_default()
}

pub fn id(text: &str) -> Option<Id> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Id::new)
}

fn tag(text: &str) -> Option<Tag> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

pub fn time(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix(seconds).ok()
}
