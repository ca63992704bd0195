//! Coverage over time as an SVG chart.

use std::fmt::Write as _;

use crate::commands::report::coverage::{CoverageHistory, Point};
use crate::domain::time::Span;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
/// Margins for the labels of the axes.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 34.0;

/// The chart as a file of its own.
pub fn standalone(history: &CoverageHistory) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", chart(history))
}

/// The chart as an element of an HTML page.
pub fn chart(history: &CoverageHistory) -> String {
    let mut svg = String::new();
    let description = describe(history);
    // Writing to a string can't fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\
         <title id=\"t\">MFA coverage over time</title><desc id=\"d\">{description}</desc>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
    );
    for percent in [0, 25, 50, 75, 100] {
        let y = height(f64::from(percent));
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d8dce2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#4a5260\">{percent}%</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
    }
    if let [only] = &history.points[..] {
        single(&mut svg, only);
        svg.push_str("</svg>\n");
        return svg;
    }
    let scale = Scale::of(history);
    let mut line = String::new();
    let (mut first_x, mut last): (f64, Option<(f64, f64)>) = (LEFT, None);
    for point in history.points.iter().filter(|point| point.users > 0) {
        let (x, y) = (scale.x(point), height(point.coverage()));
        // Coverage is constant between events, so the line has steps and no slopes.
        match last {
            None => {
                first_x = x;
                let _ = write!(line, "M{x:.1} {y:.1}");
            }
            Some((_, before)) if (before - y).abs() < f64::EPSILON => _ = write!(line, "H{x:.1}"),
            Some(_) => _ = write!(line, "H{x:.1}V{y:.1}"),
        }
        last = Some((x, y));
    }
    if let Some((x, y)) = last {
        let floor = height(0.0);
        let _ = write!(
            svg,
            "<path d=\"{line}V{floor:.1}H{first_x:.1}Z\" fill=\"#2f6fb3\" fill-opacity=\"0.14\"/>\
             <path d=\"{line}\" fill=\"none\" stroke=\"#2f6fb3\" stroke-width=\"2\"/>\
             <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"#2f6fb3\"/>"
        );
    }
    for (x, anchor, date) in scale.dates(history) {
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#4a5260\">{date}</text>",
            HEIGHT - BOTTOM + 18.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A single point, in words: a line would claim a past that the store does not have.
fn single(svg: &mut String, point: &Point) {
    let (x, y) = (f64::midpoint(LEFT, WIDTH - RIGHT), height(point.coverage()));
    // Below the point, unless the axis is there.
    let text = if point.coverage() < 25.0 { y - 14.0 } else { y + 22.0 };
    // Writing to a string can't fail.
    if point.users > 0 {
        let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"#2f6fb3\"/>");
    }
    let (words, at) = (point.words(), point.at);
    let _ = write!(
        svg,
        "<text x=\"{x:.1}\" y=\"{text:.1}\" text-anchor=\"middle\" font-size=\"13\">{words} at {at}; \
         no earlier hour to compare with</text>"
    );
}

fn describe(history: &CoverageHistory) -> String {
    let coverage = |point: &Point| {
        let day = label(point, false);
        format!("{} on {day}", point.words())
    };
    match &history.points[..] {
        [] => String::new(),
        [only] => coverage(only),
        [first, .., last] => format!("From {} to {}.", coverage(first), coverage(last)),
    }
}

fn height(percent: f64) -> f64 {
    TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - percent / 100.0)
}

/// The day of a point, or the full hour at its end.
fn label(point: &Point, is_hourly: bool) -> String {
    let at = if is_hourly { point.at.plus(Span::seconds(1)) } else { point.at };
    let text = at.to_string().replace('T', " ");
    text.chars().take(if is_hourly { 16 } else { 10 }).collect()
}

/// Maps times to x coordinates.
struct Scale {
    first: u64,
    seconds: f64,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    fn of(history: &CoverageHistory) -> Self {
        let first = history.points.first().map_or(0, |p| p.at.unix());
        let last = history.points.last().map_or(0, |p| p.at.unix());
        Self { first, seconds: (last - first).max(1) as f64 }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    fn x(&self, point: &Point) -> f64 {
        let width = WIDTH - LEFT - RIGHT;
        if self.seconds <= 1.0 {
            return LEFT + width;
        }
        LEFT + width * (point.at.unix() - self.first) as f64 / self.seconds
    }

    /// Up to five evenly spaced dates, including the first and the last.
    fn dates(&self, history: &CoverageHistory) -> Vec<(f64, &'static str, String)> {
        const MAX: usize = 5;
        let points = &history.points;
        let last = points.len().saturating_sub(1);
        let mut indices: Vec<usize> = (0..MAX).map(|n| last * n / (MAX - 1)).collect();
        indices.dedup();
        let indexed = |n: &usize| points.get(*n).map(|point| (*n, point));
        let date = |(n, point): (usize, &Point)| {
            let anchor = match n {
                n if n == last => "end",
                0 => "start",
                _ => "middle",
            };
            (self.x(point), anchor, label(point, history.is_hourly))
        };
        let mut dates: Vec<_> = indices.iter().filter_map(indexed).map(date).collect();
        dates.dedup_by(|a, b| a.2 == b.2);
        dates
    }
}
