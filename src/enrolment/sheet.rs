//! What a user reads beside the QR code, in English and in French.

use std::io::{Result, Write};

use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use super::Key;
use crate::domain::text::shown;
use crate::domain::user::Language;
use crate::picture::Drawn;

/// Columns between the picture and the words beside it.
const GAP: usize = 2;
/// Columns of the shortest words worth writing.
const SHORTEST: usize = 28;

pub struct Sheet<'a> {
    pub key: &'a Key<'a>,
    pub language: Language,
    /// Columns of the terminal; `None` in a pipe.
    pub columns: Option<u16>,
}

struct Words {
    scan: [&'static str; 2],
    account: &'static str,
    digits: &'static str,
    never: [&'static str; 2],
    too_small: fn(usize, usize) -> String,
}

const ENGLISH: Words = Words {
    scan: ["Scan this with your", "authenticator app, or type:"],
    account: "Account:",
    digits: "digits",
    never: ["We will never ask you", "for a code or this key."],
    too_small: |w, h| {
        format!(
            "The QR code needs {w} columns and {h} rows: enlarge the terminal and run show-qr, or use --output FILE.png."
        )
    },
};

const FRENCH: Words = Words {
    scan: ["Scannez ceci avec votre", "application, ou saisissez\u{a0}:"],
    account: "Compte\u{a0}:",
    digits: "chiffres",
    never: ["Nous ne vous demanderons", "jamais un code ni cette clé."],
    too_small: |w, h| {
        format!(
            "Le QR code demande {w} colonnes et {h} lignes\u{a0}: agrandissez le terminal puis lancez show-qr, ou utilisez --output FICHIER.png."
        )
    },
};

impl Sheet<'_> {
    /// Writes the picture with the words beside it, or above it where the terminal is narrow, so
    /// that the picture is in view; or, where it does not fit, why, and the words.
    pub fn write(
        &self,
        out: &mut dyn Write,
        drawn: std::result::Result<Drawn, (usize, usize)>,
    ) -> Result<()> {
        let words = match self.language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        };
        let columns = self.columns.map_or(usize::MAX, usize::from);
        let drawn = match drawn {
            Ok(drawn) => drawn,
            Err((width, height)) => {
                writeln!(out, "{}", (words.too_small)(width, height + 1))?;
                return all(out, &self.lines(words, columns));
            }
        };
        let lines = self.lines(words, columns.saturating_sub(drawn.width + GAP));
        let widest = lines.iter().map(|l| l.width()).max().unwrap_or(0);
        if drawn.width + GAP + widest > columns {
            all(out, &lines)?;
            return drawn.lines.iter().try_for_each(|l| writeln!(out, "{l}"));
        }
        let first = drawn.lines.len().saturating_sub(lines.len()) / 2;
        for (row, picture) in drawn.lines.iter().enumerate() {
            match row.checked_sub(first).and_then(|i| lines.get(i)) {
                Some(line) => writeln!(out, "{picture}{:GAP$}{}", "", line.as_str())?,
                None => writeln!(out, "{picture}")?,
            }
        }
        Ok(())
    }

    /// The words; an account too long for the room is cut, since the picture has it whole.
    fn lines(&self, words: &Words, room: usize) -> Vec<Zeroizing<String>> {
        let key = self.key;
        let p = key.device.parameters;
        let mut lines: Vec<String> =
            vec![words.scan[0].into(), words.scan[1].into(), String::new()];
        let grouped = key.secret.grouped();
        let groups: Vec<&str> = grouped.split(' ').collect();
        lines.extend(groups.chunks(4).map(|four| format!("  {}", four.join(" "))));
        lines.push(String::new());
        let (account, issuer) = (shown(key.user.name.as_str()), shown(key.issuer));
        lines.push(cut(&format!("{} {account} ({issuer})", words.account), room.max(SHORTEST)));
        lines.push(format!(
            "TOTP, {}, {} {}, {} s",
            p.algorithm.as_str(),
            p.digits,
            words.digits,
            p.period
        ));
        lines.push(String::new());
        lines.extend(words.never.map(str::to_owned));
        lines.into_iter().map(Zeroizing::new).collect()
    }
}

fn all(out: &mut dyn Write, lines: &[Zeroizing<String>]) -> Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{}", line.as_str()))
}

fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{kept}…")
}
