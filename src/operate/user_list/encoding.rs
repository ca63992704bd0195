//! The encoding of a list: UTF-8, or UTF-16 with a byte-order mark, as spreadsheets write them.

use std::borrow::Cow;

use crate::domain::refusal::Refusal;

/// The text of a list. What is in another encoding is refused with its line: a guess could name another user.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(refuse("the list is UTF-32"));
    }
    if let Some(units) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(units, u16::from_le_bytes).map(Cow::Owned);
    }
    if let Some(units) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(units, u16::from_be_bytes).map(Cow::Owned);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(refuse("the list is no text, or UTF-16 without a byte-order mark"));
    }
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = lines(&before);
        refuse(&if is_latin_1(bytes) {
            format!("line {line} is not UTF-8 and looks like Latin-1 (Windows-1252)")
        } else {
            format!("line {line} is not UTF-8")
        })
    })
}

/// Whether these bytes can be the Latin-1 that spreadsheets write: beyond ASCII, no character that is UTF-8, and none that
/// Windows-1252 lacks, but a letter.
fn is_latin_1(bytes: &[u8]) -> bool {
    let is_free = |byte: u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    let has_letter = bytes.iter().any(|byte| matches!(byte, 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..));
    let is_ascii = |chunk: std::str::Utf8Chunk<'_>| chunk.valid().is_ascii();
    has_letter && !bytes.iter().any(|byte| is_free(*byte)) && bytes.utf8_chunks().all(is_ascii)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Refusal> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(bytes.len());
    for c in char::decode_utf16(units) {
        match c {
            Ok('\0') => return Err(refuse("the list is no text")),
            Ok(c) => text.push(c),
            Err(_) => return Err(refuse(&format!("line {} is not UTF-16", lines(&text)))),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(refuse("the list is cut off within a character")) }
}

/// The number of the line at the end of this text.
fn lines(text: &str) -> usize {
    let line_ends = text.matches('\n').count() + text.matches('\r').count();
    1 + line_ends - text.matches("\r\n").count()
}

fn refuse(problem: &str) -> Refusal {
    Refusal::bad_input("--from", format!("{problem}; save the list as UTF-8"))
        .hint("in a spreadsheet choose the file type CSV UTF-8")
}

#[cfg(test)]
mod tests {
    use crate::operate::user_list::encoding::*;

    fn encoded(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn w16_utf_8_and_utf_16_with_a_mark_are_read() {
        let text = "user\r\néloïse\r\n𝒜\n";
        for bytes in [
            text.as_bytes().to_vec(),
            ["\u{feff}", text].concat().into_bytes(),
            encoded(text, u16::to_le_bytes),
            encoded(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn w16_other_encodings_are_refused_by_name() {
        let cut = encoded("ab", u16::to_le_bytes);
        let mut lone = encoded("a\nb", u16::to_be_bytes);
        lone.extend([0xd8, 0x00]);
        let cases: [(&[u8], &str); 12] = [
            (
                b"alice\nbob\nelo\xefse\n",
                "line 3 is not UTF-8 and looks like Latin-1 (Windows-1252); save the list as UTF-8",
            ),
            (b"ren\xe9\nbj\xf6rn\no\x92brien", "line 1 is not UTF-8 and looks like Latin-1"),
            (b"\xc3\xa9lo\nbj\xf6rn", "line 2 is not UTF-8; save"),
            (b"ren\x8e\x81\n", "line 1 is not UTF-8; save"),
            (b"alice\r\nelo\xefse", "line 2 is not UTF-8"),
            (b"alice\relo\xefse", "line 2 is not UTF-8"),
            (b"\xe9", "line 1 is not UTF-8"),
            (b"a\0l\0i\0", "UTF-16 without a byte-order mark"),
            (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
            (&cut[..5], "cut off"),
            (&lone, "line 2 is not UTF-16"),
            (b"\xff\xfe\0", "cut off"),
        ];
        for (bytes, words) in cases {
            let message = decode(bytes).unwrap_err().to_string();
            assert!(message.contains(words), "{bytes:?}: {message}");
        }
    }
}
