//! The encoding of a file: UTF-8, with or without a byte-order mark.

use crate::domain::refusal::Refusal;

/// The text of a file.
pub fn decode(bytes: &[u8]) -> Result<&str, Refusal> {
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"];
    if marks.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(refuse("is UTF-16 or UTF-32, not UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        refuse(&format!("line {} is not UTF-8", line_at(bytes, error.valid_up_to())))
    })?;
    if text.contains('\0') {
        return Err(refuse("is no text: it has a NUL byte"));
    }
    if text.trim().is_empty() {
        return Err(Refusal::bad_input("FILE", "is empty").hint("export the tokens again"));
    }
    Ok(text)
}

/// The number of the line that this byte is in.
pub fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at).unwrap_or(bytes);
    1 + memchr::memchr_iter(b'\n', before).count()
}

fn refuse(problem: &str) -> Refusal {
    Refusal::bad_input("FILE", problem).hint("save the list of tokens as text in UTF-8")
}
