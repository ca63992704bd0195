//! The files in which makers of tokens and other servers hand over keys: one file here for each format.
//!
//! A reader is a pure function of bytes. It hands each token to a visitor as soon as it has read it, so that a file of
//! 100,000 tokens takes no more memory than its bytes and its serials. So the visitor gets tokens before the rest of the
//! file is known to be good: a caller that adds them must take all of them back when [`read`] fails. An entry that is no
//! good by itself, such as a line with an unknown type, is handed over as its refusal, and reading goes on.
//!
//! What stands in a file is repeated in no error, because a column in the wrong place may be a key.

mod encoding;
mod entra;
mod fields;
mod lines;
mod oath_csv;
mod phenixid;
mod pskc;
mod safenet;
mod tokens;
mod xml;
mod yubico_log;
mod yubico_table;

#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::Zeroizing;

use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::secret_strength;
pub use crate::domain::secret_strength::Weakness;
use crate::formats::tokens::Tokens;

/// What errors call the file.
pub const FIELD: &str = "FILE";

/// A token as a file describes it.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    pub place: TokenPlace,
    /// As it is in the file; `None` where the file has none.
    pub serial: Option<String>,
    pub kind: TokenKind,
    /// The key of a YubiKey is its AES key.
    pub secret: Secret,
    /// Manufacturer and model, as far as the file names them.
    pub model: Option<String>,
    /// Whom the file gives the token to.
    pub user: Option<String>,
}

impl TokenRecord {
    /// What is weak about the secret.
    #[must_use]
    pub fn weakness(&self) -> Option<Weakness> {
        secret_strength::weakness(self.secret.expose())
    }
}

/// The kind of a token, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Time-based codes (RFC 6238).
    Totp(Parameters),
    /// Counter-based codes (RFC 4226).
    Hotp {
        algorithm: Algorithm,
        digits: u8,
        /// The next counter to be used.
        counter: u64,
    },
    /// Yubico OTP.
    Yubikey {
        /// What comes before each code; empty where the key has none.
        public_id: Vec<u8>,
        private_id: PrivateId,
    },
}

/// What a YubiKey says under encryption to show which key it is. Wiped when dropped; can't be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateId(Zeroizing<[u8; PrivateId::LENGTH]>);

impl PrivateId {
    /// Length in bytes.
    pub const LENGTH: usize = 6;

    #[must_use]
    pub fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the seal and for comparing them with a code.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for PrivateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateId(..)")
    }
}

/// Where a token is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// The number of a line of text, from 1.
    Line(u64),
    /// The number of a token in XML, from 1.
    Package(u64),
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Package(number) => write!(f, "package {number}"),
        }
    }
}

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// Portable Symmetric Key Container (RFC 6030).
    Pskc,
    /// The log of Yubico's personalization tool, in its "traditional" layout.
    YubicoLog,
    /// The same in its "Yubico format".
    YubicoTable,
    /// A line for each token, of serial, key in hex, type, digits and period or counter, as privacyIDEA, LinOTP,
    /// FreeIPA and vendors write it.
    OathCsv,
    /// The table that Microsoft Entra ID takes.
    EntraCsv,
    /// The table that PhenixID takes.
    PhenixId,
    /// SafeNet's (formerly Aladdin's) XML.
    SafeNet,
}

impl TokenFormat {
    pub const ALL: [Self; 7] = [
        Self::Pskc,
        Self::YubicoLog,
        Self::YubicoTable,
        Self::OathCsv,
        Self::EntraCsv,
        Self::PhenixId,
        Self::SafeNet,
    ];

    /// The word for it in documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pskc => "pskc",
            Self::YubicoLog => "yubico-log",
            Self::YubicoTable => "yubico-table",
            Self::OathCsv => "oath-csv",
            Self::EntraCsv => "entra-csv",
            Self::PhenixId => "phenixid",
            Self::SafeNet => "safenet",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pskc => "PSKC (RFC 6030)",
            Self::YubicoLog => "Yubico's traditional log",
            Self::YubicoTable => "Yubico's own CSV",
            Self::OathCsv => "OATH CSV (privacyIDEA, FreeIPA)",
            Self::EntraCsv => "Entra's CSV",
            Self::PhenixId => "PhenixID's CSV",
            Self::SafeNet => "SafeNet's XML",
        }
    }
}

/// What a file is encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyNeeded {
    /// A passphrase, from which the key is derived.
    Passphrase,
    /// A key that was agreed on beforehand.
    PresharedKey,
}

impl KeyNeeded {
    /// The noun for questions and errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::PresharedKey => "pre-shared key",
        }
    }
}

/// What the caller has for an encrypted file. A file that is not encrypted is read with any of them.
pub enum DecryptionKey {
    None,
    Passphrase(Zeroizing<Vec<u8>>),
    /// The bytes of the key: 16, 24 or 32.
    Preshared(Zeroizing<Vec<u8>>),
}

/// Why reading ended before the end of the file.
#[derive(Debug)]
pub enum ReadError {
    /// The file is not accepted. Nothing of it may be kept.
    Refused(Refusal),
    /// The file is encrypted, and what was handed over is not what it needs.
    NeedsKey(KeyNeeded),
    /// The visitor's own error.
    Visitor(anyhow::Error),
}

impl From<Refusal> for ReadError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How many tokens a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Those that the visitor got.
    pub read: u64,
    /// Entries of which it got the refusal.
    pub bad: u64,
    /// Entries without a token of a kind that gives codes, such as a YubiKey's static password.
    pub passed_over: u64,
    /// The first of the latter.
    pub first_passed_over: Option<TokenPlace>,
}

/// The format of a file, by its content.
pub fn recognise(bytes: &[u8]) -> Result<TokenFormat, Refusal> {
    let text = encoding::decode(bytes)?;
    let found = if text.trim_start().starts_with('<') {
        if pskc::is_pskc(text)? {
            Some(TokenFormat::Pskc)
        } else {
            safenet::is_safenet(text)?.then_some(TokenFormat::SafeNet)
        }
    } else {
        lines::first(text).and_then(recognised_by)
    };
    found.ok_or_else(unknown)
}

/// The format of a file of lines, by the first that is no comment.
fn recognised_by(line: &str) -> Option<TokenFormat> {
    match line {
        line if yubico_log::begins(line) => Some(TokenFormat::YubicoLog),
        line if yubico_table::begins(line) => Some(TokenFormat::YubicoTable),
        line if entra::begins(line) => Some(TokenFormat::EntraCsv),
        line if phenixid::begins(line) => Some(TokenFormat::PhenixId),
        line if oath_csv::begins(line) => Some(TokenFormat::OathCsv),
        _ => None,
    }
}

/// What a file is encrypted with; `None` if it is not encrypted, or not readable anyway.
#[must_use]
pub fn needs(bytes: &[u8]) -> Option<KeyNeeded> {
    match recognise(bytes) {
        Ok(TokenFormat::Pskc) => pskc::needs(encoding::decode(bytes).ok()?),
        _ => None,
    }
}

/// An entry of a file that is no token, though it should be one.
#[derive(Debug)]
pub struct BadEntry {
    pub place: TokenPlace,
    /// Without the place.
    pub refusal: Refusal,
}

/// Takes the entries of a file.
pub type Visitor<'v> = dyn FnMut(Result<TokenRecord, BadEntry>) -> anyhow::Result<()> + 'v;

/// Reads the tokens of a file in its order. An entry in doubt is handed over as a refusal. A serial that comes twice is
/// handed over twice: whoever adds the tokens refuses it. A file that is cut off, was altered, is of another format or has
/// no entry is refused.
pub fn read(
    bytes: &[u8],
    format: TokenFormat,
    key: &DecryptionKey,
    visit: &mut Visitor<'_>,
) -> Result<TokenCount, ReadError> {
    let text = encoding::decode(bytes)?;
    let mut tokens = Tokens::new(visit);
    let result = match format {
        TokenFormat::Pskc => pskc::read(text, key, &mut tokens),
        TokenFormat::YubicoLog => yubico_log::read(text, &mut tokens),
        TokenFormat::YubicoTable => yubico_table::read(text, &mut tokens),
        TokenFormat::OathCsv => oath_csv::read(text, &mut tokens),
        TokenFormat::EntraCsv => entra::read(text, &mut tokens),
        TokenFormat::PhenixId => phenixid::read(text, &mut tokens),
        TokenFormat::SafeNet => safenet::read(text, &mut tokens),
    };
    match result {
        Ok(()) => Ok(tokens.counted()?),
        Err(ReadError::Refused(refusal)) => Err(in_file(refusal).into()),
        Err(error) => Err(error),
    }
}

/// A refusal of the whole file, which begins with the file and says what to do.
fn in_file(mut refusal: Refusal) -> Refusal {
    if refusal.context.is_none() && refusal.field.as_deref() != Some(FIELD) {
        refusal = refusal.within(FIELD);
    }
    match refusal.hint {
        Some(_) => refusal,
        None => refusal.hint("export the tokens in another way, or ask whoever made the file"),
    }
}

fn unknown() -> Refusal {
    let names = TokenFormat::ALL.map(TokenFormat::name).join(", ");
    Refusal::bad_input(FIELD, "is not a list of tokens that mfactl knows")
        .hint(format!("it reads {names}; export the tokens in one of these"))
}
