//! The instructions beside the QR code, in English and in French.

use std::io::{Result, Write};

use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::domain::factor::Factor;
use crate::domain::text::shown;
use crate::domain::user::Language;
use crate::show::EnrolmentKey;
use crate::show::qr::TerminalQr;

/// Columns between the QR code and the text.
const GAP: usize = 2;
/// The narrowest useful line of text, in columns.
const MIN_TEXT_WIDTH: usize = 28;

pub struct QrInstructions<'a> {
    pub key: &'a EnrolmentKey<'a>,
    pub language: Language,
    /// Columns of the terminal; `None` in a pipe.
    pub columns: Option<u16>,
}

struct Texts {
    scan: [&'static str; 2],
    account: &'static str,
    digits: &'static str,
    never: [&'static str; 2],
    too_small: fn(usize, usize) -> String,
}

const ENGLISH: Texts = Texts {
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

const FRENCH: Texts = Texts {
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

impl QrInstructions<'_> {
    /// Writes the code with the text beside it; in a narrow terminal the text comes first, so that the
    /// code stays in view. Where the code does not fit, writes the reason and the text.
    pub fn write(
        &self,
        out: &mut dyn Write,
        qr: std::result::Result<TerminalQr, (usize, usize)>,
    ) -> Result<()> {
        let texts = match self.language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        };
        let columns = self.columns.map_or(usize::MAX, usize::from);
        let qr = match qr {
            Ok(qr) => qr,
            Err((width, height)) => {
                writeln!(out, "{}", (texts.too_small)(width, height + 1))?;
                return write_lines(out, &self.lines(texts, columns));
            }
        };
        let lines = self.lines(texts, columns.saturating_sub(qr.width + GAP));
        let widest = lines.iter().map(|l| l.width()).max().unwrap_or(0);
        if qr.width + GAP + widest > columns {
            write_lines(out, &lines)?;
            return qr.lines.iter().try_for_each(|l| writeln!(out, "{l}"));
        }
        let first = qr.lines.len().saturating_sub(lines.len()) / 2;
        for (row, qr_line) in qr.lines.iter().enumerate() {
            match row.checked_sub(first).and_then(|i| lines.get(i)) {
                Some(line) => writeln!(out, "{qr_line}{:GAP$}{}", "", line.as_str())?,
                None => writeln!(out, "{qr_line}")?,
            }
        }
        Ok(())
    }

    /// An account that is too long is truncated; the code has the full name.
    fn lines(&self, texts: &Texts, width: usize) -> Vec<Zeroizing<String>> {
        let key = self.key;
        let Factor::Totp(p) = key.device.factor;
        let mut lines: Vec<String> =
            vec![texts.scan[0].into(), texts.scan[1].into(), String::new()];
        let grouped = key.secret.grouped();
        let groups: Vec<&str> = grouped.split(' ').collect();
        lines.extend(groups.chunks(4).map(|four| format!("  {}", four.join(" "))));
        lines.push(String::new());
        let (account, issuer) = (shown(key.user.name.as_str()), shown(key.issuer));
        lines.push(truncate(
            &format!("{} {account} ({issuer})", texts.account),
            width.max(MIN_TEXT_WIDTH),
        ));
        lines.push(format!(
            "TOTP, {}, {} {}, {} s",
            p.algorithm.as_str(),
            p.digits,
            texts.digits,
            p.period
        ));
        lines.push(String::new());
        lines.extend(texts.never.map(str::to_owned));
        lines.into_iter().map(Zeroizing::new).collect()
    }
}

fn write_lines(out: &mut dyn Write, lines: &[Zeroizing<String>]) -> Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{}", line.as_str()))
}

fn truncate(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
