//! An anchor: one line that records how long the audit log was at some time.
//!
//! Kept out of reach of anybody who can change the store, it shows that the end of the log was cut
//! off or that an older store was put back.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::domain::audit::event::Head;
use crate::domain::hint::command;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;

const PREFIX: &str = "mfactl-anchor";
const VERSION: &str = "1";
/// Hexadecimal digits of the checksum, which finds typing errors.
const CHECKSUM_DIGITS: usize = 8;

/// The head of a store's log at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub store: Id,
    pub head: Head,
    pub at: Timestamp,
}

impl Anchor {
    /// Reads the anchor at the end of a line. Text before it is skipped, since system logs add some.
    pub fn parse(field: &str, line: &str) -> Result<Self, Refusal> {
        let refuse = |problem: &str| {
            Refusal::bad_input(field, problem).quoting(format!("{} {problem}", quoted(line))).hint(
                command("verify-log")
                    .option("--save-anchor", "FILE")
                    .after("use a line written by: "),
            )
        };
        let start = line.find(PREFIX).ok_or_else(|| refuse("is not an anchor"))?;
        let words: Vec<&str> = line[start..].split_whitespace().collect();
        let [_, VERSION, store, seq, hash, at, checksum] = words[..] else {
            return Err(refuse("is not an anchor of a known format"));
        };
        let anchor = || {
            Some(Self {
                store: Id::new(bytes(store)?),
                head: Head { seq: seq.parse().ok()?, hash: bytes(hash)? },
                at: Timestamp::parse(field, at).ok()?,
            })
        };
        match anchor() {
            Some(anchor) if anchor.checksum() == checksum => Ok(anchor),
            _ => Err(refuse("is an anchor with a typing error: its checksum is wrong")),
        }
    }

    /// Whether a line seems to contain an anchor, be it a wrong one.
    #[must_use]
    pub fn occurs_in(line: &str) -> bool {
        line.contains(PREFIX)
    }

    fn body(&self) -> String {
        let hash = HEXLOWER.encode(&self.head.hash);
        format!("{PREFIX} {VERSION} {} {} {hash} {}", self.store, self.head.seq, self.at)
    }

    fn checksum(&self) -> String {
        let mut checksum = HEXLOWER.encode(&Sha256::digest(self.body()));
        checksum.truncate(CHECKSUM_DIGITS);
        checksum
    }
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.body(), self.checksum())
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::audit::anchor::*;
    use crate::domain::refusal::ErrorCode;

    #[test]
    fn an_anchor_is_read_back_also_from_a_system_log_and_typing_errors_are_found() {
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
            assert_eq!(refusal.code, ErrorCode::BadInput, "{wrong}");
        }
    }
}
