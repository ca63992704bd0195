//! Which kinds of devices are strong: only a device of such a kind meets the requirement for MFA.

use std::borrow::Cow;

use crate::domain::name::is_same_group;
use crate::domain::text::quoted;

/// Every kind of device, by its word.
pub const KINDS: [&str; 5] = ["totp", "hotp", "yubikey", "paper", "external"];

/// The strong kinds unless the configuration names others. A printed list can be copied, and a device that is only
/// noted was never proved here.
const DEFAULT: [&str; 3] = ["totp", "hotp", "yubikey"];

/// The kinds that are strong, for everybody and by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrongKinds {
    /// For users in none of the groups below.
    pub for_all: Vec<&'static str>,
    /// The members of such a group need a kind of its list, and no other list counts for them; in several such groups,
    /// a kind that is in each list.
    pub by_group: Vec<(String, Vec<&'static str>)>,
}

impl Default for StrongKinds {
    fn default() -> Self {
        Self { for_all: DEFAULT.to_vec(), by_group: Vec::new() }
    }
}

impl StrongKinds {
    /// The kinds that are strong for a user in these groups.
    #[must_use]
    pub fn of_groups(&self, groups: &[String]) -> Cow<'_, [&'static str]> {
        let is_in = |named: &str| groups.iter().any(|group| is_same_group(group, named));
        let mut lists = self.by_group.iter().filter(|(named, _)| is_in(named));
        let Some((_, first)) = lists.next() else { return Cow::Borrowed(&self.for_all) };
        let mut kinds = Cow::Borrowed(first.as_slice());
        for (_, list) in lists {
            kinds = kinds.iter().copied().filter(|kind| list.contains(kind)).collect();
        }
        kinds
    }

    /// Whether this group has a list of its own, under any spelling.
    #[must_use]
    pub fn names_group(&self, group: &str) -> bool {
        self.by_group.iter().any(|(named, _)| is_same_group(named, group))
    }
}

/// A list of kinds, such as the configuration has, or what is wrong with it.
pub fn kinds(words: &[String]) -> Result<Vec<&'static str>, String> {
    if words.is_empty() {
        return Err(format!("names no kind; name {}", one_of()));
    }
    let mut kinds = Vec::new();
    for word in words {
        let Some(kind) = KINDS.into_iter().find(|kind| kind == word) else {
            let meant = word.trim().to_ascii_lowercase();
            return Err(match KINDS.into_iter().find(|kind| *kind == meant) {
                Some(kind) => format!("{} is not a kind; write {kind}", quoted(word)),
                None => format!("{} is not a kind; name {}", quoted(word), one_of()),
            });
        };
        if kinds.contains(&kind) {
            return Err(format!("names {kind} twice"));
        }
        kinds.push(kind);
    }
    Ok(kinds)
}

fn one_of() -> String {
    let [most @ .., last] = KINDS;
    format!("{} or {last}", most.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::factor::Factor;
    use crate::domain::factor::totp::Parameters;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn everything_but_paper_and_notes_is_strong_unless_said_otherwise() {
        let default = StrongKinds::default();
        assert_eq!(*default.of_groups(&[]), DEFAULT);
        assert_eq!(*default.of_groups(&words(&["admins"])), DEFAULT);
        let weak: Vec<_> = KINDS.into_iter().filter(|kind| !DEFAULT.contains(kind)).collect();
        assert_eq!(weak, ["paper", "external"]);
        assert!(DEFAULT.contains(&Factor::Totp(Parameters::COMMON).kind()));
    }

    #[test]
    fn the_list_of_a_group_counts_alone_and_of_several_groups_what_is_in_each() {
        let strong = StrongKinds {
            for_all: vec!["totp"],
            by_group: vec![
                ("admins".to_owned(), vec!["hotp", "yubikey"]),
                ("vault".to_owned(), vec!["yubikey", "external"]),
                ("kiosk".to_owned(), vec!["paper"]),
                ("weiss".to_owned(), vec!["external"]),
            ],
        };
        for (groups, kinds) in [
            (&[][..], &["totp"][..]),
            (&["staff"], &["totp"]),
            (&["admins", "staff"], &["hotp", "yubikey"]),
            (&["weiß"], &["external"]),
            (&["vault", "admins"], &["yubikey"]),
            (&["kiosk"], &["paper"]),
            (&["kiosk", "vault"], &[]),
        ] {
            assert_eq!(*strong.of_groups(&words(groups)), *kinds, "{groups:?}");
        }
        assert!(strong.names_group("weiß") && !strong.names_group("staff"));
    }

    #[test]
    fn a_list_names_each_kind_once_and_in_small_letters() {
        assert_eq!(kinds(&words(&["paper", "totp"])).unwrap(), ["paper", "totp"]);
        let all = "totp, hotp, yubikey, paper or external";
        for (list, problem) in [
            (&[][..], format!("names no kind; name {all}")),
            (&["sms"], format!("\"sms\" is not a kind; name {all}")),
            (&["totp", ""], format!("\"\" is not a kind; name {all}")),
            (&["YubiKey"], "\"YubiKey\" is not a kind; write yubikey".to_owned()),
            (&["totp "], "\"totp \" is not a kind; write totp".to_owned()),
            (&["totp", "hotp", "totp"], "names totp twice".to_owned()),
        ] {
            assert_eq!(kinds(&words(list)).unwrap_err(), problem);
        }
    }
}
