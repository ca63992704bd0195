//! Which of a user's changes were taken back later, told by the events of `undo`.

use serde_json::Value;

use crate::commands::find_verb;
use crate::domain::time::Timestamp;

/// The changes that the `undo` events seen so far took back, while a log is read from its end.
#[derive(Default)]
pub struct TakenBack {
    /// The verb of each, and the times at which its event may be.
    named: Vec<(String, Vec<Timestamp>)>,
    /// By events of a version that did not say what they took back: the next older change.
    unnamed: u32,
}

impl TakenBack {
    /// Adds an `undo` event with this detail.
    pub fn add(&mut self, detail: Option<&str>) {
        let detail: Value =
            detail.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        // A reset that waits for the first code of the new device has its event when it begins.
        let times = ["undone_at", "begun_at"].map(|field| detail[field].as_str());
        let times = times.into_iter().flatten();
        let times: Vec<_> = times.filter_map(|at| Timestamp::parse("at", at).ok()).collect();
        match detail["undone"].as_str() {
            Some(verb) if !times.is_empty() => self.named.push((verb.to_owned(), times)),
            _ => self.unnamed += 1,
        }
    }

    /// Whether the next older event was taken back. Each `undo` takes back one.
    pub fn has(&mut self, verb: &str, at: Timestamp) -> bool {
        let is_named =
            |(undone, times): &(String, Vec<Timestamp>)| undone == verb && times.contains(&at);
        if let Some(index) = self.named.iter().position(is_named) {
            self.named.remove(index);
            return true;
        }
        let is_next = self.unnamed > 0 && find_verb(verb).is_some_and(|spec| spec.undo.is_some());
        self.unnamed -= u32::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    fn undo_of(verb: &str, times: [i64; 2]) -> String {
        let [undone_at, begun_at] = times.map(|seconds| at(seconds).to_string());
        serde_json::json!({ "undone": verb, "undone_at": undone_at, "begun_at": begun_at })
            .to_string()
    }

    #[test]
    fn an_undo_is_paired_with_the_change_that_it_names() {
        let mut taken_back = TakenBack::default();
        taken_back.add(Some(&undo_of("reset", [500, 200])));
        assert!(!taken_back.has("delete", at(400)), "a newer change that stands");
        assert!(!taken_back.has("reset", at(300)), "another reset");
        assert!(taken_back.has("reset", at(200)), "when it began");
        assert!(!taken_back.has("reset", at(200)), "it took back one");
    }

    #[test]
    fn an_undo_of_an_earlier_version_took_back_the_next_older_change() {
        let mut taken_back = TakenBack::default();
        taken_back.add(Some(r#"{"devices":["phone"]}"#));
        assert!(!taken_back.has("enable", at(3)));
        assert!(taken_back.has("disable", at(2)));
        assert!(!taken_back.has("disable", at(1)));
    }
}
