//! How a user is asked for a code, by what gives it.

use crate::domain::code_source::CodeSource;
use crate::texts::{Text, Texts};

impl Texts {
    /// The question for a code.
    #[must_use]
    pub fn code_question(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::AppQuestion,
            CodeSource::Token => Text::TokenQuestion,
            CodeSource::Button => Text::ButtonQuestion,
            CodeSource::YubiKey => Text::YubiKeyQuestion,
            CodeSource::Paper => Text::PaperQuestion,
            CodeSource::Several => Text::SeveralQuestion,
        })
    }

    /// The question for the code after that one.
    #[must_use]
    pub fn next_code_question(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::AppNext,
            CodeSource::Token => Text::TokenNext,
            CodeSource::Button => Text::ButtonNext,
            CodeSource::YubiKey => Text::YubiKeyNext,
            CodeSource::Paper => Text::PaperNext,
            CodeSource::Several => Text::SeveralNext,
        })
    }

    /// How the next code comes.
    #[must_use]
    pub fn next_code_wait(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::AppWait,
            CodeSource::Token => Text::TokenWait,
            CodeSource::Button => Text::ButtonWait,
            CodeSource::YubiKey => Text::YubiKeyWait,
            CodeSource::Paper => Text::PaperWait,
            CodeSource::Several => Text::SeveralWait,
        })
    }

    /// What to do after a used code.
    #[must_use]
    pub fn after_used_code(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::AppAfterUsed,
            CodeSource::Token => Text::TokenAfterUsed,
            CodeSource::Button => Text::ButtonAfterUsed,
            CodeSource::YubiKey => Text::YubiKeyAfterUsed,
            CodeSource::Paper => Text::PaperAfterUsed,
            CodeSource::Several => Text::SeveralAfterUsed,
        })
    }

    /// What to type in place of something that is no code.
    #[must_use]
    pub fn code_form(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::AppForm,
            CodeSource::Token => Text::TokenForm,
            CodeSource::Button => Text::ButtonForm,
            CodeSource::YubiKey => Text::YubiKeyForm,
            CodeSource::Paper => Text::PaperForm,
            CodeSource::Several => Text::SeveralForm,
        })
    }

    /// What a device is, in a list.
    #[must_use]
    pub fn device_kind(self, source: CodeSource) -> &'static str {
        self.text(match source {
            CodeSource::App => Text::App,
            CodeSource::Token => Text::Token,
            CodeSource::Button => Text::ButtonToken,
            CodeSource::YubiKey => Text::YubiKey,
            CodeSource::Paper => Text::PaperList,
            CodeSource::Several => Text::OtherDevice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_app_is_called_an_app() {
        use CodeSource::{App, Button, Paper, Several, Token, YubiKey};
        let words = |source| {
            let texts = Texts::FOR_OPERATORS;
            [
                texts.code_question(source),
                texts.next_code_question(source),
                texts.next_code_wait(source),
                texts.after_used_code(source),
                texts.code_form(source),
                texts.device_kind(source),
            ]
        };
        for source in [Token, Button, YubiKey, Paper, Several] {
            assert!(words(source).iter().all(|words| !words.contains("app")), "{source:?}");
        }
        assert!(words(App)[0].contains("app"));
    }
}
