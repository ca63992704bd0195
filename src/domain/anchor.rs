//! An anchor: one line that says how far a log had come, kept where nobody can reach who can reach the
//! store. Against it a log whose end was cut off, and an older store put back, are seen.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::domain::event::Head;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;

const WORD: &str = "mfactl-anchor";
const FORM: &str = "1";
/// Hexadecimal digits that show a slip of the pen.
const CHECK: usize = 8;

/// How far the log of a store had come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub store: Id,
    pub head: Head,
    /// When it was taken.
    pub at: Timestamp,
}

impl Anchor {
    /// The anchor in a line, whatever stands before it, as a system log puts something there.
    ///
    /// # Errors
    /// `bad_input` for a line without one, and for one that was written down wrongly.
    pub fn parse(field: &str, line: &str) -> Result<Self, Refusal> {
        let refuse = |problem: &str| {
            Refusal::bad_input(field, format!("{} {problem}", quoted(line)))
                .hint("take a line as mfactl verify-log --save-anchor wrote it")
        };
        let start = line.find(WORD).ok_or_else(|| refuse("is no anchor"))?;
        let words: Vec<&str> = line[start..].split_whitespace().collect();
        let [_, FORM, store, seq, hash, at, check] = words[..] else {
            return Err(refuse("is no anchor of a known form"));
        };
        let anchor = || {
            Some(Self {
                store: Id::new(bytes(store)?),
                head: Head { seq: seq.parse().ok()?, hash: bytes(hash)? },
                at: Timestamp::parse(field, at).ok()?,
            })
        };
        match anchor() {
            Some(anchor) if anchor.check() == check => Ok(anchor),
            _ => Err(refuse("is an anchor that was written down wrongly")),
        }
    }

    /// Does a line mean to have an anchor in it?
    #[must_use]
    pub fn is_in(line: &str) -> bool {
        line.contains(WORD)
    }

    fn body(&self) -> String {
        let hash = HEXLOWER.encode(&self.head.hash);
        format!("{WORD} {FORM} {} {} {hash} {}", self.store, self.head.seq, self.at)
    }

    fn check(&self) -> String {
        let mut check = HEXLOWER.encode(&Sha256::digest(self.body()));
        check.truncate(CHECK);
        check
    }
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.body(), self.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::Code;

    #[test]
    fn an_anchor_comes_back_from_paper_and_from_a_system_log() {
        let anchor = Anchor {
            store: Id::new([0xab; 16]),
            head: Head { seq: 1234, hash: [7; 32] },
            at: Timestamp::from_unix(1_760_000_000).unwrap(),
        };
        let line = anchor.to_string();
        assert_eq!(Anchor::parse("--anchor", &line).unwrap(), anchor);
        let logged = format!("Nov  3 10:00:00 auth1 root: {line}\r");
        assert_eq!(Anchor::parse("--anchor", &logged).unwrap(), anchor);
        for wrong in [
            String::new(),
            "mfactl-anchor 1".to_owned(),
            line.replace("1234", "1235"),
            line.replace("0707", "0708"),
            line.replace("anchor 1", "anchor 2"),
            line.replace(" ab", " é"),
            format!("{line} more"),
        ] {
            let refusal = Anchor::parse("--anchor", &wrong).unwrap_err();
            assert_eq!(refusal.code, Code::BadInput, "{wrong}");
        }
    }
}
