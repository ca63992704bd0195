//! The QR codes of pages, read by an independent decoder.

use super::{BOTH, ENGLISH, Sample};

/// Pixels of a module.
const SCALE: usize = 4;

/// Reads a picture of modules.
fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    let side = side * SCALE;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        if is_dark(x / SCALE, y / SCALE) { 0 } else { 255 }
    });
    image.detect_grids()[0].decode().unwrap().1
}

/// Paints the runs of the one path in a page.
pub fn read_html(page: &str) -> String {
    let (_, svg) = page.split_once("<svg").unwrap();
    let (svg, _) = svg.split_once("</svg>").unwrap();
    let attribute = |name: &str| {
        let (_, rest) = svg.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    };
    let side: usize = attribute("viewBox").rsplit(' ').next().unwrap().parse().unwrap();
    let mut dark = vec![false; side * side];
    for run in attribute("d").split('M').skip(1) {
        let (place, shape) = run.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let length: usize = shape.split_once('v').unwrap().0.parse().unwrap();
        assert_eq!(shape, format!("{length}v1h-{length}z"), "a run is one module high");
        dark[y * side + x..][..length].fill(true);
    }
    assert_eq!(svg.matches("<path").count(), 1);
    assert!((0..side).all(|i| (0..4).all(|edge| !dark[edge * side + i] && !dark[i * side + edge])));
    read(side, |x, y| dark[y * side + x])
}

/// Reads the blocks of a text, black on white.
pub fn read_text(page: &str) -> String {
    let is_block = |c: char| matches!(c, '█' | '▀' | '▄');
    let rows: Vec<Vec<char>> =
        page.lines().filter(|l| l.contains(is_block)).map(|l| l.chars().collect()).collect();
    let side = rows.iter().map(Vec::len).max().unwrap() + 4;
    read(side, |x, y| {
        let row = y.checked_sub(4).and_then(|y| rows.get(y / 2));
        let upper = y.is_multiple_of(2);
        let block = row.and_then(|row| row.get(x)).copied().unwrap_or(' ');
        matches!((block, upper), ('█', _) | ('▀', true) | ('▄', false))
    })
}

#[test]
fn an_independent_decoder_reads_the_code_of_each_form() {
    for languages in [ENGLISH, BOTH] {
        let sample = Sample::new(languages);
        assert_eq!(read_html(&sample.html()), *sample.uri());
        assert_eq!(read_text(&sample.text()), *sample.uri());
    }
}

#[test]
fn the_longest_name_and_a_name_of_many_bytes_are_read_too() {
    for name in ["a".repeat(255), "éloïse.dupré@exemple.fr".to_owned()] {
        let mut sample = Sample::new(ENGLISH);
        sample.user.name = crate::domain::name::UserName::parse(&name).unwrap();
        assert_eq!(read_html(&sample.html()), *sample.uri());
        assert_eq!(read_text(&sample.text()), *sample.uri());
    }
}
