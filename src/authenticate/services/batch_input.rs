//! Batch input: lines of user, code, and an id that comes back in the answer.

use std::borrow::Cow;
use std::io::Read;

use anyhow::Result;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use zeroize::Zeroizing;

use crate::domain::backup_code::Submitted;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::ErrorCode;
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::site_names::SiteNames;
use crate::domain::text::escaped;

/// Bytes of the longest line.
const LONGEST: usize = 2048;
/// Bytes to read at once; a pipe holds no more.
const CHUNK: usize = 64 * 1024;

/// One line of input.
#[derive(Debug)]
pub struct BatchQuery {
    /// As written, with control characters escaped.
    pub id: Box<RawValue>,
    /// User and code, or the error in the line.
    pub parsed: Result<(UserName, Submitted), ErrorCode>,
    /// What a login service asks; `None` where only the code is to be checked.
    pub login: Option<LoginTerms>,
    pub origin: AttemptOrigin,
}

/// What a login service says of its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginTerms {
    /// What it wants for users who have no MFA.
    pub without: NotEnabledPolicy,
    /// Whether anything was typed as a code.
    pub has_code: bool,
}

impl BatchQuery {
    /// A code to be checked, which no service handed over.
    #[must_use]
    pub fn plain(id: Box<RawValue>, parsed: Result<(UserName, Submitted), ErrorCode>) -> Self {
        Self { id, parsed, login: None, origin: AttemptOrigin::default() }
    }
}

/// Reads lines as they arrive.
pub struct LineReader {
    bytes: Zeroizing<Vec<u8>>,
    /// How many of the bytes are consumed.
    consumed: usize,
    /// The beginning of an overlong line was dropped.
    is_cut: bool,
    /// The last read filled the buffer: there may be more.
    is_full: bool,
    is_at_end: bool,
    site: SiteNames,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLine {
    user: Zeroizing<String>,
    code: Zeroizing<String>,
    #[serde(default)]
    id: Option<Box<RawValue>>,
}

impl LineReader {
    #[must_use]
    pub fn new(site: SiteNames) -> Self {
        let bytes = Zeroizing::new(Vec::with_capacity(CHUNK + LONGEST));
        Self { bytes, consumed: 0, is_cut: false, is_full: false, is_at_end: false, site }
    }

    /// All lines that have arrived, at most `most`; waits only if there are none. Empty at the end of
    /// input.
    pub fn next(&mut self, input: &mut dyn Read, most: usize) -> Result<Vec<BatchQuery>> {
        let mut queries = Vec::new();
        loop {
            while queries.len() < most
                && let Some(length) = self.bytes[self.consumed..].iter().position(|b| *b == b'\n')
            {
                let line = &self.bytes[self.consumed..self.consumed + length];
                queries.push(self.query(line));
                self.consumed += length + 1;
                self.is_cut = false;
            }
            if !queries.is_empty() {
                return Ok(queries);
            }
            if self.is_at_end {
                let rest = &self.bytes[self.consumed..];
                if !rest.is_empty() || self.is_cut {
                    queries.push(self.query(rest));
                }
                self.bytes.clear();
                (self.consumed, self.is_cut) = (0, false);
                return Ok(queries);
            }
            self.read(input)?;
        }
    }

    /// Are more lines waiting, as far as is known without blocking?
    pub fn are_waiting(&self) -> bool {
        self.is_full || self.bytes[self.consumed..].contains(&b'\n')
    }

    fn read(&mut self, input: &mut dyn Read) -> Result<()> {
        self.bytes.drain(..self.consumed);
        self.consumed = 0;
        if self.bytes.len() > LONGEST {
            self.bytes.clear();
            self.is_cut = true;
        }
        let length = self.bytes.len();
        self.bytes.resize(length + CHUNK, 0);
        let read = loop {
            match input.read(&mut self.bytes[length..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.bytes.truncate(length + *read.as_ref().unwrap_or(&0));
        let read = read?;
        (self.is_full, self.is_at_end) = (read == CHUNK, read == 0);
        Ok(())
    }

    fn query(&self, line: &[u8]) -> BatchQuery {
        let malformed = BatchQuery::plain(RawValue::NULL.to_owned(), Err(ErrorCode::BadInput));
        if self.is_cut || line.len() > LONGEST {
            return malformed;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"{") {
            let Ok(json) = serde_json::from_slice::<JsonLine>(line) else { return malformed };
            let JsonLine { user, code, id } = json;
            let id = id.map_or_else(|| RawValue::NULL.to_owned(), escape_id);
            return BatchQuery::plain(id, parse_query(&user, code.as_bytes(), &self.site));
        }
        let Ok(line) = std::str::from_utf8(line) else { return malformed };
        let mut fields = line.split('\t');
        let (Some(user), Some(code)) = (fields.next(), fields.next()) else { return malformed };
        let id = fields.next().and_then(|id| to_raw_value(id).ok());
        let id = id.map_or_else(|| RawValue::NULL.to_owned(), escape_id);
        if fields.next().is_some() {
            return BatchQuery { id, ..malformed };
        }
        BatchQuery::plain(id, parse_query(user, code.as_bytes(), &self.site))
    }
}

pub fn parse_query(
    user: &str,
    code: &[u8],
    site: &SiteNames,
) -> Result<(UserName, Submitted), ErrorCode> {
    let name = site.read(user).map_err(|refusal| refusal.code)?;
    // An empty code is malformed, not wrong: it must not count towards a lock.
    if code.trim_ascii().is_empty() {
        return Err(ErrorCode::BadInput);
    }
    Ok((name, Submitted::read(code)))
}

/// Escapes what a terminal must not get.
pub fn escape_id(id: Box<RawValue>) -> Box<RawValue> {
    match escaped(id.get()) {
        Cow::Borrowed(_) => id,
        Cow::Owned(text) => {
            RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::authenticate::services::batch_input::*;
    use proptest::prelude::*;

    /// A stream that yields at most so many bytes at a time.
    struct Drops<'d>(&'d [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let some = buffer.len().min(self.1);
            self.0.read(&mut buffer[..some])
        }
    }

    fn all(text: &[u8], drop: usize, most: usize) -> Vec<BatchQuery> {
        let (mut lines, mut input, mut all) =
            (LineReader::new(SiteNames::default()), Drops(text, drop), Vec::new());
        loop {
            let some = lines.next(&mut input, most).unwrap();
            assert!(some.len() <= most);
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    fn brief(query: &BatchQuery) -> String {
        let parsed = match &query.parsed {
            Ok((name, Submitted::Otp(code))) => format!("{name} {}", code.digits()),
            Ok((name, _)) => format!("{name} -"),
            Err(code) => code.word().to_owned(),
        };
        format!("{} {parsed}", query.id.get())
    }

    #[test]
    fn both_forms_are_read_and_a_malformed_line_is_reported() {
        let long = "x".repeat(5000);
        for (line, expected) in [
            ("alice\t123456\t7", "\"7\" alice 123456"),
            ("alice\t123456", "null alice 123456"),
            ("Alice\t123456\ta b\r", "\"a b\" alice 123456"),
            (r#"{"user":"alice","code":"123456","id":[1]}"#, "[1] alice 123456"),
            (r#"{"user":"alice","code":"123456"}"#, "null alice 123456"),
            (r#"{"user":"alice","code":"123456","id":null}"#, "null alice 123456"),
            (
                r#"{"user":"alice","code":"123456","id":123456789012345678901234}"#,
                "123456789012345678901234 alice 123456",
            ),
            (
                r#"{"id": {"z":1.10, "a":[1e3]} ,"user":"alice","code":"123456"}"#,
                r#"{"z":1.10, "a":[1e3]} alice 123456"#,
            ),
            ("alice\t123456\t\u{9b}\"\u{e0001}", r#""\u009b\"\udb40\udc01" alice 123456"#),
            (
                "{\"user\":\"alice\",\"code\":\"123456\",\"id\":[1,\t\"\u{202e}\u{7f}é\"]}",
                r#"[1, "\u202e\u007fé"] alice 123456"#,
            ),
            ("alice\thunter2\t7", "\"7\" alice -"),
            ("alice", "null bad_input"),
            ("alice\t\t7", "\"7\" bad_input"),
            ("alice\t \t7", "\"7\" bad_input"),
            (r#"{"user":"alice","code":""}"#, "null bad_input"),
            ("", "null bad_input"),
            ("a b\t123456\t7", "\"7\" bad_input"),
            ("alice\t123456\t7\t8", "\"7\" bad_input"),
            (r#"{"user":"alice"}"#, "null bad_input"),
            (r#"{"user":"alice","code":"123456","more":1}"#, "null bad_input"),
            (&long, "null bad_input"),
        ] {
            let text = format!("{line}\nbob\t654321\tlast");
            for drop in [1, 7, CHUNK] {
                let read: Vec<_> = all(text.as_bytes(), drop, 3).iter().map(brief).collect();
                assert_eq!(read, [expected, "\"last\" bob 654321"], "{line} {drop}");
            }
        }
        assert!(all(b"", 1, 9).is_empty());
    }

    #[test]
    fn more_lines_are_waiting_until_the_last_one_is_consumed() {
        let mut lines = LineReader::new(SiteNames::default());
        assert!(!lines.are_waiting());
        let mut input: &[u8] = b"a\t1\nb\t2\nc";
        for waiting in [true, false, false] {
            assert_eq!(lines.next(&mut input, 1).unwrap().len(), 1);
            assert_eq!(lines.are_waiting(), waiting);
        }
        let long = "alice\t123456\n".repeat(CHUNK / 13 + 1);
        let mut input = long.as_bytes();
        lines = LineReader::new(SiteNames::default());
        lines.next(&mut input, usize::MAX).unwrap();
        assert!(lines.are_waiting(), "the read filled the buffer");
    }

    proptest! {
        #[test]
        fn each_line_is_one_query(text: Vec<u8>, drop in 1_usize..70, most in 1_usize..5) {
            let lines = text.split(|b| *b == b'\n').count();
            let has_rest = text.last().is_some_and(|b| *b != b'\n');
            prop_assert_eq!(all(&text, drop, most).len(), lines - usize::from(!has_rest));
        }
    }
}
