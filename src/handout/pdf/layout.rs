//! From measured words to a page: one size for all, which the caller makes smaller until the page is full at most.

use crate::domain::paper_size::PaperSize;
use crate::handout::pdf::content::{
    FactWords, ListWords, Numbered, PageWords, SectionWords, SheetWords,
};
use crate::handout::pdf::font::Measured;
use crate::handout::pdf::lines::{Overlong, width_of, words};
use crate::handout::pdf::plan::{
    Align, BlockKind, Column, Leading, Passage, Plan, QrPlace, Shape, Style, runs,
};
use crate::handout::pdf::qr::QUIET_ZONE;

/// A page in two languages has little room: its lines are nearer to each other and to the edge.
const ROOMY: Spacing = Spacing { margin: 44.0, leading: Leading(1.34) };
const DENSE: Spacing = Spacing { margin: 32.0, leading: Leading(1.22) };
/// Between columns.
const GAP: f32 = 22.0;
/// From a frame to what is in it.
const PADDING: f32 = 9.0;
const CENTIMETRE: f32 = 72.0 / 2.54;
/// Of the QR code without its quiet zone: it is read from a print of 150 dots an inch.
const QR_SIDE: f32 = 4.2 * CENTIMETRE;
/// Of a QR code with much in it: four dots of such a print.
const SMALLEST_MODULE: f32 = 4.0 * 72.0 / 150.0;
/// What a QR code may take of the width, with its quiet zone.
const WIDEST_QR: f32 = 9.0 * CENTIMETRE;

/// In points.
pub const fn size_of(paper: PaperSize) -> (f32, f32) {
    match paper {
        PaperSize::A4 => (595.28, 841.89),
        PaperSize::Letter => (612.0, 792.0),
    }
}

#[derive(Clone, Copy)]
struct Spacing {
    margin: f32,
    leading: Leading,
}

/// The page with letters of a size. `None` if it would be longer than the paper.
pub fn plan(content: &PageWords, paper: PaperSize, size: f32) -> Option<Plan<'_>> {
    let (width, height) = size_of(paper);
    let spacing = if content.sheets.len() > 1 { DENSE } else { ROOMY };
    let margin = spacing.margin;
    let mut page = Typesetter { content, size, leading: spacing.leading, plan: Plan::default() };
    let sheets = content.sheets.iter().enumerate();
    let whole = Column {
        x: margin,
        y: margin,
        width: width - 2.0 * margin,
        part: Passage::Foot,
        language: content.sheets.first()?.language,
    };
    let count = u16::try_from(content.sheets.len()).ok()?;
    let columns = sheets.zip(whole.split(count, GAP));
    let mut columns: Vec<Column> = columns
        .map(|((number, sheet), column)| Column {
            part: Passage::Head(number),
            language: sheet.language,
            ..column
        })
        .collect();
    let end = page.fill(&mut columns, whole)?;
    let foot = page.foot_height(&columns);
    if end + foot > height - margin {
        return None;
    }
    page.foot(&columns, height - margin - foot, whole);
    Some(page.plan)
}

struct Typesetter<'a> {
    content: &'a PageWords,
    size: f32,
    leading: Leading,
    plan: Plan<'a>,
}

/// All columns go on below the longest.
fn level(columns: &mut [Column], gap: f32) -> f32 {
    let lowest = columns.iter().fold(0.0, |lowest: f32, column| lowest.max(column.y));
    for column in columns {
        column.y = lowest + gap;
    }
    lowest + gap
}

impl<'a> Typesetter<'a> {
    /// Everything but the foot. Returns where it ends; `None` where something does not fit.
    fn fill(&mut self, columns: &mut [Column], whole: Column) -> Option<f32> {
        let sheets = self.content.sheets.iter();
        let is_single = columns.len() == 1;
        let title = Style {
            role: BlockKind::Title,
            ..self.leading.heading(self.size * if is_single { 1.9 } else { 1.5 })
        };
        for (sheet, column) in sheets.clone().zip(&mut *columns) {
            self.plan.write(&sheet.title, title, column);
        }
        let y = level(columns, self.size * 0.5);
        self.plan.shapes.push(Shape::Bar { x: whole.x, y, width: whole.width, height: 1.5 });
        level(columns, self.size * 0.9);
        for (sheet, column) in sheets.clone().zip(&mut *columns) {
            self.paragraphs(&sheet.why, column);
            if !sheet.facts.is_empty() {
                column.y += self.size * 0.5;
                self.facts(&sheet.facts, self.size, column);
            }
        }
        level(columns, self.size);
        let done = match columns {
            [column] => self.steps_beside_key(column),
            _ => self.steps_below_key(columns, whole),
        };
        level(columns, self.size * 1.1);
        for (sheet, column) in sheets.zip(&mut *columns) {
            self.sections(&sheet.sections[done..], column);
        }
        let y = level(columns, 0.0);
        self.code_lists(columns, Column { y, part: Passage::Codes, ..whole })
    }

    fn paragraphs(&mut self, texts: &'a [Measured], column: &mut Column) {
        for text in texts {
            self.plan.write(text, self.leading.paragraph(self.size), column);
            column.y += self.size * 0.35;
        }
    }

    /// Names beside their values.
    fn facts(&mut self, facts: &'a [FactWords], size: f32, column: &mut Column) {
        let names = facts.iter().map(|fact| width_of(&fact.name.letters, size));
        let widest = names.fold(0.0, f32::max).min(column.width * 0.42);
        let style = self.leading.paragraph(size);
        for fact in facts {
            let mut name = Column { width: widest + 0.1, ..*column };
            let mut value = column.inset(widest + size, 0.0);
            let mut both = runs(&fact.name, style, &mut name);
            both.extend(runs(&fact.value, style, &mut value));
            self.plan.block(both, BlockKind::Paragraph, column);
            column.y = name.y.max(value.y) + size * 0.15;
        }
    }

    /// The steps, and at their right what is scanned or typed. Returns how many sections found room below the steps.
    fn steps_beside_key(&mut self, column: &mut Column) -> usize {
        let sheet = &self.content.sheets[0];
        let has_key = self.content.qr.is_some() || self.content.key.is_some();
        if !has_key {
            self.steps(sheet, Passage::Body(0), column);
            return 0;
        }
        let (qr_side, _) = self.qr_side();
        let width = qr_side.max(5.4 * CENTIMETRE) + 2.0 * 4.0;
        let mut right =
            Column { x: column.x + column.width - width, width, part: Passage::Key, ..*column };
        let mut left = column.inset(0.0, width + GAP);
        self.steps(sheet, Passage::Head(0), &mut left);
        let top = right.y;
        self.panel(sheet, &mut right);
        let height = right.y - top;
        let x = right.x;
        self.plan.shapes.push(Shape::Frame { x, y: top, width, height });
        let mut done = 0;
        left.y += self.size * 0.7;
        left.part = Passage::Body(0);
        for section in &sheet.sections {
            let end = left.y + self.section_height(section, left.width) - self.size * 0.6;
            if section.is_warning || end > right.y {
                break;
            }
            self.section(section, &mut left);
            done += 1;
        }
        column.y = right.y.max(left.y - self.size * 0.7);
        done
    }

    /// QR code, key and what else an app wants, one below another.
    fn panel(&mut self, sheet: &'a SheetWords, column: &mut Column) {
        column.y += 4.0;
        self.qr(column);
        let mut inner = column.inset(PADDING, PADDING);
        if self.content.qr.is_none() {
            inner.y += PADDING;
        }
        if let Some(key) = &self.content.key {
            let centred = Style { align: Align::Centre, ..self.leading.heading(self.size * 0.9) };
            self.plan.write(&sheet.key_title, centred, &mut inner);
            inner.y += self.size * 0.3;
            self.key(key, 4, &mut inner);
        }
        if !sheet.key_facts.is_empty() {
            inner.y += self.size * 0.5;
            self.facts(&sheet.key_facts, self.size * 0.85, &mut inner);
        }
        column.y = inner.y + PADDING;
    }

    /// For two languages: QR code and key once, above the steps in both.
    /// Returns that no section is done yet.
    fn steps_below_key(&mut self, columns: &mut [Column], whole: Column) -> usize {
        let has_key = self.content.qr.is_some() || self.content.key.is_some();
        if has_key {
            let top = columns[0].y;
            let mut panel = Column { y: top, part: Passage::Key, ..whole };
            self.wide_panel(&mut panel, columns);
            let (x, width, height) = (whole.x, whole.width, panel.y - top);
            self.plan.shapes.push(Shape::Frame { x, y: top, width, height });
            for column in &mut *columns {
                column.y = panel.y + self.size;
            }
        }
        for (number, (sheet, column)) in self.content.sheets.iter().zip(columns).enumerate() {
            self.steps(sheet, Passage::Body(number), column);
        }
        0
    }

    /// The QR code, and at its right the key with the words of each language.
    fn wide_panel(&mut self, panel: &mut Column, columns: &[Column]) {
        let (qr_side, _) = self.qr_side();
        let mut left = Column { width: qr_side, x: panel.x + 4.0, y: panel.y + 4.0, ..*panel };
        self.qr(&mut left);
        let mut right = panel.inset(qr_side + 4.0 + PADDING, PADDING * 2.0);
        right.y += PADDING;
        let blocks = self.plan.blocks.len();
        let count = u16::try_from(columns.len()).unwrap_or(1);
        let language_of =
            |(column, words): (Column, &Column)| Column { language: words.language, ..column };
        let mut narrow: Vec<Column> =
            right.split(count, GAP).zip(columns).map(language_of).collect();
        if let Some(key) = &self.content.key {
            for (sheet, column) in self.content.sheets.iter().zip(&mut narrow) {
                self.plan.write(&sheet.key_title, self.leading.heading(self.size * 0.9), column);
            }
            right.y = level(&mut narrow, self.size * 0.5);
            self.key(key, 8, &mut right);
            for column in &mut narrow {
                column.y = right.y + self.size * 0.6;
            }
        }
        for (sheet, column) in self.content.sheets.iter().zip(&mut narrow) {
            self.facts(&sheet.key_facts, self.size * 0.85, column);
        }
        let end = level(&mut narrow, PADDING);
        panel.y = end.max(left.y + 4.0);
        self.plan.lower(blocks, (panel.y - end) / 2.0);
    }

    /// The side with the quiet zone, and that of a module.
    fn qr_side(&self) -> (f32, f32) {
        let Some(qr) = &self.content.qr else {
            return (0.0, 0.0);
        };
        let all = f32::from(qr.side + 2 * QUIET_ZONE);
        let module = (QR_SIDE / f32::from(qr.side)).max(SMALLEST_MODULE).min(WIDEST_QR / all);
        (all * module, module)
    }

    fn qr(&mut self, column: &mut Column) {
        if self.content.qr.is_none() {
            return;
        }
        let (side, module) = self.qr_side();
        let quiet = module * f32::from(QUIET_ZONE);
        let x = column.x + (column.width - side) / 2.0 + quiet;
        self.plan.qr = Some(QrPlace { x, y: column.y + quiet, module });
        column.y += side;
    }

    /// The key, large, so many groups a line. It is never cut.
    fn key(&mut self, key: &'a Measured, groups: usize, column: &mut Column) {
        let groups_of: Vec<_> = words(&key.letters).collect();
        let rows = groups_of.chunks(groups);
        let widest = rows.filter_map(|row| {
            let letters = row.first()?.start..row.last()?.end;
            Some(width_of(&key.letters[letters], 1.0))
        });
        let widest = widest.fold(0.0, f32::max).max(0.1);
        // A little less than the width, so that rounding breaks no line.
        let size = (column.width * 0.995 / widest).min(self.size * 1.4).max(self.size * 0.9);
        let is_narrow = groups < 8;
        let align = if is_narrow { Align::Centre } else { Align::Left };
        let style = Style { align, overlong: Overlong::Broken, ..self.leading.paragraph(size) };
        self.plan.write(key, style, column);
    }

    fn steps(&mut self, sheet: &'a SheetWords, part: Passage, column: &mut Column) {
        column.part = part;
        let size = self.size;
        if sheet.steps.is_empty() {
            return;
        }
        self.plan.write(&sheet.steps_title, self.leading.heading(size * 1.2), column);
        column.y += size * 0.45;
        let radius = size * 0.78;
        for step in &sheet.steps {
            let mut text = column.inset(radius * 2.0 + size * 0.6, 0.0);
            let mut disc = Column { width: radius * 2.0, y: column.y + size * 0.09, ..*column };
            let number = Style { align: Align::Centre, ..self.leading.paragraph(size * 0.85) };
            let mut both = runs(&step.number, number, &mut disc);
            for run in &mut both {
                run.is_white = true;
            }
            let (x, y) = (column.x + radius, column.y + size * 0.64);
            self.plan.shapes.push(Shape::Disc { x, y, radius });
            both.extend(runs(&step.text, self.leading.paragraph(size), &mut text));
            self.plan.block(both, BlockKind::Paragraph, column);
            column.y = text.y.max(column.y + radius * 2.0) + size * 0.4;
        }
    }

    /// Two beside each other where there is room; each warning in a frame of the whole width.
    fn sections(&mut self, sections: &'a [SectionWords], column: &mut Column) {
        if let Passage::Head(number) = column.part {
            column.part = Passage::Body(number);
        }
        for group in sections.chunk_by(|a, b| a.is_warning == b.is_warning) {
            if group[0].is_warning {
                for warning in group {
                    self.warning(warning, column);
                }
            } else if group.len() > 1 && column.width > 14.0 * CENTIMETRE {
                self.side_by_side(group, column);
            } else {
                for section in group {
                    self.section(section, column);
                }
            }
        }
    }

    fn side_by_side(&mut self, sections: &'a [SectionWords], column: &mut Column) {
        let halves: Vec<Column> = column.split(2, GAP).collect();
        let [mut left, mut right] = halves[..] else {
            return;
        };
        let heights: Vec<f32> =
            sections.iter().map(|section| self.section_height(section, left.width)).collect();
        let longer = |at: usize| {
            let (left, right) = heights.split_at(at);
            left.iter().sum::<f32>().max(right.iter().sum())
        };
        let best = (1..sections.len()).min_by(|a, b| longer(*a).total_cmp(&longer(*b)));
        let (first, second) = sections.split_at(best.unwrap_or(1));
        for section in first {
            self.section(section, &mut left);
        }
        for section in second {
            self.section(section, &mut right);
        }
        column.y = left.y.max(right.y);
    }

    fn section_height(&self, section: &SectionWords, width: f32) -> f32 {
        let paragraphs = section.paragraphs.iter();
        let paragraphs =
            paragraphs.map(|text| self.leading.height(text, self.size, width) + self.size * 0.35);
        self.leading.height(&section.title, self.size * 1.08, width)
            + paragraphs.sum::<f32>()
            + self.size * 0.75
    }

    fn section(&mut self, section: &'a SectionWords, column: &mut Column) {
        self.plan.write(&section.title, self.leading.heading(self.size * 1.08), column);
        column.y += self.size * 0.15;
        self.paragraphs(&section.paragraphs, column);
        column.y += self.size * 0.6;
    }

    fn warning(&mut self, section: &'a SectionWords, column: &mut Column) {
        let bar = 5.0;
        let mut inner = column.inset(bar + PADDING, PADDING);
        inner.y += PADDING * 0.8;
        self.plan.write(&section.title, self.leading.heading(self.size * 1.08), &mut inner);
        inner.y += self.size * 0.15;
        self.paragraphs(&section.paragraphs, &mut inner);
        inner.y += PADDING * 0.8 - self.size * 0.2;
        let Column { x, y, width, .. } = *column;
        let height = inner.y - y;
        self.plan.shapes.push(Shape::Frame { x, y, width, height });
        self.plan.shapes.push(Shape::Bar { x, y, width: bar, height });
        column.y = inner.y + self.size * 0.9;
    }

    fn code_lists(&mut self, columns: &[Column], mut whole: Column) -> Option<f32> {
        for (number, list) in self.content.codes.iter().enumerate() {
            let top = whole.y;
            let mut inner = whole.inset(PADDING, PADDING);
            inner.y += PADDING * 0.8;
            let count = u16::try_from(columns.len()).ok()?;
            let mut titles: Vec<Column> = inner.split(count, GAP).collect();
            for ((sheet, column), words) in self.content.sheets.iter().zip(&mut titles).zip(columns)
            {
                column.language = words.language;
                let Some(above) = sheet.code_titles.get(number) else {
                    continue;
                };
                self.plan.write(&above.title, self.leading.heading(self.size * 1.08), column);
                self.plan.write(&above.about, self.leading.paragraph(self.size * 0.9), column);
            }
            inner.y = level(&mut titles, self.size * 0.5);
            self.codes(list, &mut inner)?;
            let height = inner.y + PADDING * 0.6 - top;
            let (x, width) = (whole.x, whole.width);
            self.plan.shapes.push(Shape::Frame { x, y: top, width, height });
            whole.y = top + height + self.size * 0.9;
        }
        Some(whole.y)
    }

    /// Codes in rows, as many beside each other as there is room for. `None` where not even one fits.
    fn codes(&mut self, list: &'a ListWords, column: &mut Column) -> Option<()> {
        let size = self.size * 1.05;
        let widest = |of: fn(&Numbered) -> &Measured| {
            list.codes.iter().map(|code| width_of(&of(code).letters, size)).fold(0.0, f32::max)
        };
        let number_size = size * 0.8;
        let marker = if list.has_boxes { size * 0.95 } else { widest(|code| &code.number) * 0.8 };
        let (text, gap) = (widest(|code| &code.text), size * 0.45);
        let cell = marker + gap + text;
        if list.codes.is_empty() {
            return Some(());
        }
        let fitting = (1..=8_u16)
            .rev()
            .find(|n| cell * f32::from(*n) + size * 0.6 * f32::from(n - 1) <= column.width)?;
        // As few rows as there is room for, and then no more columns than those need.
        let rows = list.codes.len().div_ceil(fitting.into());
        let across = u16::try_from(list.codes.len().div_ceil(rows)).ok()?;
        let row_height = size * if list.has_boxes { 1.75 } else { self.leading.0 };
        for row in list.codes.chunks(across.into()) {
            for (code, place) in row.iter().zip(column.split(across, size * 0.6)) {
                let mut runs_of_code = Vec::new();
                if list.has_boxes {
                    let (x, y) = (place.x, place.y + size * 0.2);
                    let [width, height] = [size * 0.85; 2];
                    self.plan.shapes.push(Shape::Frame { x, y, width, height });
                } else {
                    let own = width_of(&code.number.letters, number_size);
                    let mut number = Column { y: place.y + size * 0.2, ..place };
                    number.x += marker - own;
                    number.width = own + 0.1;
                    runs_of_code =
                        runs(&code.number, self.leading.paragraph(number_size), &mut number);
                }
                let mut text = place.inset(marker + gap, -0.1);
                runs_of_code.extend(runs(&code.text, self.leading.paragraph(size), &mut text));
                self.plan.block(runs_of_code, BlockKind::Paragraph, &place);
            }
            column.y += row_height;
        }
        Some(())
    }

    fn foot_height(&self, columns: &[Column]) -> f32 {
        let heights = self.content.sheets.iter().zip(columns).map(|(sheet, column)| {
            self.leading.height(&sheet.footer, self.size * 0.85, column.width)
        });
        heights.fold(0.0, f32::max) + self.size * 0.6
    }

    /// At the end of the paper, whatever is above it.
    fn foot(&mut self, columns: &[Column], y: f32, whole: Column) {
        self.plan.shapes.push(Shape::Bar { x: whole.x, y, width: whole.width, height: 0.6 });
        for (sheet, column) in self.content.sheets.iter().zip(columns) {
            let mut column = Column { y: y + self.size * 0.5, part: Passage::Foot, ..*column };
            self.plan.write(&sheet.footer, self.leading.paragraph(self.size * 0.85), &mut column);
        }
    }
}
