//! A QR code as a page of a terminal: code, text and message together, never cut off.

use std::cell::RefCell;
use std::rc::Rc;

use zeroize::Zeroizing;

use crate::domain::text::{shown, wrapped};
use crate::env::Size;
use crate::show::qr::{Drawing, TerminalQr, candidates};
use crate::show::qr_instructions::{Amount, GAP, Instructions, beside};

/// The narrowest column of text that is read with pleasure.
const NARROWEST: usize = 11;
const AMOUNTS: [Amount; 3] = [Amount::Full, Amount::Short, Amount::Key];

pub struct QrPage {
    /// Whose device it is. The page covers the lines that said so; where there is no room, the account does.
    pub person: String,
    pub instructions: Instructions,
    /// The key URI, then shorter ones.
    pub uris: Vec<Zeroizing<String>>,
    /// `None` for a page with the key alone.
    pub drawing: Option<Drawing>,
    /// What there is to say about the last answer. It changes while the page is open.
    pub message: Rc<RefCell<String>>,
}

impl QrPage {
    /// Whether a code fits into the terminal with what has to be read.
    pub fn has_room(&self, size: Size) -> bool {
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        let mut drawn =
            self.drawing.into_iter().flat_map(|drawing| candidates(&self.uris, drawing));
        self.drawing.is_none() || drawn.any(|qr| self.fitted(&qr, columns, rows).is_some())
    }

    /// The best code that fits with all that has to be read, or the key and how large the code is.
    pub fn lines(&self, size: Size) -> Vec<Zeroizing<String>> {
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        let mut least = None;
        for qr in self.drawing.into_iter().flat_map(|drawing| candidates(&self.uris, drawing)) {
            if let Some(lines) = self.fitted(&qr, columns, rows) {
                return lines;
            }
            least = Some((qr.width, self.rows_at_least(&qr)));
        }
        if self.drawing.is_none()
            && let Some(lines) = AMOUNTS
                .into_iter()
                .map(|amount| self.texts(columns, amount))
                .find(|lines| lines.len() <= rows)
        {
            return lines;
        }
        let mut lines = self.texts(columns, Amount::Key);
        if let Some((width, height)) = least {
            let words = self.instructions.enlarge(width, height);
            lines.extend(wrapped(&words, columns).into_iter().map(Zeroizing::new));
        }
        lines.truncate(rows);
        lines
    }

    /// The rows of the lowest screen that is as narrow as this code and has it with all that has to be read.
    fn rows_at_least(&self, qr: &TerminalQr) -> usize {
        qr.lines.len() + self.texts(qr.width, Amount::Key).len()
    }

    fn fitted(
        &self,
        qr: &TerminalQr,
        columns: usize,
        rows: usize,
    ) -> Option<Vec<Zeroizing<String>>> {
        if qr.width > columns || qr.lines.len() > rows {
            return None;
        }
        let width = columns.saturating_sub(qr.width + GAP);
        let texts = |width| AMOUNTS.into_iter().map(move |amount| self.texts(width, amount));
        if width >= NARROWEST
            && let Some(text) = texts(width).find(|text| text.len() <= qr.lines.len())
        {
            return Some(beside(qr, &text));
        }
        let left = rows - qr.lines.len();
        let mut lines = texts(columns).find(|text| text.len() <= left)?;
        lines.extend(qr.lines.iter().cloned().map(Zeroizing::new));
        Some(lines)
    }

    fn texts(&self, width: usize, amount: Amount) -> Vec<Zeroizing<String>> {
        let message = self.message.borrow();
        let has_room_for_person = message.is_empty() && amount != Amount::Key;
        let first = if has_room_for_person { &self.person } else { &*message };
        let mut lines: Vec<_> =
            wrapped(&shown(first), width).into_iter().map(Zeroizing::new).collect();
        if amount == Amount::Full && !lines.is_empty() {
            lines.push(Zeroizing::default());
        }
        lines.extend(self.instructions.lines(width, amount));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::factor::totp::Parameters;
    use crate::domain::otpauth;
    use crate::domain::otpauth::AppSettings;
    use crate::domain::secret::Secret;
    use crate::domain::user::Language;
    use crate::texts::Texts;
    use unicode_width::UnicodeWidthStr as _;

    fn page(issuer: &str, account: &str, language: Language) -> QrPage {
        let secret = Secret::new(Zeroizing::new(b"mfactl-sample-alice!".to_vec()));
        let settings = AppSettings::Totp(Parameters::COMMON);
        let mut uris = vec![otpauth::uri(issuer, account, &secret, settings)];
        uris.extend(otpauth::shorter_uris(issuer, account, &secret, settings));
        let instructions = Instructions {
            texts: Texts(language),
            account: account.to_owned(),
            issuer: issuer.to_owned(),
            key: secret.grouped(),
            settings,
            has_code: true,
        };
        QrPage {
            drawing: Some(Drawing::default()),
            person: format!("{account}, Alice Martin"),
            instructions,
            uris,
            message: Rc::default(),
        }
    }

    fn bare(line: &str) -> String {
        line.replace("\u{1b}[38;5;231;48;5;16m", "").replace("\u{1b}[0m", "")
    }

    fn has_code(lines: &[Zeroizing<String>]) -> bool {
        lines.iter().any(|line| line.contains(['█', '▀', '▄']))
    }

    fn has_key(lines: &[Zeroizing<String>]) -> bool {
        let text: String = lines.iter().map(|line| bare(line)).collect::<Vec<_>>().join(" ");
        "NVTG CY3U NQWX GYLN OBWG KLLB NRUW GZJB".split(' ').all(|group| text.contains(group))
    }

    #[test]
    fn d2_nothing_is_cut_off_in_a_terminal_of_any_size() {
        for language in [Language::English, Language::French] {
            let page = page("login1", "alice", language);
            for message in ["", "that code is wrong: the phone's clock is about 4 minutes behind"] {
                message.clone_into(&mut page.message.borrow_mut());
                for columns in (1..130).step_by(7) {
                    for rows in (0..60).step_by(3) {
                        let lines = page.lines(Size { columns, rows });
                        assert!(lines.len() <= rows.into(), "{columns}x{rows}");
                        for line in &lines {
                            assert!(
                                bare(line).width() <= columns.into(),
                                "{columns}x{rows} {line:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn d2_eighty_columns_and_twenty_four_rows_do_for_every_name() {
        let long = "x".repeat(255);
        let foreign = "д".repeat(60);
        for issuer in ["mfactl", "a-rather-long-name-of-a-company-of-forty"] {
            for account in ["alice", "alice.martin@subsidiary.example.com", &long, &foreign] {
                for message in [
                    "",
                    "6 digits, please",
                    "that code is wrong, but it was right \
                     4 minutes ago: the phone's clock is behind: set its time to automatic",
                ] {
                    let page = page(issuer, account, Language::English);
                    message.clone_into(&mut page.message.borrow_mut());
                    let lines = page.lines(Size { columns: 80, rows: 23 });
                    assert!(has_code(&lines) && has_key(&lines), "{issuer} {account}");
                }
            }
        }
        // Smaller ones do for a short name.
        for (columns, rows) in [(60, 23), (40, 23)] {
            let lines = page("mfactl", "alice", Language::English).lines(Size { columns, rows });
            assert!(has_code(&lines) && has_key(&lines), "{columns}: {lines:#?}");
        }
    }

    #[test]
    fn d2_a_screen_too_small_for_the_code_says_so_and_shows_the_key() {
        for (columns, rows) in [(30, 20), (80, 12)] {
            let lines = page("mfactl", "alice", Language::English).lines(Size { columns, rows });
            assert!(!has_code(&lines) && has_key(&lines), "{lines:#?}");
            let text = lines.iter().map(|line| line.as_str()).collect::<Vec<_>>().join(" ");
            let needed = text.split("needs ").nth(1).unwrap();
            let mut numbers = needed.split(' ').filter_map(|word| word.parse::<u16>().ok());
            let (columns, rows) = (numbers.next().unwrap(), numbers.next().unwrap());
            assert_eq!(columns, 37, "{text}");
            for (columns, is_shown) in [(columns, true), (columns + 5, true), (columns - 1, false)]
            {
                let lines =
                    page("mfactl", "alice", Language::English).lines(Size { columns, rows });
                assert_eq!(has_code(&lines), is_shown, "{columns}x{rows}");
            }
            let lower = Size { columns, rows: rows - 1 };
            assert!(!has_code(&page("mfactl", "alice", Language::English).lines(lower)), "{rows}");
        }
    }
}
