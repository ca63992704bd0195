//! The samples give the serials, kinds and secrets that their makers put in; codes are those of `oathtool`.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt as _, KeyInit as _};
use proptest::prelude::*;

use super::*;
use crate::domain::factor::totp::{Algorithm, Parameters, code_at};
use crate::domain::secret_strength::Weakness;
use crate::formats::{KeyNeeded, PrivateId, TokenKind, TokenPlace};

const ALICE: &[u8] = b"mfactl-sample-alice!";
const BOB: &[u8] = b"mfactl-sample-bob-secret-32bytes";
const CAROL: &[u8] = b"mfactl-sample-carol!";
const DAVE: &[u8] = b"mfactl-dave-16by";
const ERIN: &[u8] = b"mfactl-sample-erin!!";

/// Serial, secret, the rest of what identifies a token, user, model.
type Expected<'e> = (&'e str, &'e [u8], TokenKind, Option<&'e str>, Option<&'e str>);

fn totp(algorithm: Algorithm, digits: u8, period: u64) -> TokenKind {
    TokenKind::Totp(Parameters { algorithm, digits, period })
}

const fn hotp(counter: u64) -> TokenKind {
    TokenKind::Hotp { algorithm: Algorithm::Sha1, digits: 6, counter }
}

fn common() -> TokenKind {
    TokenKind::Totp(Parameters::COMMON)
}

#[track_caller]
fn assert_tokens(text: &str, expected: &[Expected<'_>]) {
    let records = accepted(text);
    assert_eq!(records.len(), expected.len());
    for (record, (serial, secret, kind, user, model)) in records.iter().zip(expected) {
        assert_eq!(record.serial.as_deref().unwrap_or_default(), *serial);
        assert_eq!(record.secret.expose(), *secret, "{serial}");
        assert_eq!(record.kind, *kind, "{serial}");
        assert_eq!(record.user.as_deref(), *user, "{serial}");
        assert_eq!(record.model.as_deref(), *model, "{serial}");
        assert_eq!(record.weakness(), None, "{serial}");
    }
}

#[test]
fn the_content_tells_the_format() {
    for (text, format) in SAMPLES {
        assert_eq!(recognise(text.as_bytes()), Ok(format));
        let marked = ["\u{feff}", &text.replace('\n', "\r\n")].concat();
        assert_eq!(recognise(marked.as_bytes()), Ok(format), "{}", format.word());
        let read = accepted(&marked).len();
        assert_eq!(read, accepted(text).len(), "{}", format.word());
    }
    let words: std::collections::HashSet<_> = TokenFormat::ALL.map(TokenFormat::word).into();
    assert_eq!(words.len(), TokenFormat::ALL.len());
}

#[test]
fn pskc_is_read_plain_and_encrypted() {
    assert_eq!(needs(PSKC.as_bytes()), None);
    assert_eq!(needs(PSKC_PASSPHRASE.as_bytes()), Some(KeyNeeded::Passphrase));
    assert_eq!(needs(PSKC_KEY.as_bytes()), Some(KeyNeeded::PresharedKey));
    for text in [PSKC, PSKC_PASSPHRASE, PSKC_KEY] {
        assert_tokens(
            text,
            &[
                ("MFA0001", ALICE, common(), Some("CN=alice"), Some("Example")),
                ("MFA0002", CAROL, hotp(7), Some("CN=carol"), Some("Example")),
            ],
        );
    }
    let places: Vec<_> = accepted(PSKC).iter().map(|record| record.place.to_string()).collect();
    assert_eq!(places, ["package 1", "package 2"]);
}

/// Figure 2 of RFC 6030, with the secret that everybody knows, and the names without a prefix.
#[test]
fn pskc_with_the_least_is_read() {
    let text = r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
      <KeyPackage><DeviceInfo><Manufacturer>A&amp;B&#x2e;</Manufacturer></DeviceInfo>
      <Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
      <AlgorithmParameters><Suite>HMAC-SHA256</Suite>
        <ResponseFormat Encoding="DECIMAL" Length="8"/></AlgorithmParameters>
      <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1
         Njc4OTA=</PlainValue></Secret><Time><PlainValue>0</PlainValue></Time></Data>
      <Policy><KeyUsage>OTP</KeyUsage><PINPolicy PINUsageMode="Local"/></Policy>
      </Key></KeyPackage></KeyContainer>"#;
    let records = accepted(text);
    assert_eq!(records[0].serial.as_deref(), Some("12345678"));
    assert_eq!(records[0].kind, totp(Algorithm::Sha256, 8, 30));
    assert_eq!(records[0].weakness(), Some(Weakness::Known));
    assert_eq!(records[0].model.as_deref(), Some("A&B."));
}

#[test]
fn what_a_file_needs_is_asked_for() {
    for key in [DecryptionKey::None, preshared(&SHARED)] {
        let error = all(PSKC_PASSPHRASE.as_bytes(), &key).unwrap_err();
        assert!(matches!(error, ReadError::NeedsKey(KeyNeeded::Passphrase)), "{error:?}");
    }
    for key in [DecryptionKey::None, passphrase("x")] {
        let error = all(PSKC_KEY.as_bytes(), &key).unwrap_err();
        assert!(matches!(error, ReadError::NeedsKey(KeyNeeded::PresharedKey)), "{error:?}");
    }
}

#[test]
fn lists_of_oath_tokens_are_read() {
    assert_tokens(
        PRIVACYIDEA,
        &[
            ("MFA0001", ALICE, common(), None, None),
            ("MFA0002", CAROL, hotp(0), None, None),
            ("MFA0003", DAVE, totp(Algorithm::Sha1, 6, 60), None, None),
            ("MFA0004", ERIN, hotp(0), None, None),
        ],
    );
    assert_tokens(
        FREEIPA,
        &[
            ("GALT10280114", ERIN, totp(Algorithm::Sha1, 8, 30), None, None),
            ("GALT10280115", ALICE, common(), None, None),
            ("GALT10280116", CAROL, hotp(0), None, None),
        ],
    );
    assert_tokens(
        PHENIXID,
        &[
            ("0001161175088", CAROL, hotp(8), None, None),
            ("0001161175089", ALICE, common(), None, None),
            ("0001161175090", BOB, totp(Algorithm::Sha256, 8, 30), None, None),
        ],
    );
    let model = Some("ExampleCorp HardwareKey");
    assert_tokens(
        ENTRA,
        &[
            ("MFA0001", ALICE, common(), Some("alice@example.com"), model),
            ("MFA0003", DAVE, totp(Algorithm::Sha1, 6, 60), Some("dave@example.com"), model),
        ],
    );
    assert_eq!(accepted(PRIVACYIDEA)[0].place, TokenPlace::Line(2));
}

/// privacyIDEA's second version has the user first; LinOTP has the hash last; HOTP may have a counter.
#[test]
fn further_columns_of_oath_csv_are_read() {
    let alice = data_encoding::HEXLOWER.encode(ALICE);
    let bob = data_encoding::HEXUPPER.encode(BOB);
    let text =
        format!("# version: 2\nalice,users,corp,M1,{alice},hotp,8,7\n,,,M2,{bob},totp,6,60\n");
    let records = accepted(&text);
    assert_eq!(records[0].user.as_deref(), Some("alice"));
    assert_eq!(
        records[0].kind,
        TokenKind::Hotp { algorithm: Algorithm::Sha1, digits: 8, counter: 7 }
    );
    assert_eq!(
        (records[1].user.as_deref(), &records[1].kind),
        (None, &totp(Algorithm::Sha256, 6, 60))
    );
    let records = accepted(&format!("M1,{bob},totp,6,30,sha1\n\n\"M,2\",{alice},,,\n"));
    assert_eq!(records[0].kind, common());
    assert_eq!((records[1].serial.as_deref(), &records[1].kind), (Some("M,2"), &hotp(0)));
    assert_eq!(records[1].place, TokenPlace::Line(3));
}

#[test]
fn safenet_is_read_and_a_token_without_a_seed_is_passed_over() {
    let (records, count) = all(SAFENET.as_bytes(), &DecryptionKey::None).unwrap();
    assert_eq!((count.read, count.passed_over), (1, 1));
    assert_eq!(count.first_passed_over, Some(TokenPlace::Package(2)));
    assert_eq!(records[0].serial.as_deref(), Some("00040008CFA5"));
    assert_tokens(
        SAFENET,
        &[("00040008CFA5", CAROL, hotp(8), None, Some("SafeNet Safeword Alpine"))],
    );
}

fn yubikey() -> TokenKind {
    let public_id = vec![0x00, 0x00, 0x00, 0xbc, 0x61, 0x4e];
    TokenKind::Yubikey { public_id, private_id: PrivateId::new([1, 2, 3, 4, 5, 6]) }
}

const AES_KEY: &[u8; 16] = b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";

#[test]
fn both_layouts_of_yubico_are_read() {
    let model = Some("YubiKey");
    assert_tokens(
        YUBICO_LOG,
        &[("", AES_KEY, yubikey(), None, model), ("", CAROL, hotp(0), None, model)],
    );
    assert_eq!(accepted(YUBICO_LOG)[0].serial, None);
    assert_tokens(
        YUBICO_TABLE,
        &[("12345678", AES_KEY, yubikey(), None, model), ("12345679", CAROL, hotp(0), None, model)],
    );
}

#[test]
fn a_record_shows_no_secret() {
    let shown = format!("{:?}", accepted(YUBICO_TABLE));
    assert!(shown.contains("12345678") && shown.contains("PrivateId(..)"), "{shown}");
    assert!(!shown.contains("[1, 2, 3") && shown.contains("Secret(..)"), "{shown}");
}

/// A local time with a comma, a second start, other slots, a counter and a token identifier.
#[test]
fn other_lines_of_yubico_are_read() {
    let carol = data_encoding::HEXLOWER.encode(CAROL);
    let text = format!(
        "LOGGING START,1/1/2024, 3:04 AM\n\
         OATH-HOTP,1/1/2024, 3:04 AM,2,ubhe00000001,,{carol},,,0,0,0,8,1048560,0,0,0,0,0\n\
         LOGGING START,2/1/2024 3:04 AM\n\
         Static Password: Short,2/1/2024 3:04 AM,1,,010203040506,{carol},,,0,0,0,0,0,0,0,0,0,0\n\
         Challenge-Response: HMAC-SHA1,2/1/2024 3:04 AM,2,,,{carol},,,0,0,0,0,0,0,0,0,0,0\n"
    );
    let (records, count) = all(text.as_bytes(), &DecryptionKey::None).unwrap();
    assert_eq!((count.passed_over, count.first_passed_over), (2, Some(TokenPlace::Line(4))));
    assert_eq!(records[0].serial.as_deref(), Some("ubhe00000001"));
    let kind = TokenKind::Hotp { algorithm: Algorithm::Sha1, digits: 8, counter: 1_048_560 };
    assert_eq!(records[0].kind, kind);
    let text = format!(
        "508326,,,{carol},,2013-12-12T08:44:34,\n508326,,16,{carol},,2013-12-12T08:41:07,\n"
    );
    let (records, count) = all(text.as_bytes(), &DecryptionKey::None).unwrap();
    assert_eq!((records[0].kind.clone(), count.passed_over), (hotp(16), 1));
}

/// What a key typed decrypts to its private id and counters with what the file says.
#[test]
fn the_key_of_yubico_opens_its_codes() {
    let records = accepted(YUBICO_TABLE);
    let cipher = Aes128::new_from_slice(records[0].secret.expose()).unwrap();
    for (code, use_counter, session) in [
        ("ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv", 1, 0),
        ("ccccccnrhbfukhhftknhcteblfngfekrdnvjidcfjflf", 1, 1),
        ("ccccccnrhbfuitkrnklhgkkjjvubjrluuejebjihlluu", 19, 5),
    ] {
        let bytes = crate::formats::fields::modhex("code", code).unwrap();
        let TokenKind::Yubikey { public_id, private_id } = &records[0].kind else { panic!() };
        assert_eq!(bytes[..6], public_id[..]);
        let mut block = <[u8; 16]>::try_from(&bytes[6..]).unwrap().into();
        cipher.decrypt_block(&mut block);
        assert_eq!(block[..6], *private_id.expose());
        assert_eq!((block[6], block[7], block[11]), (use_counter, 0, session));
    }
}

/// The codes of `oathtool`; a counter of n is the time step that begins at 30 n seconds.
#[test]
fn the_secrets_give_the_codes_of_oathtool() {
    let mut codes = Vec::new();
    for text in [PSKC_PASSPHRASE, FREEIPA, PHENIXID, ENTRA, SAFENET, YUBICO_TABLE] {
        for record in accepted(text) {
            let code = match &record.kind {
                TokenKind::Totp(parameters) => code_at(&record.secret, *parameters, 1_234_567_890),
                TokenKind::Hotp { algorithm, digits, counter } => {
                    let parameters =
                        Parameters { algorithm: *algorithm, digits: *digits, period: 30 };
                    code_at(&record.secret, parameters, counter.cast_signed() * 30)
                }
                TokenKind::Yubikey { .. } => continue,
            };
            codes.push(code);
        }
    }
    let first = "459501";
    assert_eq!(
        codes,
        [
            "232153", "000122", "66078248", "232153", first, "106675", "232153", "74638995",
            "232153", "088611", "106675", first,
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in TokenFormat::ALL {
            let _ = read(&bytes, format, &DecryptionKey::None, &mut |_| Ok(()));
        }
        let _ = needs(&bytes);
    }

    /// Samples in which some bytes are others, are missing or are there twice.
    #[test]
    fn no_altered_sample_panics(
        sample in 0..SAMPLES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..4),
    ) {
        let (text, format) = SAMPLES[sample];
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        // Not the passphrase: thousands of rounds without optimisation.
        let key = if text == PSKC_KEY { preshared(&SHARED) } else { DecryptionKey::None };
        let _ = read(&bytes, format, &key, &mut |_| Ok(()));
        let _ = needs(&bytes);
    }
}
