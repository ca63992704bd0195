//! The three values that are written into a slot of a YubiKey, in the form that Yubico's program `ykman` asks for.

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::domain::factor::yubikey;
use crate::domain::secret::Secret;
use crate::domain::text::{shown, wrapped};
use crate::domain::yubico_otp::modhex;
use crate::env::{Size, Stream};

/// What a YubiKey is programmed with.
pub struct YubikeyValues {
    /// In modhex, as the key types it before each code.
    pub public_id: String,
    /// In hexadecimal digits, as the key below.
    pub private_id: Zeroizing<String>,
    pub key: Zeroizing<String>,
}

/// The private id and the key are left out of the command, so that no list of processes has them: ykman asks for both.
const ABOUT: &str = "These three values are shown once. To write them into slot 1 of the YubiKey (2 is the other), \
                     run the command and answer its questions:";

impl YubikeyValues {
    /// Of the secret of a YubiKey; `None` for one that is too short.
    #[must_use]
    pub fn of(secret: &Secret) -> Option<Self> {
        let (public_id, private_id, key) = yubikey::parts(secret)?;
        Some(Self {
            public_id: modhex(public_id),
            private_id: Zeroizing::new(HEXLOWER.encode(private_id)),
            key: Zeroizing::new(HEXLOWER.encode(key)),
        })
    }

    fn command(&self) -> String {
        format!("ykman otp yubiotp 1 --public-id {}", self.public_id)
    }

    /// As it stands in a file or in a pipe, where programs read it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "public id:  {}\nprivate id: {}\nkey:        {}\n",
            self.public_id,
            self.private_id.as_str(),
            self.key.as_str(),
        ))
    }

    /// The values below what to do with them on a terminal, alone in a pipe.
    pub fn print(&self, stream: &mut Stream) -> Result<()> {
        let about = match stream.terminal {
            Some(size) => {
                let about = wrapped(ABOUT, size.columns.into()).join("\n");
                format!("{about}\n\n  {}\n\n", self.command())
            }
            None => String::new(),
        };
        let written = stream.writer.write_all(about.as_bytes());
        written
            .and_then(|()| stream.writer.write_all(self.text().as_bytes()))
            .and_then(|()| stream.writer.flush())
            .context("the values of the YubiKey can't be written")
    }

    /// The values below the message and what to do with them; without that where there is no room, and at last as much
    /// as there is room for.
    #[must_use]
    pub fn page_lines(&self, person: &str, message: &str, size: Size) -> Vec<Zeroizing<String>> {
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        let fitted = |text: &str| wrapped(text, columns).into_iter().map(Zeroizing::new);
        let blank = || std::iter::once(Zeroizing::default());
        let text = self.text();
        let values = || text.lines().flat_map(fitted);
        let first = || fitted(&shown(if message.is_empty() { person } else { message }));
        let full = first().chain(blank()).chain(fitted(ABOUT)).chain(blank());
        let full = full.chain(fitted(&self.command())).chain(blank()).chain(values());
        let full: Vec<_> = full.collect();
        if full.len() <= rows {
            return full;
        }
        let short: Vec<_> = first().chain(values()).collect();
        let mut lines = if short.len() <= rows { short } else { values().collect() };
        if lines.len() > rows {
            lines.truncate(rows.saturating_sub(1));
            lines.extend(fitted("Enlarge the terminal to see the rest."));
            lines.truncate(rows);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    fn values() -> YubikeyValues {
        YubikeyValues::of(&yubikey::tests::key()).unwrap()
    }

    #[test]
    fn the_values_are_in_the_form_that_ykman_asks_for() {
        assert_eq!(
            values().text().as_str(),
            "public id:  ccccccnrhbfu\nprivate id: 010203040506\n\
             key:        00112233445566778899aabbccddeeff\n"
        );
        let short = Secret::new(Zeroizing::new(vec![1; 20]));
        assert!(YubikeyValues::of(&short).is_none());
    }

    #[test]
    fn a_page_has_all_values_where_there_is_room_and_is_never_cut_off() {
        let large = values().page_lines("alice", "", Size { columns: 80, rows: 23 });
        let large: Vec<&str> = large.iter().map(|line| line.as_str()).collect();
        assert_eq!(large[0], "alice");
        assert!(large.contains(&"ykman otp yubiotp 1 --public-id ccccccnrhbfu"), "{large:?}");
        assert!(!large.concat().contains("--key"), "no secret in a command");
        assert_eq!(large.last().unwrap(), &"key:        00112233445566778899aabbccddeeff");
        let told =
            values().page_lines("alice", "that code is wrong", Size { columns: 80, rows: 4 });
        assert_eq!((told.len(), told[0].as_str()), (4, "that code is wrong"));
        for columns in 1..90 {
            for rows in 0..20 {
                let lines = values().page_lines("alice", "wrong", Size { columns, rows });
                assert!(lines.len() <= rows.into());
                assert!(lines.iter().all(|line| line.width() <= columns.into()), "{lines:?}");
            }
        }
    }
}
