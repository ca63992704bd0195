//! What an operator tells a user to do with what gives their codes.

use crate::domain::code_source::CodeSource;

/// What to do after a used code.
pub const fn after_used(source: CodeSource) -> &'static str {
    match source {
        CodeSource::App | CodeSource::Token => "wait for the next one",
        CodeSource::Button => "press the button for the next one",
        CodeSource::YubiKey => "touch the YubiKey for the next one",
        CodeSource::Paper => "use another one of the list, and cross it out",
        CodeSource::Several => "use the next one",
    }
}

/// What to type in place of something that is no code.
pub const fn instruction(source: CodeSource) -> &'static str {
    match source {
        CodeSource::App => "type the digits that the app shows",
        CodeSource::Token | CodeSource::Button => "type the digits that the token shows",
        CodeSource::YubiKey => "touch the YubiKey, which types the code",
        CodeSource::Paper => "type the ten letters and digits of one code of the list",
        CodeSource::Several => "type the digits that the device shows, or touch the YubiKey",
    }
}
