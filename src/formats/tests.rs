//! Every format by its samples, and every bad input.

mod bad_lines;
mod bad_pskc;
mod samples;

use zeroize::Zeroizing;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::formats::tokens::at;
use crate::formats::{
    BadEntry, DecryptionKey, ReadError, TokenCount, TokenFormat, TokenRecord, needs, read,
    recognise,
};

pub const PSKC: &str = include_str!("../../tests/samples/tokens/pskc-plain.xml");
pub const PSKC_PASSPHRASE: &str = include_str!("../../tests/samples/tokens/pskc-passphrase.xml");
pub const PSKC_KEY: &str = include_str!("../../tests/samples/tokens/pskc-preshared-key.xml");
pub const YUBICO_LOG: &str = include_str!("../../tests/samples/tokens/yubico-log.csv");
pub const YUBICO_TABLE: &str = include_str!("../../tests/samples/tokens/yubico-table.csv");
pub const PRIVACYIDEA: &str = include_str!("../../tests/samples/tokens/privacyidea.csv");
pub const FREEIPA: &str = include_str!("../../tests/samples/tokens/freeipa.csv");
pub const PHENIXID: &str = include_str!("../../tests/samples/tokens/phenixid.csv");
pub const ENTRA: &str = include_str!("../../tests/samples/tokens/entra.csv");
pub const SAFENET: &str = include_str!("../../tests/samples/tokens/safenet.xml");

/// Every sample with its format.
pub const SAMPLES: [(&str, TokenFormat); 10] = [
    (PSKC, TokenFormat::Pskc),
    (PSKC_PASSPHRASE, TokenFormat::Pskc),
    (PSKC_KEY, TokenFormat::Pskc),
    (YUBICO_LOG, TokenFormat::YubicoLog),
    (YUBICO_TABLE, TokenFormat::YubicoTable),
    (PRIVACYIDEA, TokenFormat::OathCsv),
    (FREEIPA, TokenFormat::OathCsv),
    (PHENIXID, TokenFormat::PhenixId),
    (ENTRA, TokenFormat::EntraCsv),
    (SAFENET, TokenFormat::SafeNet),
];

pub fn passphrase(text: &str) -> DecryptionKey {
    DecryptionKey::Passphrase(Zeroizing::new(text.as_bytes().to_vec()))
}

pub fn preshared(bytes: &[u8]) -> DecryptionKey {
    DecryptionKey::Preshared(Zeroizing::new(bytes.to_vec()))
}

/// The pre-shared key of the sample.
pub const SHARED: [u8; 16] = *b"\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12";

/// What the sample needs.
pub fn key_of(text: &str) -> DecryptionKey {
    match needs(text.as_bytes()) {
        Some(crate::formats::KeyNeeded::Passphrase) => passphrase("sample-passphrase"),
        Some(crate::formats::KeyNeeded::PresharedKey) => preshared(&SHARED),
        None => DecryptionKey::None,
    }
}

pub fn all(bytes: &[u8], key: &DecryptionKey) -> Result<(Vec<TokenRecord>, TokenCount), ReadError> {
    strict(bytes, recognise(bytes)?, key)
}

/// The same in a format, and with a refusal for the first entry that is no good.
pub fn strict(
    bytes: &[u8],
    format: TokenFormat,
    key: &DecryptionKey,
) -> Result<(Vec<TokenRecord>, TokenCount), ReadError> {
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    let count = read(bytes, format, key, &mut |record| {
        match record {
            Ok(record) => records.push(record),
            Err(entry) => bad.push(at(entry.place, entry.refusal)),
        }
        Ok(())
    })?;
    assert_eq!((count.read, count.bad), (records.len() as u64, bad.len() as u64));
    match bad.into_iter().next() {
        Some(refusal) => Err(refusal.into()),
        None => Ok((records, count)),
    }
}

/// The tokens of a text that is accepted.
pub fn accepted(text: &str) -> Vec<TokenRecord> {
    all(text.as_bytes(), &key_of(text)).unwrap().0
}

/// Why bytes are refused. Every refusal says what to do, and repeats no long word of the file.
pub fn refused_bytes(bytes: &[u8], key: &DecryptionKey) -> String {
    let refusal: Refusal = match all(bytes, key) {
        Err(ReadError::Refused(refusal)) => refusal,
        Err(error) => panic!("another error: {error:?}"),
        Ok((records, _)) => panic!("accepted: {records:?}"),
    };
    assert_eq!(refusal.code, ErrorCode::BadInput);
    assert!(refusal.hint.is_some(), "no hint: {refusal}");
    assert!(refusal.quotation.is_none(), "quotes: {refusal}");
    let message = refusal.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

pub fn refused(text: &str) -> String {
    refused_bytes(text.as_bytes(), &key_of(text))
}

/// That a change of a good text is refused for a reason; the text alone is accepted.
pub fn refused_with(text: &str, from: &str, to: &str, reason: &str) {
    assert!(text.contains(from), "{from:?} is not in the sample");
    accepted(text);
    let message = refused(&text.replacen(from, to, 1));
    assert!(message.contains(reason), "{from:?} -> {to:?}: {message:?}, not {reason:?}");
}
