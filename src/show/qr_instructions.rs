//! The instructions beside the QR code, in English and in French.

use std::io::{Result, Write};

use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::domain::otpauth::AppSettings;
use crate::domain::text::{shown, wrapped};
use crate::domain::user::Language;
use crate::show::qr::TerminalQr;
use crate::texts;
use crate::texts::Text;

/// Columns between the QR code and the text.
pub const GAP: usize = 2;
/// The narrowest text whose lines are as they were written.
const FULL_WIDTH: usize = 28;

/// What is to be read beside a QR code, or typed instead.
pub struct Instructions {
    pub language: Language,
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

struct Texts {
    scan: [&'static str; 2],
    account: &'static str,
    digits: &'static str,
    counter: &'static str,
    only: [&'static str; 2],
    too_small: fn(usize, usize) -> String,
    enlarge: fn(usize, usize) -> String,
}

const ENGLISH: Texts = Texts {
    scan: ["Scan this with your", "authenticator app, or type:"],
    account: "Account:",
    digits: "digits",
    counter: "counter",
    only: ["Only this screen and your", "sign-in ask for a code."],
    too_small: |w, h| {
        format!(
            "The QR code needs {w} columns and {h} rows: enlarge the terminal and run show-qr, or use --output FILE.png."
        )
    },
    enlarge: |w, h| {
        format!("The QR code needs {w} columns and {h} rows: enlarge the terminal, and it appears.")
    },
};

const FRENCH: Texts = Texts {
    scan: ["Scannez ceci avec votre", "application, ou saisissez\u{a0}:"],
    account: "Compte\u{a0}:",
    digits: "chiffres",
    counter: "compteur",
    only: ["Seuls cet écran et votre", "connexion demandent un code."],
    too_small: |w, h| {
        format!(
            "Le QR code demande {w} colonnes et {h} lignes\u{a0}: agrandissez le terminal puis lancez show-qr, ou utilisez --output FICHIER.png."
        )
    },
    enlarge: |w, h| {
        format!(
            "Le QR code demande {w} colonnes et {h} lignes\u{a0}: agrandissez le terminal, et il apparaît."
        )
    },
};

impl Instructions {
    const fn texts(&self) -> &'static Texts {
        match self.language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        }
    }

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
        let words = texts::Texts(self.language).fill(Text::QrTooHigh, &[("rows", &rows)]);
        wrapped(&words, qr.width).iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    /// Why a code of so many columns and rows is not drawn. Rows are no reason for one that scrolls.
    pub fn too_small(&self, (width, height): (usize, usize), scrolls: bool) -> String {
        if scrolls {
            let columns = width.to_string();
            return texts::Texts(self.language).fill(Text::QrTooNarrow, &[("columns", &columns)]);
        }
        (self.texts().too_small)(width, height + 1)
    }

    /// The sentence for a screen that is too small for a code of so many columns and rows.
    pub fn enlarge(&self, width: usize, height: usize) -> String {
        (self.texts().enlarge)(width, height)
    }

    /// An account that is too long is truncated; the code has the full name.
    pub fn lines(&self, width: usize, amount: Amount) -> Vec<Zeroizing<String>> {
        let texts = self.texts();
        let mut lines = Vec::new();
        let is_full = amount == Amount::Full;
        let blank = || is_full.then(String::new);
        if !self.has_code {
            let words = texts::Texts(self.language).text(Text::TypeKey);
            lines.extend(wrapped(words, width));
        } else if amount != Amount::Key {
            lines.extend(fitted(texts.scan, width));
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
        let account = format!("{} {account} ({issuer})", texts.account);
        lines.extend(wrapped(&truncate(&account, width.saturating_mul(rows)), width));
        // Whoever types the key of a counter-based device has to tell the app its kind and counter too.
        if is_full || !self.settings.are_common() || matches!(self.settings, AppSettings::Hotp(..))
        {
            lines.extend(wrapped(&self.settings_line(), width));
        }
        if is_full {
            lines.push(String::new());
            lines.extend(fitted(texts.only, width));
        }
        lines.into_iter().map(Zeroizing::new).collect()
    }

    /// Such as "TOTP, SHA1, 6 digits, 30 s".
    fn settings_line(&self) -> String {
        let texts = self.texts();
        let (kind, algorithm, moving) = match self.settings {
            AppSettings::Totp(p) => ("TOTP", p.algorithm, format!("{} s", p.period)),
            AppSettings::Hotp(p, counter) => {
                ("HOTP", p.algorithm, format!("{} {counter}", texts.counter))
            }
        };
        let digits = self.settings.digits();
        format!("{kind}, {}, {digits} {}, {moving}", algorithm.as_str(), texts.digits)
    }
}

/// The lines as they were written, or broken anew where they don't fit.
fn fitted(lines: [&str; 2], width: usize) -> Vec<String> {
    if lines.iter().all(|line| line.width() <= width) {
        return lines.map(str::to_owned).to_vec();
    }
    wrapped(&lines.join(" "), width)
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
