//! From a plan to the bytes of a PDF.

use std::num::NonZeroU16;
use std::ops::Range;

use anyhow::{Context as _, Result, anyhow};
use krilla::color::luma;
use krilla::configure::{ConfigurationBuilder, PdfVersion};
use krilla::geom::{Path, PathBuilder, Point, Rect, Transform};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag, Tag, TagGroup, TagTree};
use krilla::{Document, SerializeSettings};

use crate::handout::pdf::content::PageWords;
use crate::handout::pdf::font::{ELLIPSIS, Fonts, Measured};
use crate::handout::pdf::plan::{Block, BlockKind, Passage, Plan, QrPlace, Run, Shape};
use crate::handout::pdf::qr::{Dark, Squares};

/// Draws the page. The same plan always makes the same bytes: no time, no machine, no chance is in them.
pub fn draw(
    plan: &mut Plan<'_>,
    content: &PageWords,
    fonts: &Fonts,
    (width, height): (f32, f32),
) -> Result<Vec<u8>> {
    let settings = settings()?;
    let mut document = Document::new_with(settings);
    let size = PageSettings::from_wh(width, height).context("the size of the paper")?;
    let mut page = document.start_page_with(size);
    let mut surface = page.surface();
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
    draw_shapes(&mut surface, &plan.shapes);
    surface.end_tagged();
    let mut tags = TagTree::new();
    // Stable: blocks of a part stay in the order in which they were planned.
    plan.blocks.sort_by_key(|block| block.part);
    let mut qr = content.qr.as_ref().zip(plan.qr);
    for block in &plan.blocks {
        if block.part >= Passage::Key
            && let Some((squares, place)) = qr.take()
        {
            tags.push(draw_qr(&mut surface, squares, place));
        }
        tags.push(draw_block(&mut surface, block, fonts)?);
    }
    surface.finish();
    page.finish();
    document.set_tag_tree(tags);
    let titles: Vec<&str> = content.sheets.iter().map(|sheet| &**sheet.title.text).collect();
    let language = content.sheets.first().map_or("en", |sheet| sheet.language.code());
    document.set_metadata(Metadata::new().title(titles.join(" / ")).language(language.to_owned()));
    document.finish().map_err(|error| anyhow!("the PDF could not be written: {error:?}"))
}

/// Thickness of frames.
const FRAME: f32 = 0.8;

fn settings() -> Result<SerializeSettings> {
    // PDF 1.5 has tags for programs that read aloud. Of a newer one poppler complains, wrongly.
    let version = ConfigurationBuilder::new().with_version(PdfVersion::Pdf15).finish();
    let configuration = version.map_err(|error| anyhow!("the version of the PDF: {error:?}"))?;
    // Compression of the letters takes a quarter of the time for a third of the size; the fonts are compressed anyway.
    let compress_content_streams = false;
    Ok(SerializeSettings {
        configuration,
        compress_content_streams,
        xmp_metadata: false,
        ..SerializeSettings::default()
    })
}

fn fill(lightness: u8) -> Fill {
    Fill { paint: luma::Color::new(lightness).into(), ..Fill::default() }
}

/// Those of a kind in one path, which is short.
fn draw_shapes(surface: &mut Surface<'_>, shapes: &[Shape]) {
    let (mut black, mut outlined) = (PathBuilder::new(), PathBuilder::new());
    for shape in shapes {
        match *shape {
            Shape::Bar { x, y, width, height } => rectangle(&mut black, x, y, width, height),
            Shape::Disc { x, y, radius } => disc(&mut black, x, y, radius),
            Shape::Frame { x, y, width, height } => rectangle(&mut outlined, x, y, width, height),
        }
    }
    surface.set_fill(Some(fill(0)));
    draw_path(surface, black.finish());
    let (paint, width) = (luma::Color::black().into(), FRAME);
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke { paint, width, ..Stroke::default() }));
    draw_path(surface, outlined.finish());
    surface.set_stroke(None);
}

fn draw_path(surface: &mut Surface<'_>, path: Option<Path>) {
    if let Some(path) = path {
        surface.draw_path(&path);
    }
}

fn rectangle(path: &mut PathBuilder, x: f32, y: f32, width: f32, height: f32) {
    let [x, y, width, height] = [x, y, width, height].map(rounded);
    if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
        path.push_rect(rectangle);
    }
}

/// To hundredths of a point, which nobody sees, and which are shorter in the file.
fn rounded(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}

fn disc(path: &mut PathBuilder, x: f32, y: f32, r: f32) {
    /// The usual approximation of a quarter of a circle by a Bézier curve.
    const HANDLE: f32 = 0.552_285;
    let h = r * HANDLE;
    path.move_to(x + r, y);
    path.cubic_to(x + r, y + h, x + h, y + r, x, y + r);
    path.cubic_to(x - h, y + r, x - r, y + h, x - r, y);
    path.cubic_to(x - r, y - h, x - h, y - r, x, y - r);
    path.cubic_to(x + h, y - r, x + r, y - h, x + r, y);
    path.close();
}

fn draw_qr(surface: &mut Surface<'_>, squares: &Squares, place: QrPlace) -> TagGroup {
    let tag = surface.start_tagged(ContentTag::Other);
    // In modules rather than points: whole numbers are short, and squares that touch have no seam.
    surface.push_transform(&Transform::from_row(
        place.module,
        0.0,
        0.0,
        place.module,
        place.x,
        place.y,
    ));
    let mut path = PathBuilder::new();
    for Dark { columns, rows } in &squares.dark {
        let [x, y] = [columns.start, rows.start].map(f32::from);
        let [width, height] = [columns.end - columns.start, rows.end - rows.start].map(f32::from);
        rectangle(&mut path, x, y, width, height);
    }
    surface.set_fill(Some(fill(0)));
    draw_path(surface, path.finish());
    surface.pop();
    surface.end_tagged();
    let mut figure = TagGroup::new(Tag::Figure(Some("QR code".to_owned())));
    figure.push(tag);
    figure
}

fn draw_block(surface: &mut Surface<'_>, block: &Block<'_>, fonts: &Fonts) -> Result<TagGroup> {
    let language = block.language.code();
    let span = SpanTag::empty().with_lang(Some(language));
    let tag = surface.start_tagged(ContentTag::Span(span));
    for run in &block.runs {
        draw_run(surface, run, fonts);
    }
    surface.end_tagged();
    let level = |level| NonZeroU16::new(level).context("a level of headings");
    let mut group = match block.role {
        BlockKind::Title => TagGroup::new(Tag::Hn(level(1)?, None)),
        BlockKind::Heading => TagGroup::new(Tag::Hn(level(2)?, None)),
        BlockKind::Paragraph => TagGroup::new(Tag::P),
    };
    group.push(tag);
    Ok(group)
}

fn draw_run(surface: &mut Surface<'_>, run: &Run<'_>, fonts: &Fonts) {
    let Measured { weight, text, letters, ellipsis } = run.text;
    let (font, size) = (fonts.font(*weight), run.line.size);
    surface.set_fill(Some(fill(if run.is_white { 255 } else { 0 })));
    let Range { start, mut end } = run.line.letters;
    // The blank at which a line ends is drawn too: without it, whoever copies the text gets two words in one.
    if letters.get(end).is_some_and(|letter| letter.is_blank) {
        end += 1;
    }
    let letters = &letters[start..end];
    surface.draw_glyphs(
        Point::from_xy(rounded(run.x), rounded(run.base)),
        letters,
        font.clone(),
        text,
        size,
        false,
    );
    if run.line.is_cut {
        let start = Point::from_xy(run.x + run.line.width - ellipsis.width(size), run.base);
        surface.draw_glyphs(start, &[*ellipsis], font.clone(), ELLIPSIS, size, false);
    }
}
