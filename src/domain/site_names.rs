//! The forms in which a site's systems hand over names: `CORP\alice` from Windows, `alice@corp.example` from Kerberos
//! or RADIUS. What stands in the configuration is taken off; everything else is refused or part of the name.

use std::borrow::Cow;

use crate::domain::name::{LONGEST, UserName, comparable, half_width};
use crate::domain::refusal::Refusal;
use crate::domain::text::is_harmful;

/// The domains and realms that are taken off names.
#[derive(Clone, Debug, Default)]
pub struct SiteNames {
    domains: Vec<String>,
    realms: Vec<String>,
}

impl SiteNames {
    /// `domains` stand before a backslash, `realms` behind an @.
    #[must_use]
    pub fn new(domains: &[String], realms: &[String]) -> Self {
        let comparable = |names: &[String]| names.iter().map(|name| comparable(name)).collect();
        Self { domains: comparable(domains), realms: comparable(realms) }
    }

    /// Reads a name in any of the site's forms, in any spelling of its characters. A realm is taken off as often as it
    /// stands there, so that no name that was read can be read once more and be another one. A user who is stored by
    /// the whole typed name is still found by it.
    pub fn read(&self, typed: &str) -> Result<UserName, Refusal> {
        // No name is as long, however many realms stand behind it.
        let is_long = typed.len() > 4 * LONGEST;
        if is_long || self.domains.is_empty() && self.realms.is_empty() {
            return UserName::parse(typed);
        }
        let typed = half_width(typed);
        let whole = self.without_domain(&typed);
        let bare = self.without_realm(whole);
        if bare == whole {
            return UserName::parse(whole);
        }
        let name = self.read(bare)?;
        Ok(UserName::parse(whole)
            .map_or_else(|_| name.clone(), |whole| name.clone().or_whole(&whole)))
    }

    #[must_use]
    pub const fn takes_realms_off(&self) -> bool {
        !self.realms.is_empty()
    }

    /// The names under which this user may be stored with a realm. Where one of them is stored, the name itself is none
    /// for a new user: what is typed with the realm would mean both.
    #[must_use]
    pub fn with_realms(&self, name: &UserName) -> Vec<UserName> {
        let with = |realm| UserName::parse(&format!("{}@{realm}", name.as_str())).ok();
        self.realms.iter().filter_map(with).collect()
    }

    /// Whether the stored name was found only because something was taken off what was typed.
    #[must_use]
    pub fn is_shortened(&self, typed: &str, stored: &UserName) -> bool {
        let is_whole = |whole: UserName| whole.spellings().any(|name| name == stored.as_str());
        let half: Cow<'_, str> = half_width(typed);
        self.without_realm(self.without_domain(&half)) != half
            && !UserName::parse(typed).is_ok_and(is_whole)
    }

    /// Whether another program that took this prefix or suffix off a name, such as `CORP\` or `@corp.example`, did
    /// what the configuration says.
    #[must_use]
    pub fn may_take_off(&self, part: &str) -> bool {
        const SEPARATORS: [char; 4] = ['\\', '/', '@', '%'];
        let part = half_width(part);
        let after = part.strip_suffix(SEPARATORS).filter(|_| !part.starts_with(SEPARATORS));
        let before = part.strip_prefix(SEPARATORS).filter(|_| !part.ends_with(SEPARATORS));
        after.or(before).is_some_and(|name| has(&self.domains, name) || has(&self.realms, name))
    }

    fn without_domain<'t>(&self, typed: &'t str) -> &'t str {
        let parts = typed.split_once('\\').filter(|(domain, _)| has(&self.domains, domain));
        parts.map_or(typed, |(_, name)| name)
    }

    fn without_realm<'t>(&self, typed: &'t str) -> &'t str {
        let parts = typed.rsplit_once('@').filter(|(_, realm)| has(&self.realms, realm));
        parts.map_or(typed, |(name, _)| name)
    }
}

fn has(names: &[String], name: &str) -> bool {
    !names.is_empty() && names.contains(&comparable(name))
}

/// Checks a domain or a realm of the configuration, without its separator.
pub fn check(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        Err("is empty")
    } else if text.contains(['\\', '@']) {
        Err("is written without \\ and @")
    } else if text.chars().any(|c| is_harmful(c) || c.is_whitespace()) {
        Err("has a space or a control character")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> SiteNames {
        SiteNames::new(&["CORP".into()], &["corp.example".into(), "Söder.example".into()])
    }

    #[test]
    fn w5_the_forms_of_a_site_are_one_user() {
        for typed in [
            "alice",
            "CORP\\alice",
            "corp\\Alice",
            "alice@corp.example",
            "ALICE@CORP.EXAMPLE",
            "alice@söder.example",
            "Corp\\alice@corp.example",
        ] {
            assert_eq!(site().read(typed).unwrap().as_str(), "alice", "{typed}");
        }
        assert_eq!(site().read("o'brien@corp.example").unwrap().as_str(), "o'brien");
    }

    #[test]
    fn w5_other_domains_and_realms_stay_as_they_are() {
        for typed in [
            "OTHER\\alice",
            "\\alice",
            "CORP\\",
            "CORP\\CORP\\alice",
            "@corp.example",
            "CORP/alice",
        ] {
            assert!(site().read(typed).is_err(), "{typed}");
        }
        for typed in ["alice@other.example", "alice@sub.corp.example", "alice@corp.example@x"] {
            assert_eq!(site().read(typed).unwrap().as_str(), typed);
        }
        for typed in ["CORP\\alice", "alice@corp.example"] {
            let name = SiteNames::default().read(typed);
            assert!(name.is_err() || name.is_ok_and(|name| name.as_str() == typed), "{typed}");
        }
    }

    #[test]
    fn w5_no_spelling_of_a_realm_makes_another_user() {
        for typed in [
            "alice＠corp.example",
            "alice@ｃorp.example",
            "ＡＬＩＣＥ＠ＣＯＲＰ．ＥＸＡＭＰＬＥ",
            "alice@corp.example@corp.example",
            "alice@söder.example@CORP.example＠corp.example",
            "CORP＼alice",
            "ｃＯＲＰ\\alice",
            "alice@so\u{308}der.example",
        ] {
            assert_eq!(site().read(typed).unwrap().as_str(), "alice", "{typed}");
        }
        let name = site().read("gina@corp.example@corp.example").unwrap();
        assert_eq!(
            name.spellings().collect::<Vec<_>>(),
            ["gina@corp.example@corp.example", "gina@corp.example", "gina"]
        );
        let name = UserName::parse("alice").unwrap();
        let with: Vec<_> = site().with_realms(&name).iter().map(ToString::to_string).collect();
        assert_eq!(with, ["alice@corp.example", "alice@söder.example"]);
        assert!(SiteNames::default().with_realms(&name).is_empty());
        assert!(site().is_shortened("alice＠corp.example", &name));
        assert!(!site().is_shortened("ａlice", &name));
    }

    proptest::proptest! {
        #[test]
        fn w5_a_name_that_was_read_is_read_again_as_itself(
            typed in "(CORP[\\\\＼])?[a-zß＠@.σς\u{308}]{1,6}([@＠](corp|ｃorp|CORP|söder|so\u{308}der)[.．]example){0,3}",
        ) {
            if let Ok(name) = site().read(&typed) {
                let again = site().read(name.as_str());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&name), "{:?}", typed);
            }
        }
    }

    #[test]
    fn w5_whoever_is_stored_by_the_whole_name_is_found_first() {
        let name = site().read("CORP\\Alice@Corp.example").unwrap();
        assert_eq!(name.spellings().collect::<Vec<_>>(), ["alice@corp.example", "alice"]);
        let name = site().read("ΝΊΚΟΣ@corp.example").unwrap();
        assert_eq!(name.spellings().collect::<Vec<_>>(), ["νίκοσ", "νίκος"]);
        let error = site().read("OTHER\\alice").unwrap_err();
        assert!(error.hint.unwrap().to_string().contains("strip_domain"));
    }

    #[test]
    fn w5_only_configured_parts_may_be_taken_off() {
        for part in ["CORP\\", "corp\\", "@corp.example", "@CORP.example", "corp.example/", "%CORP"]
        {
            assert!(site().may_take_off(part), "{part}");
            assert!(!SiteNames::default().may_take_off(part), "{part}");
        }
        for part in [
            "",
            "@",
            "CORP",
            "corp.example",
            "@other.example",
            "@corp.example@",
            "\\CORP\\",
            "x@corp.example",
        ] {
            assert!(!site().may_take_off(part), "{part}");
        }
    }

    #[test]
    fn w5_a_domain_is_written_without_its_separator() {
        for bad in ["", " ", "CORP\\", "@corp.example", "a b", "a\u{202e}"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check("corp.example").is_ok());
    }
}
