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

pub struct Sheet<'a> {
    pub key: &'a Key<'a>,
    pub language: Language,
    /// Columns of the terminal; `None` in a pipe.
    pub columns: Option<u16>,
}

struct Words {
    scan: &'static str,
    or_type: &'static str,
    account: &'static str,
    digits: &'static str,
    never: [&'static str; 2],
    too_small: fn(usize, usize) -> String,
}

const ENGLISH: Words = Words {
    scan: "Scan this with your authenticator app,",
    or_type: "or type this key:",
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
    scan: "Scannez ceci avec votre application,",
    or_type: "ou saisissez cette clé\u{a0}:",
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
    /// Writes the picture with the words beside it, or below it where the terminal is narrow; or,
    /// where the picture does not fit, the words and why.
    pub fn write(
        &self,
        out: &mut dyn Write,
        drawn: std::result::Result<Drawn, (usize, usize)>,
    ) -> Result<()> {
        let words = match self.language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        };
        let lines = self.lines(words);
        let drawn = match drawn {
            Ok(drawn) => drawn,
            Err((width, height)) => {
                writeln!(out, "{}", (words.too_small)(width, height + 1))?;
                return lines.iter().try_for_each(|l| writeln!(out, "{}", l.as_str()));
            }
        };
        let widest = lines.iter().map(|l| l.width()).max().unwrap_or(0);
        let room = self.columns.map_or(usize::MAX, usize::from);
        if drawn.width + GAP + widest > room {
            drawn.lines.iter().try_for_each(|l| writeln!(out, "{l}"))?;
            return lines.iter().try_for_each(|l| writeln!(out, "{}", l.as_str()));
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

    fn lines(&self, words: &Words) -> Vec<Zeroizing<String>> {
        let key = self.key;
        let p = key.device.parameters;
        let mut lines: Vec<String> = vec![words.scan.into(), words.or_type.into(), String::new()];
        let grouped = key.secret.grouped();
        let groups: Vec<&str> = grouped.split(' ').collect();
        lines.extend(groups.chunks(4).map(|four| format!("  {}", four.join(" "))));
        lines.push(String::new());
        let (account, issuer) = (shown(key.user.name.as_str()), shown(key.issuer));
        lines.push(format!("{} {account} ({issuer})", words.account));
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
