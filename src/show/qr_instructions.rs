//! The instructions beside the QR code.

use std::io::{Result, Write};

use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::domain::otpauth::AppSettings;
use crate::domain::text::{shown, wrapped};
use crate::show::qr::TerminalQr;
use crate::texts::{Text, Texts};

/// Columns between the QR code and the text.
pub const GAP: usize = 2;
/// The narrowest text whose lines are as they were written.
const FULL_WIDTH: usize = 28;

/// What is to be read beside a QR code, or typed instead.
pub struct Instructions {
    pub texts: Texts,
    pub account: String,
    pub issuer: String,
    /// The secret in groups of four letters.
    pub key: Zeroizing<String>,
    pub settings: AppSettings,
    /// Whether a QR code stands beside it.
    pub has_code: bool,
}

/// How much is said where there is little room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Full,
    /// No blank lines, and no words that most people can do without.
    Short,
    /// What has to be typed.
    Key,
}

impl Instructions {
    /// Writes the code with the text beside it; in a narrow terminal the text comes first, so that the
    /// code stays in view. `columns` is `None` in a pipe.
    pub fn write(&self, out: &mut dyn Write, columns: Option<u16>, qr: &TerminalQr) -> Result<()> {
        let columns = columns.map_or(usize::MAX, usize::from);
        let width = columns.saturating_sub(qr.width + GAP);
        if width < FULL_WIDTH {
            write_lines(out, &self.lines(columns.max(FULL_WIDTH), Amount::Full))?;
            return qr.lines.iter().try_for_each(|l| writeln!(out, "{l}"));
        }
        let lines = self.lines(width, Amount::Full);
        write_lines(out, &beside(qr, &lines))
    }

    /// Writes the text without a code, below the reason if there is one.
    pub fn write_key(&self, out: &mut dyn Write, columns: Option<u16>, why: &str) -> Result<()> {
        let columns = columns.map_or(usize::MAX, usize::from);
        if !why.is_empty() {
            wrapped(why, columns).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        write_lines(out, &self.lines(columns.max(FULL_WIDTH), Amount::Full))
    }

    /// Writes how high the code is, below one of which the top is out of view.
    pub fn write_height(&self, out: &mut dyn Write, qr: &TerminalQr) -> Result<()> {
        let rows = qr.lines.len().to_string();
        let words = self.texts.fill(Text::QrTooHigh, &[("rows", &rows)]);
        wrapped(&words, qr.width).iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    /// Why a code of so many columns and rows is not drawn. Rows are no reason for one that scrolls.
    pub fn too_small(&self, (width, height): (usize, usize), scrolls: bool) -> String {
        if scrolls {
            let columns = width.to_string();
            return self.texts.fill(Text::QrTooNarrow, &[("columns", &columns)]);
        }
        self.size(Text::CardTooSmall, width, height + 1)
    }

    /// The sentence for a screen that is too small for a code of so many columns and rows.
    pub fn enlarge(&self, width: usize, height: usize) -> String {
        self.size(Text::CardEnlarge, width, height)
    }

    fn size(&self, text: Text, width: usize, height: usize) -> String {
        let values = [("columns", &*width.to_string()), ("rows", &*height.to_string())];
        self.texts.fill(text, &values)
    }

    /// An account that is too long is truncated; the code has the full name.
    pub fn lines(&self, width: usize, amount: Amount) -> Vec<Zeroizing<String>> {
        let texts = self.texts;
        let mut lines = Vec::new();
        let is_full = amount == Amount::Full;
        let blank = || is_full.then(String::new);
        if !self.has_code {
            let words = texts.text(Text::TypeKey);
            lines.extend(wrapped(words, width));
        } else if amount != Amount::Key {
            lines.extend(fitted(texts.text(Text::CardScan), width));
        }
        lines.extend(blank());
        let groups: Vec<&str> = self.key.split(' ').collect();
        let (each, indent) = match width {
            21.. => (4, 2),
            19.. => (4, 0),
            9.. => (2, 0),
            _ => (1, 0),
        };
        for part in groups.chunks(each) {
            let fits = wrapped(&part.join(" "), width);
            lines.extend(fits.into_iter().map(|line| format!("{:indent$}{line}", "")));
        }
        lines.extend(blank());
        let (account, issuer) = (shown(&self.account), shown(&self.issuer));
        let rows = if width < FULL_WIDTH { 3 } else { 1 };
        let account = format!("{} {account} ({issuer})", texts.text(Text::CardAccount));
        lines.extend(wrapped(&truncate(&account, width.saturating_mul(rows)), width));
        // Whoever types the key of a counter-based device has to tell the app its kind and counter too.
        if is_full || !self.settings.are_common() || matches!(self.settings, AppSettings::Hotp(..))
        {
            lines.extend(wrapped(&self.settings_line(), width));
        }
        if is_full {
            lines.push(String::new());
            lines.extend(fitted(texts.text(Text::CardOnly), width));
        }
        lines.into_iter().map(Zeroizing::new).collect()
    }

    /// Such as "TOTP, SHA1, 6 digits, 30 s".
    fn settings_line(&self) -> String {
        let texts = self.texts;
        let (kind, algorithm, moving) = match self.settings {
            AppSettings::Totp(p) => ("TOTP", p.algorithm, format!("{} s", p.period)),
            AppSettings::Hotp(p, counter) => {
                ("HOTP", p.algorithm, format!("{} {counter}", texts.text(Text::CardCounter)))
            }
        };
        let digits = self.settings.digits();
        let noun = texts.text(Text::CardDigits);
        format!("{kind}, {}, {digits} {noun}, {moving}", algorithm.as_str())
    }
}

/// The lines as they were written, or broken anew where they don't fit.
fn fitted(text: &str, width: usize) -> Vec<String> {
    if text.lines().all(|line| line.width() <= width) {
        return text.lines().map(str::to_owned).collect();
    }
    wrapped(&text.replace('\n', " "), width)
}

/// The code, with the text beside the middle of it.
pub fn beside(qr: &TerminalQr, lines: &[Zeroizing<String>]) -> Vec<Zeroizing<String>> {
    let first = qr.lines.len().saturating_sub(lines.len()) / 2;
    let row = |(row, qr_line): (usize, &String)| {
        let text = row.checked_sub(first).and_then(|i| lines.get(i));
        Zeroizing::new(match text {
            Some(line) => format!("{qr_line}{:GAP$}{}", "", line.as_str()),
            None => qr_line.clone(),
        })
    };
    qr.lines.iter().enumerate().map(row).collect()
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
