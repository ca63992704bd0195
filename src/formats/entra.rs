//! The table of hardware tokens that Microsoft Entra ID takes: a header, then user, serial, key in base 32, period,
//! manufacturer and model. Its tokens are TOTP with SHA-1 and 6 digits; Entra accepts no others.

use crate::domain::factor::totp::Algorithm;
use crate::domain::refusal::Refusal;
use crate::formats::fields::{USUAL_DIGITS, base32, model, number, secret, serial, totp, user};
use crate::formats::lines::{columns, lines};
use crate::formats::tokens::Tokens;
use crate::formats::{ReadError, TokenPlace, TokenRecord};

const HEADER: [&str; 6] =
    ["upn", "serial number", "secret key", "time interval", "manufacturer", "model"];

/// Whether a file that begins with this line has this format.
pub fn begins(line: &str) -> bool {
    columns(line, ',').is_ok_and(|columns| {
        columns.len() == HEADER.len()
            && columns.iter().zip(HEADER).all(|(column, name)| column.eq_ignore_ascii_case(name))
    })
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    let mut lines = lines(text)?;
    if !lines.next().is_some_and(|(_, header)| begins(header)) {
        return Err(Refusal::bad_input("header", format!("is not {}", HEADER.join(","))).into());
    }
    for (place, line) in lines {
        tokens
            .add(place, columns(line, ',').and_then(|columns| token(place, &columns)).map(Some))?;
    }
    Ok(())
}

fn token(place: TokenPlace, columns: &[&str]) -> Result<TokenRecord, Refusal> {
    let [upn, number_on_token, key, period, manufacturer, product] = columns else {
        let problem = format!("has {} columns instead of {}", columns.len(), HEADER.len());
        return Err(Refusal::bad_input("line", problem));
    };
    Ok(TokenRecord {
        place,
        serial: Some(serial(number_on_token)?),
        kind: totp(Algorithm::Sha1, USUAL_DIGITS, number("period", period)?)?,
        secret: secret(base32("key", key)?)?,
        model: model(&[Some(manufacturer), Some(product)])?,
        user: user(upn)?,
    })
}
