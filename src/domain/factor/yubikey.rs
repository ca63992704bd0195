//! Yubico OTP, checked without Yubico's servers.
//!
//! A YubiKey encrypts two counters with a key that it shares with us. The use counter grows with each start of the key
//! and the session counter with each touch, so that both together only grow: that is the position of a code.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, KeyInit as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::domain::secret::Secret;
use crate::domain::yubico_otp::YubicoOtp;

/// Bytes of the public id of a key that is programmed here, which are the 12 letters that most programs expect.
pub const PUBLIC_ID: usize = 6;
/// The first byte of such a public id: `vv` in modhex, which Yubico leaves to keys that others program. Its own begin with
/// `cc`.
pub const OWN_PREFIX: u8 = 0xff;
/// Bytes of the private id inside the block.
pub const PRIVATE_ID: usize = 6;
/// Bytes of the AES key.
pub const KEY: usize = 16;
/// What the CRC of a whole block leaves, its own field included.
const CRC_RESIDUE: u16 = 0xf0b8;
/// The highest bit of the use counter, which old keys set under caps lock.
const CAPS_LOCK: u16 = 0x8000;

/// The secret of a YubiKey: public id, private id and key, which are sealed as one.
#[must_use]
pub fn secret(public_id: &[u8], private_id: [u8; PRIVATE_ID], key: &[u8; KEY]) -> Secret {
    let mut whole = Zeroizing::new(Vec::with_capacity(public_id.len() + PRIVATE_ID + KEY));
    whole.extend_from_slice(public_id);
    whole.extend_from_slice(&private_id);
    whole.extend_from_slice(key);
    Secret::new(whole)
}

/// Public id, private id and key of a secret; `None` for one that is too short.
#[must_use]
pub fn parts(secret: &Secret) -> Option<(&[u8], &[u8; PRIVATE_ID], &[u8; KEY])> {
    let (rest, key) = secret.expose().split_last_chunk()?;
    let (public_id, private_id) = rest.split_last_chunk()?;
    Some((public_id, private_id, key))
}

/// The position of a code of this key; `None` for another key's code, and for one that was altered.
#[must_use]
pub fn position(secret: &Secret, otp: &YubicoOtp) -> Option<u64> {
    let (public_id, private_id, key) = parts(secret)?;
    let mut block = Zeroizing::new(*otp.block());
    Aes128::new(key.into()).decrypt_block((&mut *block).into());
    let is_public_id = public_id.ct_eq(otp.public_id());
    let is_private_id = private_id.ct_eq(&block[..PRIVATE_ID]);
    let is_whole = crc(&*block).ct_eq(&CRC_RESIDUE);
    let uses = u16::from_le_bytes([block[6], block[7]]) & !CAPS_LOCK;
    let position = u64::from(uses) << 8 | u64::from(block[11]);
    bool::from(is_public_id & is_private_id & is_whole).then_some(position)
}

/// Whether the code names this key. That doesn't make it one of its codes.
#[must_use]
pub fn has_public_id(secret: &Secret, otp: &YubicoOtp) -> bool {
    parts(secret).is_some_and(|(public_id, ..)| public_id == otp.public_id())
}

/// Use counter and session counter of a position.
#[must_use]
pub const fn counters(position: u64) -> (u64, u64) {
    (position >> 8, position & 0xff)
}

/// ISO 13239.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc: u16, _| {
            // The branch would depend on a secret block.
            (crc >> 1) ^ (0x8408 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::domain::yubico_otp::{from_modhex, modhex};
    use aes::cipher::BlockCipherEncrypt as _;

    pub const KEY_1: [u8; KEY] =
        *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    pub const PRIVATE: [u8; PRIVATE_ID] = [1, 2, 3, 4, 5, 6];

    pub fn key() -> Secret {
        secret(&from_modhex("ccccccnrhbfu").unwrap(), PRIVATE, &KEY_1)
    }

    /// A code of the key; `alter` changes the block before its encryption.
    pub fn code(uses: u16, session: u8, alter: impl Fn(&mut [u8; 16])) -> String {
        code_of(&key(), uses, session, alter)
    }

    /// The same of the key with this secret.
    pub fn code_of(
        secret: &Secret,
        uses: u16,
        session: u8,
        alter: impl Fn(&mut [u8; 16]),
    ) -> String {
        let (public_id, private_id, key) = parts(secret).unwrap();
        let mut block = [0; 16];
        block[..6].copy_from_slice(private_id);
        block[6..8].copy_from_slice(&uses.to_le_bytes());
        block[8..11].copy_from_slice(&[0x56, 0x34, 0x12]);
        block[11] = session;
        block[12..14].copy_from_slice(&[0xef, 0xbe]);
        let sum = !crc(&block[..14]);
        block[14..].copy_from_slice(&sum.to_le_bytes());
        alter(&mut block);
        Aes128::new(key.into()).encrypt_block((&mut block).into());
        format!("{}{}", modhex(public_id), modhex(&block))
    }

    fn read(secret: &Secret, text: &str) -> Option<u64> {
        position(secret, &YubicoOtp::read(text.as_bytes()).unwrap())
    }

    /// The codes were made by another program from the same key and ids.
    #[test]
    fn codes_of_a_key_give_their_counters() {
        for (uses, session, code) in [
            (1, 0, "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv"),
            (1, 1, "ccccccnrhbfukhhftknhcteblfngfekrdnvjidcfjflf"),
            (2, 0, "ccccccnrhbfuheukivdbferklnbfjndglkjgnkvfcebn"),
            (19, 5, "ccccccnrhbfuitkrnklhgkkjjvubjrluuejebjihlluu"),
        ] {
            let position = read(&key(), code).unwrap();
            assert_eq!(counters(position), (uses, session));
            assert_eq!(read(&key(), &code.to_uppercase()), Some(position));
        }
    }

    #[test]
    fn a_foreign_or_altered_code_gives_none() {
        let right = code(7, 3, |_| {});
        assert_eq!(read(&key(), &right), Some(7 << 8 | 3));
        assert_eq!(read(&key(), &code(CAPS_LOCK | 7, 3, |_| {})), Some(7 << 8 | 3));
        assert_eq!(read(&key(), &code(0x7fff, 255, |_| {})), Some(0x007f_ffff));
        assert_eq!(read(&key(), &code(7, 3, |block| block[14] ^= 1)), None, "another CRC");
        assert_eq!(read(&key(), &code(7, 3, |block| block[0] ^= 1)), None, "another private id");
        let foreign = right.replace("ccccccnrhbfu", "ccccccnrhbfv");
        assert_eq!(read(&key(), &foreign), None, "another public id");
        let mut other = KEY_1;
        other[0] ^= 1;
        let other = secret(&from_modhex("ccccccnrhbfu").unwrap(), PRIVATE, &other);
        assert_eq!(read(&other, &right), None, "another key");
        for place in 12..44 {
            let mut altered = right.clone().into_bytes();
            altered[place] = if altered[place] == b'c' { b'b' } else { b'c' };
            assert_eq!(read(&key(), std::str::from_utf8(&altered).unwrap()), None, "{place}");
        }
        assert_eq!(read(&Secret::new(Zeroizing::new(vec![1; 20])), &right), None, "no such secret");
    }
}
