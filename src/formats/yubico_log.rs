//! The log of Yubico's personalization tool in its layout "traditional": a line `LOGGING START` whenever the tool was
//! started, and one of 18 columns for each slot that was written.
//!
//! The columns (`yubikeylogger.cpp` of yubikey-personalization-gui): event, local time, slot, public id, private id, key,
//! access code before and after, three flags of the token identifier, digits, start of the counter, five flags. The local
//! time may itself have a comma, so the columns are counted from the end. No column has a serial.

use crate::domain::factor::totp::Algorithm;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::formats::fields::{counter, exactly, hex, hotp, model, modhex, number, secret, serial};
use crate::formats::lines::{columns, lines};
use crate::formats::tokens::Tokens;
use crate::formats::{PrivateId, ReadError, TokenKind, TokenPlace, TokenRecord};

const COLUMNS: usize = 18;
/// Columns after the local time.
const FIXED: usize = 16;

const START: &str = "LOGGING START";
const OTP: &str = "Yubico OTP";
const HOTP: &str = "OATH-HOTP";
/// Events that give no codes of ours: passwords, answers to challenges, changes without a key.
const OTHERS: [&str; 3] = ["Static Password", "Challenge-Response", "Configuration "];

/// Whether a file that begins with this line has this format.
pub fn begins(line: &str) -> bool {
    columns(line, ',').is_ok_and(|columns| {
        let event = columns[0];
        let is_event = event == OTP || event == HOTP || OTHERS.iter().any(|e| event.starts_with(e));
        columns.len() > 1 && (event == START || is_event)
    })
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    for (place, line) in lines(text)? {
        let columns = columns(line, ',');
        let is_start = |columns: &Vec<&str>| columns.len() > 1 && columns[0] == START;
        if !columns.as_ref().is_ok_and(is_start) {
            tokens.add(place, columns.and_then(|columns| token(place, &columns)))?;
        }
    }
    Ok(())
}

fn token(place: TokenPlace, columns: &[&str]) -> Result<Option<TokenRecord>, Refusal> {
    let event = columns[0];
    if columns.len() < COLUMNS {
        let problem = format!("has {} columns instead of {COLUMNS}", columns.len());
        return Err(Refusal::bad_input("line", problem));
    }
    let fixed = &columns[columns.len() - FIXED..];
    let (public_id, private_id, key) = (fixed[1], fixed[2], fixed[3]);
    let (digits, first_counter) = (fixed[9], fixed[10]);
    let record = match event {
        OTP => yubikey(place, None, public_id, private_id, key)?,
        HOTP => {
            let kind = hotp(Algorithm::Sha1, number("digits", digits)?, counter(first_counter)?)?;
            TokenRecord {
                place,
                serial: identifier(public_id)?,
                kind,
                secret: secret(hex("key", key)?)?,
                model: yubikey_model()?,
                user: None,
            }
        }
        _ if OTHERS.iter().any(|other| event.starts_with(other)) => return Ok(None),
        _ => return Err(Refusal::bad_input("event", "is unknown")),
    };
    Ok(Some(record))
}

/// A slot with Yubico OTP: its key is AES-128, and its private id has six bytes.
pub fn yubikey(
    place: TokenPlace,
    serial: Option<String>,
    public_id: &str,
    private_id: &str,
    key: &str,
) -> Result<TokenRecord, Refusal> {
    /// Bytes of the longest public id.
    const LONGEST: usize = 16;
    let public_id = modhex("public id", public_id)?.to_vec();
    if public_id.len() > LONGEST {
        return Err(Refusal::bad_input("public id", format!("is longer than {LONGEST} bytes")));
    }
    let private_id = PrivateId::new(exactly("private id", &hex("private id", private_id)?)?);
    let key = hex("key", key)?;
    exactly::<16>("key", &key)?;
    Ok(TokenRecord {
        place,
        serial,
        kind: TokenKind::Yubikey { public_id, private_id },
        secret: Secret::new(key),
        model: yubikey_model()?,
        user: None,
    })
}

/// The OATH token identifier, which a slot with HOTP may have instead of a public id and types before each code. It is
/// unique among all tokens, and so stands for a serial.
pub fn identifier(text: &str) -> Result<Option<String>, Refusal> {
    if text.is_empty() { Ok(None) } else { serial(text).map(Some) }
}

pub fn yubikey_model() -> Result<Option<String>, Refusal> {
    model(&[Some("YubiKey")])
}
