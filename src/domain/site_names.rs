//! The forms in which a site's systems hand over names: `CORP\alice` from Windows, `alice@corp.example` from Kerberos
//! or RADIUS. What stands in the configuration is taken off; everything else is refused or part of the name.

use crate::domain::name::UserName;
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
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect();
        Self { domains: lower(domains), realms: lower(realms) }
    }

    /// Reads a name in any of the site's forms. A user who is stored by the whole typed name is still found by
    /// it.
    pub fn read(&self, typed: &str) -> Result<UserName, Refusal> {
        let without_domain = self.without_domain(typed);
        let bare = self.without_realm(without_domain);
        let mut name = UserName::parse(bare)?;
        if without_domain != bare
            && let Ok(whole) = UserName::parse(without_domain)
        {
            name = name.or_whole(&whole);
        }
        Ok(name)
    }

    /// Whether the stored name was found only because something was taken off what was typed.
    #[must_use]
    pub fn is_shortened(&self, typed: &str, stored: &UserName) -> bool {
        let is_whole = |whole: UserName| whole.spellings().any(|name| name == stored.as_str());
        self.without_realm(self.without_domain(typed)) != typed
            && !UserName::parse(typed).is_ok_and(is_whole)
    }

    /// Whether another program that took this prefix or suffix off a name, such as `CORP\` or `@corp.example`, did
    /// what the configuration says.
    #[must_use]
    pub fn may_take_off(&self, part: &str) -> bool {
        const SEPARATORS: [char; 4] = ['\\', '/', '@', '%'];
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
    !names.is_empty() && names.contains(&name.to_lowercase())
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
