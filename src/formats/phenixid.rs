//! The table that PhenixID takes, with semicolons: `HOTP;serial;key;counter` and
//! `TOTP;serial;hash;key;epoch;period;digits`, keys in hex.
//!
//! PhenixID's page "Import hardware tokens" has these lines. The digits of HOTP are a setting of the server there, which
//! is 6 unless it was changed. The epoch is the T0 of RFC 6238 (section 4.1), of which only 0 is in use.

use crate::domain::refusal::Refusal;
use crate::formats::fields::{
    USUAL_DIGITS, algorithm, counter, hex, hotp, number, secret, serial, totp, usual_algorithm,
};
use crate::formats::lines::{columns, lines};
use crate::formats::tokens::Tokens;
use crate::formats::{ReadError, TokenPlace, TokenRecord};

/// Whether a file that begins with this line has this format.
pub fn begins(line: &str) -> bool {
    columns(line, ';')
        .is_ok_and(|columns| columns.len() > 1 && matches!(columns[0], "HOTP" | "TOTP"))
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    for (place, line) in lines(text)? {
        tokens
            .add(place, columns(line, ';').and_then(|columns| token(place, &columns)).map(Some))?;
    }
    Ok(())
}

fn token(place: TokenPlace, columns: &[&str]) -> Result<TokenRecord, Refusal> {
    let (number_on_token, kind, secret) = match columns {
        ["HOTP", serial, key, first] => {
            let secret = secret(hex("key", key)?)?;
            let kind = hotp(usual_algorithm(secret.expose()), USUAL_DIGITS, counter(first)?)?;
            (serial, kind, secret)
        }
        ["TOTP", serial, hash, key, epoch, period, digits] => {
            if number("epoch", epoch)? != 0 {
                return Err(Refusal::bad_input(
                    "epoch",
                    "is not 0, the only one that is supported",
                ));
            }
            let (digits, period) = (number("digits", digits)?, number("period", period)?);
            (serial, totp(algorithm(hash)?, digits, period)?, secret(hex("key", key)?)?)
        }
        _ => {
            let problem = "is neither HOTP;serial;key;counter \
                           nor TOTP;serial;hash;key;epoch;period;digits";
            return Err(Refusal::bad_input("line", problem));
        }
    };
    let serial = Some(serial(number_on_token)?);
    Ok(TokenRecord { place, serial, kind, secret, model: None, user: None })
}
