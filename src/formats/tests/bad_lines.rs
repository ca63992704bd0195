//! Bad input that is no PSKC: foreign files, encodings, and the fields of a line.

use super::*;

#[test]
fn foreign_files_are_refused_with_the_formats_that_are_read() {
    let foreign: [&[u8]; 8] = [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"{\"users\":[{\"name\":\"alice\"}]}\n",
        b"user,display_name,email\nalice,Alice,alice@example.com\n",
        b"alice\nbob\n",
        b"<html><body/></html>",
        b"otpauth://totp/x?secret=NVTGCY3UNQWXGYLN\n",
        b"root:x:0:0:root:/root:/bin/bash\n",
        b"%PDF-1.7\n",
    ];
    for bytes in foreign {
        let refusal = recognise(bytes).unwrap_err();
        assert!(refusal.hint.is_some(), "{refusal}");
        assert!(!refusal.to_string().contains('\n'), "{refusal}");
    }
    let refusal = recognise(b"alice\nbob\n").unwrap_err();
    assert_eq!(refusal.to_string(), "FILE: is not a list of tokens that mfactl knows");
    let hint = format!("{:?}", refusal.hint);
    assert!(TokenFormat::ALL.iter().all(|format| hint.contains(format.name())), "{hint}");
}

#[test]
fn a_sample_is_refused_as_another_format() {
    for (text, format) in SAMPLES {
        for other in TokenFormat::ALL.into_iter().filter(|other| *other != format) {
            match strict(text.as_bytes(), other, &DecryptionKey::None) {
                Err(ReadError::Refused(refusal)) => assert!(refusal.hint.is_some(), "{refusal}"),
                result => panic!("{} as {}: {result:?}", format.word(), other.word()),
            }
        }
    }
}

#[test]
fn other_encodings_are_refused() {
    let utf_16: Vec<u8> =
        ["\u{feff}", FREEIPA].concat().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let nul = FREEIPA.replacen("totp", "to\0p", 1);
    let mut latin_1 = FREEIPA.as_bytes().to_vec();
    latin_1[50] = 0xe9;
    for (bytes, reason) in [
        (utf_16.as_slice(), "UTF-16"),
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (nul.as_bytes(), "NUL"),
        (&latin_1, "FILE: line 1 is not UTF-8"),
    ] {
        let message = refused_bytes(bytes, &DecryptionKey::None);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    for (text, format) in SAMPLES {
        accepted(text);
        let end = text.trim_end().len();
        for cut in (end - 120.min(end)..end).step_by(7).chain([end - 1]) {
            let bytes = &text.as_bytes()[..cut];
            let mut visit = |_: Result<TokenRecord, BadEntry>| Ok(());
            let result = read(bytes, format, &key_of_cut(text), &mut visit);
            // Between two lines nothing shows that more were meant to come.
            let is_line_end = !text.starts_with('<') && bytes.ends_with(b"\n");
            assert!(result.is_err() || is_line_end, "{} at {cut}", format.word());
        }
    }
    let message = refused(FREEIPA.trim_end());
    assert!(message.starts_with("FILE: line 3: line: has no line end"), "{message}");
}

/// The passphrase takes long, and the end of the file decides nothing about it.
fn key_of_cut(text: &str) -> DecryptionKey {
    if text == PSKC_PASSPHRASE { DecryptionKey::None } else { key_of(text) }
}

#[test]
fn wrong_fields_of_a_line_are_named() {
    for (text, from, to, reason) in [
        (FREEIPA, "GALT10280115", "=GALT", "line 2: serial: begins with"),
        (FREEIPA, "GALT10280115", "@GALT", "line 2: serial: begins with"),
        (FREEIPA, "GALT10280115", "GA\u{1b}[2J", "line 2: line: has a control character"),
        (FREEIPA, "GALT10280115", "GA\u{202e}", "line 2: serial: has an invisible character"),
        (FREEIPA, "GALT10280115", "", "line 2: serial: is empty"),
        (FREEIPA, "GALT10280115", "\"GALT", "line 2: line: has a quotation mark"),
        (FREEIPA, "616c69636521", "616c6963652", "line 2: key: is not hexadecimal"),
        (FREEIPA, "616c69636521", "616c696365zz", "line 2: key: is not hexadecimal"),
        (FREEIPA, ",totp,6", ",ocra,6", "line 2: type: is neither totp nor hotp"),
        (FREEIPA, ",totp,6", ",yubikey,6", "line 2: type: is yubikey"),
        (FREEIPA, ",totp,6", ",totp,5", "line 2: digits: 5 is not 6, 7 or 8"),
        (FREEIPA, ",totp,6", ",totp,9", "line 2: digits: 9 is not 6, 7 or 8"),
        (FREEIPA, ",totp,6", ",totp,six", "line 2: digits: is no whole number"),
        (FREEIPA, ",hotp,6", ",hotp,10", "line 3: digits: 10 is not 6, 7 or 8"),
        (FREEIPA, ",totp,6,30", ",totp,6,0", "line 2: period: 0 is not 15 to 300"),
        (FREEIPA, ",totp,6,30", ",totp,6,301", "line 2: period: 301 is not 15 to 300"),
        (FREEIPA, ",totp,6,30", ",totp,6,30,md5", "line 2: algorithm: is unknown"),
        (FREEIPA, ",totp,6,30", ",totp,6,30,sha1,x", "line 2: line: has more than 6 columns"),
        (FREEIPA, ",hotp,6", ",hotp,6,9223372036854775808", "line 3: counter: is beyond the end"),
        (FREEIPA, ",hotp,6", ",hotp,6,-1", "line 3: counter: is no whole number"),
        (PRIVACYIDEA, "# serial", "# version: 3", "line 1: version: is unknown"),
        (PRIVACYIDEA, "# serial", "# version: 2\n#", "line 3: key: has 1 byte,"),
        (PHENIXID, ";SHA1;", ";MD5;", "line 2: algorithm: is unknown"),
        (PHENIXID, ";0;30;6", ";1;30;6", "line 2: epoch: is not 0"),
        (PHENIXID, ";0;30;6", ";0;30", "line 2: line: is neither HOTP"),
        (PHENIXID, "21;8\n", "21;18446744073709551616\n", "line 1: counter: is beyond the end"),
        (ENTRA, "NVTGCY3UNQWWIYL", "NVTGCY3UNQWWIY1", "line 3: key: is not base 32"),
        (ENTRA, ",60,", ",6,", "line 3: period: 6 is not 15 to 300"),
        (ENTRA, ",60,", ",,", "line 3: period: is no whole number"),
        (ENTRA, ",60,", ",", "line 3: line: has 5 columns instead of 6"),
        (ENTRA, "dave@", "da\u{200b}ve@", "line 3: user: has an invisible character"),
        (YUBICO_LOG, "Yubico OTP", "Yubico", "line 2: event: is unknown"),
        (YUBICO_LOG, ",ccccccnrhbfu,", ",ccccccnrhbfa,", "line 2: public id: is not modhex"),
        (YUBICO_LOG, ",010203040506,", ",0102030405,", "line 2: private id: has 5 bytes instead"),
        (YUBICO_LOG, "ccddeeff,", "ccddee,", "line 2: key: has 15 bytes instead of 16"),
        (YUBICO_LOG, ",0,0,0,6,0", ",0,0,0,0,0", "line 3: digits: 0 is not 6, 7 or 8"),
        (YUBICO_LOG, ",,,0,0,0,0,", ",,0,0,0,", "line 2: line: has 16 columns instead of 18"),
        (YUBICO_TABLE, ",010203040506,", ",01020304050z,", "line 1: private id: is not hex"),
        (YUBICO_TABLE, ",010203040506,", ",0102030405,", "line 1: private id: is neither"),
        (SAFENET, "<Seed>6d", "<Seed>6", "package 1: key: is not hexadecimal"),
        (SAFENET, "serial=\"00040008CFA5\"", "", "package 1: serial: is empty"),
        (SAFENET, "<MovingFactor>8", "<MovingFactor>x", "package 1: counter: is no whole"),
        (SAFENET, "</Seed>", "</Seed><Seed>00</Seed>", "package 1: Seed: is there twice"),
        (SAFENET, "00040008CFA6", "00040008CFA6\" x=\"&nbsp;", "entity"),
    ] {
        refused_with(text, from, to, reason);
    }
}

#[test]
fn long_and_empty_fields_are_refused() {
    let line = |serial: &str, key: &str| format!("{serial},{key},totp,6,30\n");
    let key = "6d666163746c2d73616d706c652d6572696e2121";
    accepted(&line(&"x".repeat(64), key));
    assert!(refused(&line(&"x".repeat(65), key)).contains("serial: is longer than 64"));
    accepted(&line("x", &"5a".repeat(128)));
    assert!(refused(&line("x", &"5a".repeat(129))).contains("key: has 129 bytes, not 10 to 128"));
    accepted(&line("x", &"5a".repeat(10)));
    assert!(refused(&line("x", &"5a".repeat(9))).contains("key: has 9 bytes, not 10 to 128"));
    assert!(refused(&line("x", "")).contains("key: is empty"));
    let long = [line("y", key), line("x", &"5a".repeat(4096))].concat();
    assert!(refused(&long).contains("line 2: line: is longer than 4096"));
}

#[test]
fn a_file_without_a_token_is_refused() {
    let header = ENTRA.lines().next().unwrap();
    assert!(refused(&format!("{header}\n")).contains("holds no token"));
    assert!(refused("<Tokens/>").contains("holds no token"));
    assert!(refused("LOGGING START,2/1/2024 3:04 AM\n").contains("holds no token"));
}

#[test]
fn the_visitor_ends_the_reading() {
    let mut seen = 0;
    let error = read(FREEIPA.as_bytes(), TokenFormat::OathCsv, &DecryptionKey::None, &mut |_| {
        seen += 1;
        Err(anyhow::anyhow!("enough"))
    });
    assert!(matches!(error, Err(ReadError::Visitor(_))));
    assert_eq!(seen, 1);
}

#[test]
fn a_bad_entry_is_handed_over_and_the_others_are_read() {
    let text = format!(
        "{FREEIPA}B1,6d666163746c2d73616d706c652d626f62212121,ocra,6\n=B2,00,totp\n\
         B3,6d666163746c2d73616d706c652d626f62212121,hotp,6\n"
    );
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let count = read(text.as_bytes(), TokenFormat::OathCsv, &DecryptionKey::None, &mut |record| {
        match record {
            Ok(record) => good.push(record.serial.unwrap()),
            Err(entry) => bad.push((entry.place.to_string(), entry.refusal.field.unwrap())),
        }
        Ok(())
    });
    let count = count.unwrap();
    assert_eq!(good.len(), accepted(FREEIPA).len() + 1);
    assert_eq!(good.last().map(String::as_str), Some("B3"));
    let first = FREEIPA.lines().count() + 1;
    let named = ["type", "serial"].iter().zip(first..);
    let named: Vec<_> =
        named.map(|(field, line)| (format!("line {line}"), (*field).to_owned())).collect();
    assert_eq!(bad, named);
    assert_eq!((count.read, count.bad), (good.len() as u64, 2));
}
