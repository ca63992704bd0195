//! What a YubiKey types: a public id and an encrypted block, in modhex (Yubico's YubiKey Technical Manual, "Yubico OTP").

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// The letters of modhex, which most keyboard layouts have in the same places.
const MODHEX: &str = "cbdefghijklnrtuv";
/// What the same keys type on a Dvorak layout.
const DVORAK: &str = "jxe.uidchtnbpygk";

static MODHEX_ENCODING: LazyLock<Encoding> = LazyLock::new(|| encoding(MODHEX));
static DVORAK_ENCODING: LazyLock<Encoding> = LazyLock::new(|| encoding(DVORAK));

/// Bytes of the encrypted block.
const BLOCK: usize = 16;

/// A Yubico OTP as submitted.
pub struct YubicoOtp {
    public_id: Vec<u8>,
    block: [u8; BLOCK],
    pub typed: TypedOn,
}

/// How the letters were typed. The mapping of each is one to one, so that no code has two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedOn {
    /// As the key types them on most layouts; AZERTY and QWERTZ change none of the letters.
    MostLayouts,
    /// The same in capitals, for instance with caps lock.
    Capitals,
    Dvorak,
}

impl YubicoOtp {
    /// The usual length in letters: six bytes of public id and the block.
    pub const USUAL_LENGTH: usize = 44;
    /// The longest public id in bytes.
    pub const LONGEST_PUBLIC_ID: usize = 16;

    /// Parses 34 to 64 letters: a public id of 1 to 16 bytes, and the block. The caller has removed a line end.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let public_id = bytes.len().checked_sub(2 * BLOCK)?;
        if !(1..=2 * Self::LONGEST_PUBLIC_ID).contains(&public_id) {
            return None;
        }
        let lower = bytes.to_ascii_lowercase();
        let (decoded, typed) = match MODHEX_ENCODING.decode(&lower) {
            Ok(decoded) if lower == bytes => (decoded, TypedOn::MostLayouts),
            Ok(decoded) => (decoded, TypedOn::Capitals),
            Err(_) => (DVORAK_ENCODING.decode(&lower).ok()?, TypedOn::Dvorak),
        };
        let (public_id, block) = decoded.split_last_chunk()?;
        Some(Self { public_id: public_id.to_vec(), block: *block, typed })
    }

    #[must_use]
    pub fn public_id(&self) -> &[u8] {
        &self.public_id
    }

    #[must_use]
    pub const fn block(&self) -> &[u8; BLOCK] {
        &self.block
    }
}

impl fmt::Debug for YubicoOtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YubicoOtp(..)")
    }
}

/// Whether a line ends in as many letters as a YubiKey usually types, on any layout, all small or all capitals. No
/// layout has a digit among them.
#[must_use]
pub fn ends_in_otp(line: &[u8]) -> bool {
    let Some(start) = line.len().checked_sub(YubicoOtp::USUAL_LENGTH) else { return false };
    let end = &line[start..];
    let is_one_case =
        !end.iter().any(u8::is_ascii_lowercase) || !end.iter().any(u8::is_ascii_uppercase);
    is_one_case && YubicoOtp::read(end).is_some()
}

/// How something is like what a YubiKey types, and yet no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// It has the usual length, but other letters.
    OtherLetters,
    /// Two lines in one.
    Twice,
    /// It has so many letters.
    Length(usize),
}

impl Misread {
    /// The fewest letters that are taken for a line that was cut off, which is half of one. Words and names are shorter.
    const FEWEST: usize = YubicoOtp::USUAL_LENGTH / 2;

    /// Tells from the letters alone what went wrong. `None` for a code, and for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let usual = YubicoOtp::USUAL_LENGTH;
        if YubicoOtp::read(text.as_bytes()).is_some() {
            return None;
        }
        // Letters of another alphabet have more than one byte.
        let letters = text.chars().filter(|letter| !letter.is_control()).count();
        if letters == usual {
            return Some(Self::OtherLetters);
        }
        let lower = text.to_ascii_lowercase();
        let is_of_layout = |layout: &str| lower.chars().all(|letter| layout.contains(letter));
        if letters < Self::FEWEST || ![MODHEX, DVORAK].into_iter().any(is_of_layout) {
            return None;
        }
        let public_id = usual - 2 * BLOCK;
        let is_twice = letters == 2 * usual && lower[..public_id] == lower[usual..][..public_id];
        Some(if is_twice { Self::Twice } else { Self::Length(letters) })
    }
}

/// Bytes as the letters that a YubiKey types.
#[must_use]
pub fn modhex(bytes: &[u8]) -> String {
    MODHEX_ENCODING.encode(bytes)
}

/// The bytes of modhex in small letters. The program itself only reads what a key types.
#[cfg(test)]
pub fn from_modhex(text: &str) -> Option<Vec<u8>> {
    MODHEX_ENCODING.decode(text.as_bytes()).ok()
}

fn encoding(symbols: &str) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(symbols);
    #[expect(clippy::expect_used, reason = "a constant, which every test of a code builds")]
    specification.encoding().expect("16 symbols")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTP: &str = "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv";

    fn public_id(text: &str) -> Option<(String, TypedOn)> {
        YubicoOtp::read(text.as_bytes()).map(|otp| (modhex(otp.public_id()), otp.typed))
    }

    #[test]
    fn a_code_is_read_as_its_keyboard_types_it() {
        let id = "ccccccnrhbfu".to_owned();
        assert_eq!(public_id(OTP), Some((id.clone(), TypedOn::MostLayouts)));
        assert_eq!(public_id(&OTP.to_uppercase()), Some((id.clone(), TypedOn::Capitals)));
        let place = |letter| MODHEX.find(letter).unwrap();
        let dvorak: String =
            OTP.chars().map(|letter| char::from(DVORAK.as_bytes()[place(letter)])).collect();
        assert_eq!(public_id(&dvorak), Some((id, TypedOn::Dvorak)));
    }

    #[test]
    fn a_line_that_was_typed_twice_or_cut_off_is_recognised() {
        let next = format!("{}{}", &OTP[..12], &OTP[12..].replace('c', "b"));
        for (text, expected) in [
            (format!("{OTP}{OTP}"), Some(Misread::Twice)),
            (format!("{OTP}{next}").to_uppercase(), Some(Misread::Twice)),
            (format!("{}{OTP}", OTP.replace('c', "b")), Some(Misread::Length(88))),
            (OTP[..43].to_owned(), Some(Misread::Length(43))),
            (OTP[..32].to_owned(), Some(Misread::Length(32))),
            (OTP[12..42].to_owned(), Some(Misread::Length(30))),
            (format!("{OTP}c"), Some(Misread::Length(45))),
            ("jxe.uidchtnbpygkjxe.uidchtnbpygkj".to_owned(), Some(Misread::Length(33))),
            ("a".repeat(44), Some(Misread::OtherLetters)),
            (OTP.to_owned(), None),
            ("a".repeat(43), None),
            ("befriended".to_owned(), None),
            ("123456".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(Misread::read(&text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            &OTP[..43],
            &OTP[12..],
            &format!("{OTP}{OTP}"),
            &format!("{OTP}\n"),
            &format!(" {OTP}"),
            &OTP.replace('u', "x"),
            &OTP.replace('n', "é"),
            "12345678901234567890123456789012345678901234",
        ] {
            assert_eq!(public_id(text), None, "{text}");
        }
        assert!(public_id(&OTP[10..]).is_some(), "a public id of one byte");
        assert_eq!(from_modhex("cccb"), Some(vec![0, 1]));
        assert_eq!(from_modhex("CCCB"), None);
    }
}
