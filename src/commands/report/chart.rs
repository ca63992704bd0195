//! Coverage over time as SVG.

use std::fmt::Write as _;

use super::course::{Course, Point};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
/// Room for the words at the axes.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 34.0;

/// A file of its own.
pub fn alone(course: &Course) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", chart(course))
}

/// The picture, to be put into a page.
pub fn chart(course: &Course) -> String {
    let mut svg = String::new();
    let words = in_words(course);
    // Writing to a string can't fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\
         <title id=\"t\">MFA coverage over time</title><desc id=\"d\">{words}</desc>\
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
    let place = Scale::of(course);
    let mut line = String::new();
    let mut last: Option<(f64, f64)> = None;
    for point in &course.points {
        let (x, y) = (place.x(point), height(point.coverage()));
        // Coverage stays as it is until something happens: steps, and no slopes.
        match last {
            None => _ = write!(line, "M{LEFT:.1} {y:.1}H{x:.1}"),
            Some((_, before)) if (before - y).abs() < f64::EPSILON => _ = write!(line, "H{x:.1}"),
            Some(_) => _ = write!(line, "H{x:.1}V{y:.1}"),
        }
        last = Some((x, y));
    }
    if let Some((x, y)) = last {
        let floor = height(0.0);
        let _ = write!(
            svg,
            "<path d=\"{line}V{floor:.1}H{LEFT:.1}Z\" fill=\"#2f6fb3\" fill-opacity=\"0.14\"/>\
             <path d=\"{line}\" fill=\"none\" stroke=\"#2f6fb3\" stroke-width=\"2\"/>\
             <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"#2f6fb3\"/>"
        );
    }
    for (x, anchor, date) in place.dates(course) {
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#4a5260\">{date}</text>",
            HEIGHT - BOTTOM + 18.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn in_words(course: &Course) -> String {
    let told = |point: &Point| {
        let percent = (point.coverage() * 10.0).floor() / 10.0;
        format!("{percent:.1}% of {} users on {}", point.users, day(point))
    };
    match &course.points[..] {
        [] => String::new(),
        [only] => told(only),
        [first, .., last] => format!("From {} to {}.", told(first), told(last)),
    }
}

fn height(percent: f64) -> f64 {
    TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - percent / 100.0)
}

fn day(point: &Point) -> String {
    point.at.to_string().chars().take(10).collect()
}

/// From moments to places.
struct Scale {
    first: u64,
    seconds: f64,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    fn of(course: &Course) -> Self {
        let first = course.points.first().map_or(0, |p| p.at.unix());
        let last = course.points.last().map_or(0, |p| p.at.unix());
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

    /// At most five dates, the first and the last among them.
    fn dates(&self, course: &Course) -> Vec<(f64, &'static str, String)> {
        const MOST: usize = 5;
        let points = &course.points;
        let last = points.len().saturating_sub(1);
        let mut places: Vec<usize> = (0..MOST).map(|n| last * n / (MOST - 1)).collect();
        places.dedup();
        let of = |n: &usize| points.get(*n).map(|point| (*n, point));
        let date = |(n, point): (usize, &Point)| {
            let anchor = match n {
                n if n == last => "end",
                0 => "start",
                _ => "middle",
            };
            (self.x(point), anchor, day(point))
        };
        let mut dates: Vec<_> = places.iter().filter_map(of).map(date).collect();
        dates.dedup_by(|a, b| a.2 == b.2);
        dates
    }
}
