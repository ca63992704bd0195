//! Bad PSKC: what XML can hide, what a policy or an algorithm demands, and encryption that does not fit.

use super::*;
use crate::domain::hint::Part;

#[test]
fn a_dtd_is_refused_wherever_it_is() {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    for dtd in [
        "<!DOCTYPE x>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>",
    ] {
        refused_with(PSKC, declaration, &format!("{declaration}{dtd}"), "DOCTYPE");
        refused_with(SAFENET, "<Tokens>", &format!("{dtd}<Tokens>"), "DOCTYPE");
    }
    refused_with(PSKC, "<pskc:KeyPackage>", "<!DOCTYPE x><pskc:KeyPackage>", "DOCTYPE");
    refused_with(PSKC, "<pskc:Issuer>", "<pskc:Issuer>&xxe;", "entity");
    refused_with(PSKC, "Id=\"MFA0001\"", "Id=\"&xxe;\"", "entity");
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = "<pskc:Issuer>".repeat(100_000);
    refused_with(PSKC, "<pskc:Issuer>", &deep, "nested too deeply");
    let wide = "<pskc:Extensions/>".repeat(1000);
    refused_with(PSKC, "<pskc:Issuer>", &format!("{wide}<pskc:Issuer>"), "too many elements");
    let long = "x".repeat(100_000);
    refused_with(PSKC, "<pskc:Issuer>", &format!("<pskc:Issuer>{long}"), "too much text");
    refused_with(PSKC, "<pskc:Issuer>", &format!("<pskc:Issuer a=\"{long}\">"), "too long");
    let roots = format!("<a>{}", "<b>".repeat(100_000));
    assert!(recognise(roots.as_bytes()).is_err());
}

#[test]
fn what_is_no_good_xml_is_refused() {
    for (from, to, reason) in [
        ("</pskc:Issuer>", "", "well-formed"),
        ("</pskc:KeyContainer>", "", "cut off"),
        ("</pskc:KeyContainer>", "</pskc:KeyContainer><x/>", "goes on after"),
        ("</pskc:KeyContainer>", "</pskc:KeyContainer>x", "goes on after"),
        ("<pskc:DeviceInfo>", "x<pskc:DeviceInfo>", "text between elements"),
        ("<pskc:Issuer>", "<other:Issuer/><pskc:Issuer>", "undeclared prefix"),
        ("Id=\"MFA0001\"", "Id=\"MFA0001\" Id=\"x\"", "wrong attribute"),
        ("Version=\"1.0\"", "Version=\"1.1\"", "Version: is not 1.0"),
        ("keyprov:pskc\"", "keyprov:pskc:1.0\"", "is not a list of tokens"),
        (
            "<pskc:KeyPackage>",
            "<pskc:Other/><pskc:KeyPackage>",
            "package 1: KeyPackage: is expected",
        ),
    ] {
        refused_with(PSKC, from, to, reason);
    }
    let latin_1 = PSKC.replacen("\"UTF-8\"", "\"ISO-8859-1\"", 1);
    accepted(&latin_1);
    let message = refused(&latin_1.replacen("Example", "Exémple", 1));
    assert!(message.contains("says that it is not"), "{message}");
}

#[test]
fn what_is_unknown_is_refused() {
    let policy = |content: &str| format!("<pskc:Policy>{content}</pskc:Policy><pskc:UserId>");
    let usage = |word: &str| policy(&format!("<pskc:KeyUsage>{word}</pskc:KeyUsage>"));
    for (from, to, reason) in [
        ("pskc:totp\"", "pskc:ocra\"", "package 1: Algorithm: is neither"),
        ("pskc:totp\"", "pskc:TOTP\"", "package 1: Algorithm: is neither"),
        ("urn:ietf:params:xml:ns:keyprov:pskc:totp", "totp", "package 1: Algorithm"),
        ("Encoding=\"DECIMAL\"", "Encoding=\"HEXADECIMAL\"", "package 1: Encoding"),
        ("Length=\"6\"", "Length=\"6\" CheckDigits=\"true\"", "package 1: CheckDigits"),
        ("Length=\"6\"", "Length=\"5\"", "package 1: digits: 5 is not"),
        ("Length=\"6\"", "", "package 1: digits: is no whole number"),
        ("<pskc:PlainValue>30", "<pskc:PlainValue>3", "package 1: period: 3 is not"),
        ("<pskc:PlainValue>7", "<pskc:PlainValue>9223372036854775808", "package 2: counter"),
        ("<pskc:PlainValue>bWZ", "<pskc:PlainValue>bW*", "package 1: key: is not base 64"),
        ("<pskc:PlainValue>bWZ", "<pskc:PlainValue>bWZh", "package 1: key: is not base 64"),
        ("SerialNo>MFA0002", "SerialNo>-MFA0002", "package 2: serial: begins with"),
        ("<pskc:Issuer>", "<pskc:KeyReference/><pskc:Issuer>", "package 1: Key: has an element"),
        ("<pskc:Issuer>", "<x xmlns=\"urn:x\"/><pskc:Issuer>", "package 1: Key: has an element"),
        ("<pskc:Data>", "<pskc:Data/><pskc:Data>", "package 1: Data: is there twice"),
        ("<pskc:UserId>", &usage("CR"), "package 1: Policy: does not allow"),
        ("<pskc:UserId>", &policy("<pskc:StartDate/>"), "package 1: Policy: limits the key"),
        ("<pskc:UserId>", &policy("<pskc:ExpiryDate/>"), "package 1: Policy: limits the key"),
        ("<pskc:UserId>", &policy("<x xmlns=\"urn:x\"/>"), "package 1: Policy: limits the key"),
        ("<pskc:UserId>", &policy("<pskc:PINPolicy/>"), "package 1: Policy: demands a PIN"),
        (
            "</pskc:KeyContainer>",
            "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/></pskc:KeyContainer>",
            "Signature: can't be checked",
        ),
    ] {
        refused_with(PSKC, from, to, reason);
    }
    accepted(&PSKC.replacen("<pskc:UserId>", &usage("OTP"), 1));
    accepted(&PSKC.replacen(
        "<pskc:UserId>",
        &policy("<pskc:PINPolicy PINUsageMode=\"Local\"/>"),
        1,
    ));
}

#[test]
fn a_wrong_key_is_refused() {
    let message = refused_bytes(PSKC_PASSPHRASE.as_bytes(), &passphrase("sample-passphrase "));
    assert!(message.contains("passphrase: is wrong, or the file was altered"), "{message}");
    let message = refused_bytes(PSKC_PASSPHRASE.as_bytes(), &passphrase(""));
    assert!(message.contains("passphrase: is wrong"), "{message}");
    let mut other = SHARED;
    other[15] ^= 1;
    let message = refused_bytes(PSKC_KEY.as_bytes(), &preshared(&other));
    assert!(message.contains("pre-shared key: is wrong"), "{message}");
    for length in [0, 15, 17, 24, 32, 33] {
        let message = refused_bytes(PSKC_KEY.as_bytes(), &preshared(&vec![7; length]));
        assert!(message.contains(&format!("pre-shared key: has {length} bytes")), "{message}");
    }
}

/// Each letter of an encrypted value or of its MAC, and all that is left out.
#[test]
fn altered_encryption_is_refused() {
    let mac = "<pskc:ValueMAC>G2NCqUkZZNmGq6esWZmr8KcvteQ=</pskc:ValueMAC>";
    let value = "Sa8CGJADxirgygds3cGZqedhC60jSycS9h9B7rUlqVul92V7vYcCA40bJYeGbPYC";
    for (from, to, reason) in [
        ("G2NCqUkZ", "H2NCqUkZ", "package 1: pre-shared key: is wrong, or the file was altered"),
        (mac, "", "package 1: ValueMAC: is missing"),
        (mac, "<pskc:ValueMAC></pskc:ValueMAC>", "package 1: pre-shared key: is wrong"),
        (mac, "<pskc:ValueMAC>G2NC</pskc:ValueMAC>", "package 1: pre-shared key: is wrong"),
        (value, &value[..64 - 24], "package 1: pre-shared key: is wrong"),
    ] {
        refused_with(PSKC_KEY, from, to, reason);
    }
    // The last block has the padding, and the one before it decides what the padding decrypts to.
    for at in [0, 30, 42, 63] {
        let mut altered = value.to_owned();
        let other = if &value[at..=at] == "A" { "B" } else { "A" };
        altered.replace_range(at..=at, other);
        refused_with(PSKC_KEY, value, &altered, "package 1: pre-shared key: is wrong");
    }
    let plain = "<pskc:PlainValue>bWZhY3RsLXNhbXBsZS1hbGljZSE=</pskc:PlainValue>";
    let start = PSKC_KEY.find("<pskc:EncryptedValue>").unwrap();
    let end = PSKC_KEY.find(mac).unwrap() + mac.len();
    refused_with(PSKC_KEY, &PSKC_KEY[start..end], plain, "package 1: key: is not encrypted");
    let start = PSKC_KEY.find("<pskc:MACMethod").unwrap();
    let end = PSKC_KEY.find("<pskc:KeyPackage>").unwrap();
    refused_with(PSKC_KEY, &PSKC_KEY[start..end], "", "package 1: MACMethod: is missing");
    let start = PSKC_KEY.find("<pskc:EncryptionKey>").unwrap();
    refused_with(PSKC_KEY, &PSKC_KEY[start..end], "", "package 1: key: is encrypted, but");
}

#[test]
fn unknown_encryption_is_refused() {
    for (from, to, reason) in [
        ("<ds:KeyName>Pre-shared-key</ds:KeyName>", "<ds:X509Data/>", "EncryptionKey: has an"),
        ("xmldsig#hmac-sha1", "xmldsig#hmac-md5", "MACMethod: is not HMAC"),
        ("xmlenc#aes128-cbc", "xmlenc#tripledes-cbc", "EncryptionMethod: is not AES"),
        ("xmlenc#aes128-cbc", "xmlenc#aes256-cbc", "pre-shared key: has 16 bytes"),
        ("xmcVj6P3", "xmcV", "CipherValue: is"),
    ] {
        refused_with(PSKC_KEY, from, to, reason);
    }
    for (from, to, reason) in [
        ("pkcs-5v2-0#pbkdf2", "pkcs-5v2-0#pbkdf1", "KeyDerivationMethod: is not PBKDF2"),
        ("MDEyMzQ1Njc4OWFiY2RlZg==", "", "Salt: has not 1 to"),
        (">12000<", ">0<", "IterationCount: is not 1 to 10000000"),
        (">12000<", ">10000001<", "IterationCount: is not 1 to 10000000"),
        (">12000<", ">2147483648<", "IterationCount: is not 1 to 10000000"),
        (">12000<", ">4294967297<", "IterationCount: is not 1 to 10000000"),
        (">32<", ">20<", "KeyLength: is not 16, 24 or 32"),
        (">32<", ">4294967296<", "KeyLength: is not 16, 24 or 32"),
        (">32<", ">16<", "passphrase: has 16 bytes, and the file needs 32"),
    ] {
        let message = refused(&PSKC_PASSPHRASE.replacen(from, to, 1));
        assert!(message.contains(reason), "{message:?}, not {reason:?}");
    }
    // Other rounds are another key.
    let message = refused(&PSKC_PASSPHRASE.replacen(">12000<", ">12001<", 1));
    assert!(message.contains("passphrase: is wrong"), "{message}");
}

#[test]
fn hints_name_the_place() {
    let Err(ReadError::Refused(refusal)) =
        all(PSKC.replacen("Length=\"6\"", "Length=\"5\"", 1).as_bytes(), &DecryptionKey::None)
    else {
        panic!()
    };
    let words = "correct package 1, or take it out of the file".to_owned();
    assert_eq!(refusal.hint.unwrap().0.parts, [Part::Words(words)]);
}

#[test]
fn a_bad_package_is_left_out_and_an_altered_one_refuses_the_file() {
    let read = |text: &str| {
        let mut fields = Vec::new();
        let key = key_of(text);
        let count = read(text.as_bytes(), TokenFormat::Pskc, &key, &mut |record| {
            fields.extend(
                record.err().map(|bad| (bad.place.to_string(), bad.refusal.field.unwrap())),
            );
            Ok(())
        });
        (count.map(|count| count.read), fields)
    };
    let all = read(PSKC).0.unwrap();
    let (good, bad) = read(&PSKC.replacen("pskc:totp\"", "pskc:ocra\"", 1));
    assert_eq!(
        (good.unwrap(), bad),
        (all - 1, vec![("package 1".to_owned(), "Algorithm".to_owned())])
    );
    let altered = PSKC_KEY.replacen("G2NC", "AAAA", 1);
    assert_ne!(altered, PSKC_KEY);
    assert!(read(PSKC_KEY).0.is_ok());
    for (text, wrong) in [(altered.as_str(), SHARED), (PSKC_KEY, [7; 16])] {
        let key = preshared(&wrong);
        let refused =
            crate::formats::read(text.as_bytes(), TokenFormat::Pskc, &key, &mut |_| Ok(()));
        assert!(matches!(refused, Err(ReadError::Refused(_))), "{refused:?}");
    }
}
