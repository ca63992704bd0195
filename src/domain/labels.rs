//! Which label a device gets: no two devices of a user that are not revoked share one.

use crate::domain::device::Device;
use crate::domain::name::Label;
use crate::domain::secret::Id;

/// The label that a device gets beside the others: the wanted one, or if another device has that, one such as
/// `phone-2`.
#[must_use]
pub fn free_label(devices: &[Device], device: Id, wanted: &Label) -> Label {
    let is_taken = |label: &Label| {
        devices.iter().any(|d| d.id != device && d.is_live() && d.label.is_same(label))
    };
    if !is_taken(wanted) {
        return wanted.clone();
    }
    let mut labels = (2..).map(|number| wanted.numbered(number));
    labels.find(|label| !is_taken(label)).unwrap_or_else(|| wanted.clone())
}

/// The label that a device takes over when it is confirmed and replaces these: that of the one beside which it got a
/// number. `None` if it keeps its own.
#[must_use]
pub fn label_once_confirmed(devices: &[Device], device: &Device, replaces: &[Id]) -> Option<Label> {
    let goes = |d: &Device| d.id == device.id || replaces.contains(&d.id);
    let is_numbered = |label: &Label| {
        // Each number that is left out belongs to another device.
        let most = u32::try_from(devices.len() + 2).unwrap_or(u32::MAX);
        (2..=most).any(|number| label.numbered(number) == device.label)
    };
    let is_free =
        |label: &Label| devices.iter().all(|d| goes(d) || !d.is_live() || !d.label.is_same(label));
    let old = devices.iter().filter(|d| replaces.contains(&d.id)).map(|d| &d.label);
    old.filter(|label| is_numbered(label)).find(|label| is_free(label)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_a_person_takes_for_one_are_the_same() {
        let label = |text| Label::parse(text).unwrap();
        for (one, other, is_same) in [
            ("phone", "Phone", true),
            ("Téléphone", "TÉLÉPHONE", true),
            ("ΚΙΝΗΤΌΣ", "κινητός", true),
            ("ﬁ", "FI", true),
            ("ﬁ", "fi", true),
            ("ｐhone", "Phone", true),
            ("Straße", "STRASSE", true),
            ("ſ", "S", true),
            ("کتاب\u{200c}ها", "کتابها", true),
            ("phone", "phone-2", false),
            ("phone", "phoné", false),
        ] {
            assert_eq!(label(one).is_same(&label(other)), is_same, "{one} {other}");
        }
    }
}
