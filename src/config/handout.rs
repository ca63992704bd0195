//! `[site]` and `[handout]`: what the people of a site read.

use std::path::PathBuf;

use super::{file, in_config};
use crate::domain::paper_size::PaperSize;
use crate::domain::profile;
use crate::domain::refusal::Refusal;
use crate::domain::text::prose_line;
use crate::domain::user::{Language, User};

/// Longest contact, in characters: it has to stand in one paragraph of a handout.
const LONGEST_CONTACT: usize = 200;

/// What login services answer in, and whom users ask.
#[derive(Debug)]
pub struct Site {
    /// Never a user's own: an answer in it would tell a stranger that the name exists.
    pub language: Language,
    /// Where users find the helpdesk.
    pub contact: Option<String>,
}

/// How handouts are made.
#[derive(Debug)]
pub struct HandoutSettings {
    /// The folder with the site's own templates.
    pub templates: Option<PathBuf>,
    pub paper: PaperSize,
    /// Whether a handout with a secret may be sent by mail.
    pub mail_secrets: bool,
}

impl Site {
    /// The language of what somebody reads: the one that is asked for, else their own, else the site's. Give no user
    /// where the answer must not tell that there is one.
    #[must_use]
    pub fn language_for(&self, wanted: Option<Language>, user: Option<&User>) -> Language {
        wanted.or_else(|| user?.profile.language).unwrap_or(self.language)
    }
}

pub fn site(section: file::SiteSection) -> Result<Site, Refusal> {
    let key = "site.language";
    let language = section.language.map(|code| profile::language(key, &code)).transpose();
    let key_of_contact = "site.contact";
    let contact = section.contact.map(|text| prose_line(key_of_contact, &text, LONGEST_CONTACT));
    Ok(Site {
        language: language.map_err(|e| in_config(key, e))?.unwrap_or(Language::English),
        contact: contact.transpose().map_err(|e| in_config(key_of_contact, e.unquoted()))?,
    })
}

pub fn handout(section: file::HandoutSection) -> Result<HandoutSettings, Refusal> {
    let key = "handout.templates";
    if let Some(folder) = &section.templates
        && !folder.is_absolute()
    {
        let hint = "write the whole path, such as /etc/mfactl/handout";
        return Err(Refusal::config(key, "is not an absolute path").hint(hint));
    }
    let paper = match section.paper.as_deref() {
        None | Some("a4") => PaperSize::A4,
        Some("letter") => PaperSize::Letter,
        Some(_) => return Err(Refusal::config("handout.paper", "is neither a4 nor letter")),
    };
    let mail_secrets = section.mail_secrets.unwrap_or(false);
    Ok(HandoutSettings { templates: section.templates, paper, mail_secrets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::alice;

    #[test]
    fn what_is_asked_for_comes_before_the_users_language_and_that_before_the_sites() {
        use Language::{English, French};
        let site = |language| Site { language, contact: None };
        let mut user = alice();
        assert_eq!(site(French).language_for(None, Some(&user)), French);
        assert_eq!(site(English).language_for(None, None), English);
        user.profile.language = Some(French);
        assert_eq!(site(English).language_for(None, Some(&user)), French);
        assert_eq!(site(English).language_for(None, None), English, "nobody is known yet");
        assert_eq!(site(English).language_for(Some(English), Some(&user)), English);
        assert_eq!(site(English).language_for(Some(French), None), French);
    }
}
