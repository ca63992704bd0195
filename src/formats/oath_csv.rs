//! A line for each token: serial, key in hex, type, digits, and the period of TOTP or the counter of HOTP.
//!
//! It is the "OATH CSV" of privacyIDEA (`parseOATHcsv`) and LinOTP, and how vendors deliver tokens for FreeIPA. What is
//! left out is HOTP, 6 digits, 30 seconds, counter 0. LinOTP adds the hash as a sixth column; without it the length of
//! the key decides. A first line `# version: 2`, which newer privacyIDEA writes, puts user, resolver and realm first.

use crate::domain::refusal::Refusal;
use crate::formats::fields::{
    USUAL_DIGITS, USUAL_PERIOD, algorithm, counter, hex, hotp, number_or, secret, serial, totp,
    user, usual_algorithm,
};
use crate::formats::lines::{columns, lines};
use crate::formats::tokens::{Tokens, at};
use crate::formats::{ReadError, TokenPlace, TokenRecord};

/// Columns of the user in version 2.
const USER_COLUMNS: usize = 3;
const MOST_COLUMNS: usize = 6;

/// Whether a file that begins with this line has this format: a key or a type is where it belongs.
pub fn begins(line: &str) -> bool {
    let Ok(columns) = columns(line, ',') else { return false };
    let has_token = |columns: &[&str]| {
        let is_type = |text: &str| {
            ["totp", "hotp", "ocra", "tan", "yubikey"].iter().any(|t| text.eq_ignore_ascii_case(t))
        };
        columns.get(2).is_some_and(|text| is_type(text))
            || columns.get(1).is_some_and(|text| text.len() >= 16 && hex("key", text).is_ok())
    };
    has_token(&columns) || columns.get(USER_COLUMNS..).is_some_and(has_token)
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    let has_user = has_user(text)?;
    for (place, line) in lines(text)? {
        tokens.add(
            place,
            columns(line, ',').and_then(|columns| token(place, &columns, has_user)).map(Some),
        )?;
    }
    Ok(())
}

/// Whether the columns of a user come first, by the version in the first line.
fn has_user(text: &str) -> Result<bool, Refusal> {
    let first = text.lines().next().unwrap_or_default();
    let version = first.strip_prefix('#').and_then(|rest| rest.trim().strip_prefix("version:"));
    match version.map(str::trim) {
        None | Some("0" | "1") => Ok(false),
        Some("2") => Ok(true),
        Some(_) => Err(at(
            TokenPlace::Line(1),
            Refusal::bad_input("version", "is unknown").hint("export the tokens as version 2"),
        )),
    }
}

fn token(place: TokenPlace, columns: &[&str], has_user: bool) -> Result<TokenRecord, Refusal> {
    let (owner, columns) = match columns.split_at_checked(USER_COLUMNS) {
        Some((owner, columns)) if has_user => (owner.first().copied(), columns),
        _ if has_user => return Err(Refusal::bad_input("line", "has no column for the serial")),
        _ => (None, columns),
    };
    let [number, key, rest @ ..] = columns else {
        return Err(Refusal::bad_input("line", "has no column for the key"));
    };
    if columns.len() > MOST_COLUMNS {
        return Err(Refusal::bad_input("line", format!("has more than {MOST_COLUMNS} columns")));
    }
    let serial = Some(serial(number)?);
    let secret = secret(hex("key", key)?)?;
    let algorithm = match rest.get(3).filter(|text| !text.is_empty()) {
        Some(text) => algorithm(text)?,
        None => usual_algorithm(secret.expose()),
    };
    let digits = number_or("digits", rest.get(1), USUAL_DIGITS)?;
    let factor = rest.get(2).filter(|text| !text.is_empty());
    let kind = match rest.first().map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("totp") => totp(algorithm, digits, number_or("period", factor, USUAL_PERIOD)?)?,
        None | Some("" | "hotp") => {
            hotp(algorithm, digits, factor.map_or(Ok(0), |text| counter(text))?)?
        }
        Some("yubikey") => {
            return Err(Refusal::bad_input(
                "type",
                "is yubikey, whose private id is not in this format",
            )
            .hint("take the log of Yubico's personalization tool instead"));
        }
        Some(_) => return Err(Refusal::bad_input("type", "is neither totp nor hotp")),
    };
    let user = owner.map_or(Ok(None), user)?;
    Ok(TokenRecord { place, serial, kind, secret, model: None, user })
}
