//! A printed list of numbered codes: on a page of a terminal, in a file, in a pipe.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::text::{shown, wrapped};
use crate::domain::time::Timestamp;
use crate::env::{OpenPage, Size};
use crate::files::file_trust::display_path;
use crate::show::secret_output::{SecretOutput, Target, write_file};
use crate::texts::{Text, Texts};

/// Columns of a sheet of paper.
const SHEET: usize = 80;
/// Blanks between two codes in a row.
const GAP: usize = 3;
/// A page has no words above the codes if they leave less rows for these.
const FEWEST_ROWS: usize = 4;

/// Columns that a terminal keeps free behind a question, for the answer.
const ANSWER: usize = 12;

/// The codes, as they are printed.
#[derive(Clone)]
pub struct PaperList {
    pub texts: Texts,
    pub user: String,
    pub label: String,
    pub made: Timestamp,
    pub codes: Vec<Zeroizing<String>>,
}

/// The page of a list that is in view. It is laid out anew whenever the terminal is resized.
struct View {
    size: Size,
    /// How many codes were on the pages before.
    first: usize,
    /// How many were on the pages before and this one.
    end: usize,
    /// The words above the codes.
    message: String,
    /// Columns of the question below the page, and of the one that is asked at the end. Its rows are kept free
    /// on the last page, so that no code has to wait for one more page behind it.
    asked: usize,
    last_asked: usize,
}

impl View {
    const fn new(message: String) -> Self {
        let size = Size { columns: 0, rows: 0 };
        Self { size, first: 0, end: 0, message, asked: 0, last_asked: 0 }
    }

    /// Rows that the question at the end takes beyond those of the one that is asked now.
    const fn kept_rows(&self, columns: usize) -> usize {
        self.last_asked.div_ceil(columns).saturating_sub(self.asked.div_ceil(columns))
    }
}

/// A list on pages of a terminal, which are wiped in the end.
pub struct OpenList {
    _page: OpenPage,
    list: PaperList,
    view: Rc<RefCell<View>>,
}

impl PaperList {
    /// Where there is a terminal with pages, the open page, on whose end this question is asked; otherwise the list is
    /// written and flushed.
    pub fn show(
        &self,
        app: &mut App<'_>,
        output: SecretOutput,
        question: &str,
    ) -> Result<Option<OpenList>> {
        if output.is_for_page(app) {
            return self.open(app, question).map(Some);
        }
        match output.target(app) {
            None => {}
            Some(Target::File(file)) => {
                let file = write_file(file, self.text(SHEET).as_bytes())?;
                let path = display_path(file.path());
                app.note(&format!("wrote the codes to {path}; delete the file after printing it"));
                file.keep();
            }
            Some(Target::Stream(stream)) => {
                let columns = stream.terminal.map_or(SHEET, |size| size.columns.into());
                let written = stream.writer.write_all(self.text(columns).as_bytes());
                let flushed = written.and_then(|()| stream.writer.flush());
                flushed.context("the codes can't be written")?;
            }
        }
        Ok(None)
    }

    fn open(&self, app: &mut App<'_>, question: &str) -> Result<OpenList> {
        let mut view = View::new(self.texts.text(Text::ListAbout).to_owned());
        view.last_asked = question.width() + ANSWER;
        let view = Rc::new(RefCell::new(view));
        let (list, seen) = (self.clone(), Rc::clone(&view));
        let page = Box::new(move |size| list.page_lines(size, &mut seen.borrow_mut()));
        let page = app.person("add --output FILE.txt")?.open_page(page);
        let page = page.context("the codes can't be shown")?;
        Ok(OpenList { _page: page, list: self.clone(), view })
    }

    fn title(&self) -> String {
        let made = self.texts.date(self.made);
        let values = [("user", &*self.user), ("device", &*self.label), ("date", &*made)];
        self.texts.fill(Text::ListTitle, &values)
    }

    /// As it is printed.
    fn text(&self, columns: usize) -> Zeroizing<String> {
        let rows = self.rows(0, self.codes.len(), columns);
        let title = wrapped(&self.title(), columns).join("\n") + "\n\n";
        let mut text =
            Zeroizing::new(String::with_capacity(title.len() + rows.len() * (columns + 1) + 1));
        text.push_str(&title);
        for row in &rows {
            text.push_str(row);
            text.push('\n');
        }
        text.push('\n');
        text
    }

    /// A code with its number, as wide as every other.
    fn entry(&self, index: usize) -> Zeroizing<String> {
        let digits = self.codes.len().to_string().len();
        let code = self.codes.get(index).map(|code| code.as_str()).unwrap_or_default();
        Zeroizing::new(format!("{:>digits$}. {code}", index + 1))
    }

    fn in_a_row(&self, columns: usize) -> usize {
        ((columns + GAP) / (self.entry(0).width() + GAP)).max(1)
    }

    /// Some of the codes in columns, each of which is read downwards.
    fn rows(&self, first: usize, count: usize, columns: usize) -> Vec<Zeroizing<String>> {
        let height = count.div_ceil(self.in_a_row(columns));
        let row = |row: usize| {
            let mut text = Zeroizing::new(String::with_capacity(columns + 1));
            for index in (row..count).step_by(height) {
                if index != row {
                    text.push_str(&" ".repeat(GAP));
                }
                text.push_str(&self.entry(first + index));
            }
            text
        };
        (0..height).map(row).collect()
    }

    /// As many codes as there is room for, below what they are.
    fn page_lines(&self, size: Size, view: &mut View) -> Vec<Zeroizing<String>> {
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        view.size = size;
        let mut lines: Vec<_> =
            wrapped(&shown(&view.message), columns).into_iter().map(Zeroizing::new).collect();
        lines.push(Zeroizing::default());
        if lines.len() + FEWEST_ROWS + view.kept_rows(columns) > rows {
            lines.clear();
        }
        let room = rows - lines.len();
        let is_too_narrow = self.entry(0).width() > columns;
        if room == 0 || is_too_narrow {
            view.end = view.first;
            let enlarge = wrapped(self.texts.text(Text::ListEnlarge), columns);
            lines = enlarge.into_iter().map(Zeroizing::new).take(rows).collect();
            return lines;
        }
        let left = self.codes.len() - view.first;
        let mut count = left.min(room * self.in_a_row(columns));
        if count == left {
            // On the smallest terminals codes go before the question.
            let room = room.saturating_sub(view.kept_rows(columns)).max(1);
            count = left.min(room * self.in_a_row(columns));
        }
        view.end = view.first + count;
        lines.extend(self.rows(view.first, count, columns));
        lines
    }
}

impl OpenList {
    /// Turns the pages until the last one is in view.
    pub fn read_to_end(&self, app: &mut App<'_>) -> Result<()> {
        while !self.is_at_end() {
            self.ask_below(app, "Enter shows the next codes")?;
            self.turn();
        }
        Ok(())
    }

    /// Asks below the last page. Of a longer question, or on a terminal that was made smaller meanwhile, some codes may
    /// have gone to one more page.
    pub fn ask(&self, app: &mut App<'_>, question: &str) -> Result<Zeroizing<String>> {
        let answer = self.ask_below(app, question)?;
        while !self.is_at_end() {
            self.turn();
            self.ask_below(app, "Enter goes on")?;
        }
        Ok(answer)
    }

    /// Puts these words above the codes.
    pub fn say(&self, words: &str) {
        words.clone_into(&mut self.view.borrow_mut().message);
    }

    fn ask_below(&self, app: &mut App<'_>, question: &str) -> Result<Zeroizing<String>> {
        self.view.borrow_mut().asked = question.width() + ANSWER;
        app.person("add --output FILE.txt")?.line(question)
    }

    fn is_at_end(&self) -> bool {
        self.view.borrow().end >= self.list.codes.len()
    }

    fn turn(&self) {
        let view = &mut self.view.borrow_mut();
        view.first = view.end;
        let _to_be_drawn = self.list.page_lines(view.size, view);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;
    use crate::domain::user::Language;

    fn list(codes: usize) -> PaperList {
        let code = |n| Zeroizing::new(format!("{n:05}-ABCDE"));
        PaperList {
            texts: Texts(Language::English),
            user: "alice".to_owned(),
            label: "paper".to_owned(),
            made: at(0),
            codes: (1..=codes).map(code).collect(),
        }
    }

    /// All pages at a size, turned to the end.
    fn pages(list: &PaperList, columns: u16, rows: u16) -> Vec<Vec<String>> {
        let mut view = View::new("Each is good once.".to_owned());
        let mut pages = Vec::new();
        while pages.is_empty() || view.end < list.codes.len() && pages.len() < 200 {
            view.first = view.end;
            let lines = list.page_lines(Size { columns, rows }, &mut view);
            assert!(lines.len() <= rows.into(), "{columns}x{rows}: {lines:?}");
            assert!(lines.iter().all(|line| line.width() <= columns.into()), "{lines:?}");
            pages.push(lines.iter().map(|line| line.to_string()).collect());
        }
        pages
    }

    #[test]
    fn fifty_codes_are_on_one_page_of_eighty_columns_in_four_columns() {
        let pages = pages(&list(50), 80, 23);
        assert_eq!(pages.len(), 1);
        assert_eq!(pages[0].len(), 2 + 13, "{pages:?}");
        assert_eq!(
            pages[0][2],
            " 1. 00001-ABCDE   14. 00014-ABCDE   27. 00027-ABCDE   40. 00040-ABCDE"
        );
        assert_eq!(
            pages[0].last().unwrap().trim_end(),
            "13. 00013-ABCDE   26. 00026-ABCDE   39. 00039-ABCDE"
        );
    }

    #[test]
    fn every_code_is_on_a_page_at_any_size_that_has_room_for_one() {
        for (columns, rows, expected) in [(80, 23, 2), (60, 23, 2), (40, 23, 3), (80, 5, 5)] {
            assert_eq!(pages(&list(100), columns, rows).len(), expected, "{columns}x{rows}");
        }
        assert_eq!(pages(&list(50), 60, 23).len(), 1);
        assert_eq!(pages(&list(50), 40, 23).len(), 2);
        for columns in 16..90 {
            for rows in 1..30 {
                let text = pages(&list(100), columns, rows).concat().join("\n");
                let is_there = |n: usize| text.contains(&format!("{n}. {n:05}-ABCDE"));
                assert!((1..=100).all(is_there), "{columns}x{rows}");
            }
        }
        for (columns, rows) in [(15, 23), (1, 1), (80, 0)] {
            let text = pages(&list(100), columns, rows)[0].join(" ");
            assert!(!text.contains("ABCDE"), "{text}");
        }
    }

    #[test]
    fn a_sheet_has_the_title_and_all_codes() {
        let text = list(10).text(SHEET);
        let (title, rest) = text.split_once("\n\n").unwrap();
        let expected = "Codes of alice: paper, made 1 January 1970 at 00:00 (UTC). Each is good once, in any order.";
        assert_eq!(title.replace('\n', " "), expected);
        assert!(rest.starts_with(" 1. 00001-ABCDE    4. 00004-ABCDE"), "{text:?}");
        let french = PaperList { texts: Texts(Language::French), ..list(10) }.text(SHEET);
        let start =
            "Codes de alice\u{a0}: paper, liste du 1er janvier 1970 à 0\u{a0}h\u{a0}00 (UTC).";
        assert!(french.replace('\n', " ").starts_with(start), "{french:?}");
        assert_eq!(text.matches("ABCDE").count(), 10);
        assert!(text.ends_with("ABCDE\n\n"), "{text:?}");
    }
}
