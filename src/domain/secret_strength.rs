//! Secrets that protect nothing: printed in a standard or a manual, without any pattern of chance, or short.
//!
//! RFC 4226 (section 4, R6) demands 128 bits. Whether a weak secret is taken all the same is the caller's to decide.

/// Why a secret is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Anybody can know it: it is printed in a standard or a manual, or it repeats a short pattern.
    Known,
    /// It has fewer than 128 bits.
    Short,
}

/// The fewest bytes of a secret that is not short.
const FEWEST_BYTES: usize = 16;

/// The longest pattern that is looked for. Random bytes repeat one by chance in less than 1 of 2^40 secrets.
const LONGEST_PATTERN: usize = 16;

/// What documentation shows and does not repeat a pattern: the secret of Google's key URI page, that of many guides to
/// TOTP, and the AES key in Yubico's test vectors. The seeds of RFC 4226 and RFC 6238 repeat ten digits.
const PRINTED: [&[u8]; 3] = [
    b"Hello!\xde\xad\xbe\xef",
    &[
        0x3d, 0xc6, 0xca, 0xa4, 0x82, 0x4a, 0x6d, 0x28, 0x87, 0x67, 0xb2, 0x33, 0x1e, 0x20, 0xb4,
        0x31, 0x66, 0xcb, 0x85, 0xd9,
    ],
    &[
        0xec, 0xde, 0x18, 0xdb, 0xe7, 0x6f, 0xbd, 0x0c, 0x33, 0x33, 0x0f, 0x1c, 0x35, 0x48, 0x71,
        0xdb,
    ],
];

/// What is weak about a secret, the worst first.
#[must_use]
pub fn weakness(secret: &[u8]) -> Option<Weakness> {
    if PRINTED.contains(&secret) || repeats_a_pattern(secret) {
        return Some(Weakness::Known);
    }
    (secret.len() < FEWEST_BYTES).then_some(Weakness::Short)
}

/// Whether the bytes are one pattern at least twice; the last time it may be cut off, as in the 32 bytes of RFC 6238.
fn repeats_a_pattern(secret: &[u8]) -> bool {
    let longest = LONGEST_PATTERN.min(secret.len() / 2);
    (1..=longest).any(|length| secret.iter().zip(&secret[length..]).all(|(one, next)| one == next))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE32_NOPAD;

    use super::*;

    #[test]
    fn printed_seeds_are_known() {
        let printed = [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "JBSWY3DPEHPK3PXP",
            "HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ];
        for seed in printed {
            let secret = BASE32_NOPAD.decode(seed.as_bytes()).unwrap();
            assert_eq!(weakness(&secret), Some(Weakness::Known), "{seed}");
        }
        let digits = b"1234567890".repeat(7);
        for length in [20, 32, 64] {
            assert_eq!(weakness(&digits[..length]), Some(Weakness::Known), "{length}");
        }
        assert_eq!(weakness(&[0xab; 20]), Some(Weakness::Known));
        assert_eq!(weakness(&b"secret".repeat(4)), Some(Weakness::Known));
        assert_eq!(weakness(&b"Hello!\xde\xad\xbe\xef".repeat(2)), Some(Weakness::Known));
    }

    #[test]
    fn fewer_than_128_bits_are_short() {
        assert_eq!(weakness(b"old80bits!"), Some(Weakness::Short));
        assert_eq!(weakness(b"fifteen bytes .."[..15].as_ref()), Some(Weakness::Short));
        assert_eq!(weakness(b""), Some(Weakness::Short));
    }

    #[test]
    fn other_secrets_are_not_weak() {
        for secret in ["mfactl-sample-alice!", "mfactl-dave-16by", "12345678901234567891"] {
            assert_eq!(weakness(secret.as_bytes()), None, "{secret}");
        }
    }
}
