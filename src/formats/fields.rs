//! The values that all formats have: serials, keys, counters, digits, models and users.

use std::sync::LazyLock;

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE, Specification};
use zeroize::Zeroizing;

use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::text::{self, counted};
use crate::formats::TokenKind;

/// The longest serial, in characters.
const LONGEST_SERIAL: usize = 64;
/// The longest name of a user or a model, in characters.
const LONGEST_NAME: usize = 255;
/// The shortest secret in bytes: 80 bits are the fewest that tokens ever had. Fewer are another column.
const SHORTEST_SECRET: usize = 10;
/// The longest secret in bytes: the block of SHA-512. HMAC hashes a longer one first (RFC 2104, section 2).
const LONGEST_SECRET: usize = 128;
/// Digits where a format leaves them out: those of nearly all tokens.
pub const USUAL_DIGITS: u64 = 6;
/// Seconds of a time step where a format leaves them out (RFC 6238, section 4.1).
pub const USUAL_PERIOD: u64 = 30;

/// Base 32 (RFC 4648) in capitals or small letters, without padding.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut base32 = Specification::new();
    base32.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    base32.translate.from.push_str("abcdefghijklmnopqrstuvwxyz");
    base32.translate.to.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    encoding(&base32)
});

/// Base 64 (RFC 4648) with the blanks that XML Schema allows inside it.
static BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut base64 = Specification::new();
    base64.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    base64.padding = Some('=');
    base64.ignore.push_str(" \t\r\n");
    encoding(&base64)
});

/// Yubico's 16 letters, which are on the same keys of most keyboards.
static MODHEX: LazyLock<Encoding> = LazyLock::new(|| {
    let mut modhex = Specification::new();
    modhex.symbols.push_str("cbdefghijklnrtuv");
    modhex.translate.from.push_str("CBDEFGHIJKLNRTUV");
    modhex.translate.to.push_str("cbdefghijklnrtuv");
    encoding(&modhex)
});

#[expect(clippy::expect_used, reason = "constants, each of which a test decodes with")]
fn encoding(specification: &Specification) -> Encoding {
    specification.encoding().expect("a valid specification")
}

/// The number that a token has on its back. What a spreadsheet would take for a formula is refused, because serials go
/// into reports.
pub fn serial(text: &str) -> Result<String, Refusal> {
    let serial = text::line("serial", text, LONGEST_SERIAL)?;
    if serial.starts_with(['=', '+', '-', '@']) {
        let problem = "begins with =, +, - or @, as a formula of a spreadsheet does";
        return Err(Refusal::bad_input("serial", problem));
    }
    Ok(serial)
}

/// The user that a file names; `None` for an empty column.
pub fn user(text: &str) -> Result<Option<String>, Refusal> {
    filled(text).map(|text| text::line("user", text, LONGEST_NAME)).transpose()
}

/// Manufacturer and model as far as they are there.
pub fn model(parts: &[Option<&str>]) -> Result<Option<String>, Refusal> {
    let parts: Vec<&str> = parts.iter().copied().flatten().filter_map(filled).collect();
    filled(&parts.join(" ")).map(|text| text::prose_line("model", text, LONGEST_NAME)).transpose()
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// A key in hex, whose length is still to be checked.
pub fn hex(field: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    decoded(field, &HEXLOWER_PERMISSIVE, text, "hexadecimal digits, two a byte")
}

pub fn base32(field: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    decoded(field, &BASE32, text.trim_end_matches('='), "base 32: A to Z and 2 to 7")
}

pub fn base64(field: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    decoded(field, &BASE64, text, "base 64")
}

pub fn modhex(field: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    decoded(field, &MODHEX, text, "modhex, two letters of cbdefghijklnrtuv a byte")
}

fn decoded(
    field: &str,
    encoding: &Encoding,
    text: &str,
    name: &str,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let bytes = encoding.decode(text.as_bytes()).map(Zeroizing::new);
    bytes.map_err(|_| Refusal::bad_input(field, format!("is not {name}")))
}

/// The secret of a token for HMAC.
pub fn secret(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, Refusal> {
    match bytes.len() {
        0 => Err(Refusal::bad_input("key", "is empty")),
        SHORTEST_SECRET..=LONGEST_SECRET => Ok(Secret::new(bytes)),
        length => {
            let length = counted(length as u64, "byte");
            let problem = format!("has {length}, not {SHORTEST_SECRET} to {LONGEST_SECRET}");
            Err(Refusal::bad_input("key", problem))
        }
    }
}

/// Bytes of exactly one length.
pub fn exactly<const N: usize>(field: &str, bytes: &[u8]) -> Result<[u8; N], Refusal> {
    bytes
        .try_into()
        .map_err(|_| Refusal::bad_input(field, format!("has {} bytes instead of {N}", bytes.len())))
}

/// A decimal number.
pub fn number(field: &str, text: &str) -> Result<u64, Refusal> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal {
        return Err(Refusal::bad_input(field, "is no whole number"));
    }
    text.parse().map_err(|_| beyond(field))
}

/// A counter. What is beyond 2^63-1 can't be stored, and would soon count past the end.
pub fn counter(text: &str) -> Result<u64, Refusal> {
    let counter = number("counter", text)?;
    if i64::try_from(counter).is_err() {
        return Err(beyond("counter"));
    }
    Ok(counter)
}

fn beyond(field: &str) -> Refusal {
    Refusal::bad_input(field, format!("is beyond the end, {}", i64::MAX))
}

/// The hash under the HMAC, by the names that files have for it.
pub fn algorithm(text: &str) -> Result<Algorithm, Refusal> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("HMAC-").or_else(|| name.strip_prefix("HMAC")).unwrap_or(&name);
    Algorithm::parse(&name.replacen("SHA-", "SHA", 1)).map_err(|_| {
        Refusal::bad_input("algorithm", "is unknown").hint("use SHA1, SHA256 or SHA512")
    })
}

/// The hash where a format leaves it out. Tokens with SHA-256 or SHA-512 have a key as long as the hash (RFC 6238,
/// appendix A), those with SHA-1 have 20 bytes or fewer; LinOTP and privacyIDEA guess the same way.
pub fn usual_algorithm(secret: &[u8]) -> Algorithm {
    match secret.len() {
        32 => Algorithm::Sha256,
        64 => Algorithm::Sha512,
        _ => Algorithm::Sha1,
    }
}

/// A time-based token; digits and period are checked.
pub fn totp(algorithm: Algorithm, digits: u64, period: u64) -> Result<TokenKind, Refusal> {
    parameters(algorithm, digits, period).map(TokenKind::Totp)
}

/// A counter-based token; its digits are checked.
pub fn hotp(algorithm: Algorithm, digits: u64, counter: u64) -> Result<TokenKind, Refusal> {
    let digits = parameters(algorithm, digits, USUAL_PERIOD)?.digits;
    Ok(TokenKind::Hotp { algorithm, digits, counter })
}

/// The settings, called by the words of a file instead of our options.
fn parameters(algorithm: Algorithm, digits: u64, period: u64) -> Result<Parameters, Refusal> {
    Parameters::new(algorithm, digits, period).map_err(|mut refusal| {
        refusal.field = refusal.field.map(|field| field.trim_start_matches('-').to_owned());
        refusal
    })
}

/// A column that may be missing or empty, as a number.
pub fn number_or(field: &str, column: Option<&&str>, usual: u64) -> Result<u64, Refusal> {
    match column.and_then(|text| filled(text)) {
        Some(text) => number(field, text),
        None => Ok(usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        assert_eq!(hex("key", "00fFa0").unwrap().as_slice(), [0, 255, 160]);
        assert_eq!(base32("key", "nvTGCY3UNQWWIYLWMUWTCNTCPE").unwrap().len(), 16);
        assert_eq!(base32("key", "NVTGCY3UNQWWIYLWMUWTCNTCPE======").unwrap().len(), 16);
        assert_eq!(base64("key", " bWZh\n Y3Rs ").unwrap().as_slice(), b"mfactl");
        assert_eq!(
            modhex("id", "cbdefghijklnrtuv").unwrap().as_slice(),
            *b"\x01\x23\x45\x67\x89\xab\xcd\xef"
        );
        assert_eq!(modhex("id", "CCV").ok(), None);
        for bad in ["0", "0g", "0x00", "00 00"] {
            assert!(hex("key", bad).is_err(), "{bad}");
        }
        for bad in ["1", "A", "AAAAAAAAA", "AB"] {
            assert!(base32("key", bad).is_err(), "{bad}");
        }
        for bad in ["A", "AAA", "AA==A", "*"] {
            assert!(base64("key", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counters_end_at_2_to_the_63() {
        assert_eq!(counter("9223372036854775807"), Ok(i64::MAX.unsigned_abs()));
        for bad in ["9223372036854775808", "18446744073709551616", "-1", "+1", "1.0", "", "٣"] {
            assert!(counter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn serials_are_harmless() {
        assert_eq!(serial("MFA 0001-x").as_deref(), Ok("MFA 0001-x"));
        assert_eq!(serial(&"é".repeat(64)).unwrap().chars().count(), 64);
        let long = "x".repeat(65);
        for bad in ["=1+1", "+1", "-1", "@x", "a\u{1b}[2J", "a\tb", "a\u{202e}b", "", " ", &long] {
            let refusal = serial(bad).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some("serial"), "{bad:?}");
        }
    }

    #[test]
    fn algorithms_have_several_names() {
        for name in ["SHA1", "sha-1", "HMAC-SHA1", "HmacSHA1", "HMAC-SHA-1"] {
            assert_eq!(algorithm(name), Ok(Algorithm::Sha1), "{name}");
        }
        assert_eq!(algorithm("HMAC-SHA-512"), Ok(Algorithm::Sha512));
        assert!(algorithm("MD5").is_err() && algorithm("SHA224").is_err());
    }
}
