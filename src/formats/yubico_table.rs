//! The log of Yubico's personalization tool in its layout "Yubico format", which Yubico also delivers with programmed
//! keys: serial, public id, private id, key, access code, time, and a comma at the end.
//!
//! The third column says what the slot does: twelve hex digits are the private id of Yubico OTP, another number is the
//! first counter of OATH-HOTP, and nothing is a static password. A slot for HMAC challenges is written as HOTP is, with
//! counter 0, so it is read as such a token. The layout has no digits: six are assumed, which is the tool's own setting.

use crate::domain::factor::totp::Algorithm;
use crate::domain::refusal::Refusal;
use crate::formats::fields::{USUAL_DIGITS, counter, hex, hotp, secret, serial};
use crate::formats::lines::{columns, lines};
use crate::formats::tokens::Tokens;
use crate::formats::yubico_log::{identifier, yubikey, yubikey_model};
use crate::formats::{ReadError, TokenPlace, TokenRecord};

/// Hex digits of a private id. No counter is as long.
const PRIVATE_ID: usize = 12;
/// The highest counter that a YubiKey can start with: 65,535 times 16. More is a private id that lacks digits.
const HIGHEST_START: u64 = 1_048_560;

/// Whether a file that begins with this line has this format.
pub fn begins(line: &str) -> bool {
    let Ok(columns) = columns(line, ',') else { return false };
    matches!(columns.len(), 6 | 7) && is_time(columns[5])
}

/// Whether this is a time as in `2024-01-02T03:04:05`.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *form,
        })
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    for (place, line) in lines(text)? {
        tokens.add(place, columns(line, ',').and_then(|columns| token(place, &columns)))?;
    }
    Ok(())
}

fn token(place: TokenPlace, columns: &[&str]) -> Result<Option<TokenRecord>, Refusal> {
    let [number, public_id, what, key, _access_code, time, rest @ ..] = columns else {
        return Err(columns_wrong(columns));
    };
    if !is_time(time) || rest.len() > 1 || rest.iter().any(|rest| !rest.is_empty()) {
        return Err(columns_wrong(columns));
    }
    let number = if number.is_empty() { None } else { Some(serial(number)?) };
    if what.is_empty() {
        return Ok(None);
    }
    if what.len() == PRIVATE_ID {
        return yubikey(place, number, public_id, what, key).map(Some);
    }
    let first = counter(what)?;
    if first > HIGHEST_START {
        let problem = format!("is neither 12 hex digits nor a counter up to {HIGHEST_START}");
        return Err(Refusal::bad_input("private id", problem));
    }
    let kind = hotp(Algorithm::Sha1, USUAL_DIGITS, first)?;
    let serial = match number {
        Some(number) => Some(number),
        None => identifier(public_id)?,
    };
    let secret = secret(hex("key", key)?)?;
    Ok(Some(TokenRecord { place, serial, kind, secret, model: yubikey_model()?, user: None }))
}

fn columns_wrong(columns: &[&str]) -> Refusal {
    let problem = "is not serial, public id, private id, key, access code and time";
    Refusal::bad_input("line", format!("{problem}; it has {} columns", columns.len()))
}
