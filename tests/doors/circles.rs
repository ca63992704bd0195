//! Circles: modules that can only be understood together, because each leads to the other.

use std::collections::{BTreeMap, BTreeSet};

use super::house::Arrow;

/// Modules of which each leads to each.
pub type Circle = BTreeSet<String>;

/// What an arrow leads from and to, as far as circles are looked for among such ends.
pub type Ends = fn(&Arrow) -> Option<(String, String)>;

/// Single files: `store/log` is `store/log.rs`.
#[expect(clippy::unnecessary_wraps, reason = "has the type of `Ends`")]
pub fn files(arrow: &Arrow) -> Option<(String, String)> {
    Some((stem(&arrow.from), stem(&arrow.to)))
}

/// Neighbours in a folder, each with all that is below it: `store/log` is `store/log.rs` and the folder
/// `store/log`. Nothing where one file is above the other.
pub fn neighbours(arrow: &Arrow) -> Option<(String, String)> {
    let (from, to) = (stem(&arrow.from), stem(&arrow.to));
    let (from, to): (Vec<_>, Vec<_>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let are_beside = common < from.len() && common < to.len();
    are_beside.then(|| (from[..=common].join("/"), to[..=common].join("/")))
}

fn stem(file: &str) -> String {
    file.trim_end_matches(".rs").trim_end_matches("/mod").to_owned()
}

pub fn circles(arrows: &[Arrow], ends: Ends) -> Vec<Circle> {
    let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in arrows.iter().filter_map(ends) {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<_, _> = next.keys().map(|from| (from, reached(&next, from))).collect();
    let leads =
        |from: &String, to: &String| reached.get(from).is_some_and(|ends| ends.contains(to));
    let mut found: Vec<Circle> = Vec::new();
    for one in next.keys().filter(|one| leads(one, one)) {
        if !found.iter().any(|circle| circle.contains(one)) {
            let all = next.keys().filter(|other| leads(one, other) && leads(other, one));
            found.push(all.cloned().collect());
        }
    }
    found
}

fn reached(next: &BTreeMap<String, BTreeSet<String>>, from: &str) -> Circle {
    let mut reached = Circle::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        for end in next.get(at).into_iter().flatten() {
            if reached.insert(end.clone()) {
                left.push(end);
            }
        }
    }
    reached
}

/// How the circles differ from the known ones: a new circle or a new member of one, with the arrows that
/// make it one; and who is in none any more.
pub fn unexpected(arrows: &[Arrow], ends: Ends, known: &[&[&str]]) -> Vec<String> {
    let found = circles(arrows, ends);
    let shared = |circle: &Circle, names: &[&str]| {
        names.iter().filter(|name| circle.contains(**name)).count()
    };
    let mut problems = Vec::new();
    for circle in &found {
        let nearest = known.iter().max_by_key(|names| shared(circle, names));
        let is_new = |one: &String| !nearest.is_some_and(|names| names.contains(&&**one));
        let new: Circle = circle.iter().filter(|one| is_new(one)).cloned().collect();
        if new.is_empty() {
            continue;
        }
        let names: Vec<_> = circle.iter().map(String::as_str).collect();
        problems.push(format!("a circle that is not in the list: {}", names.join(", ")));
        for arrow in arrows {
            let Some((from, to)) = ends(arrow) else { continue };
            let is_within = circle.contains(&from) && circle.contains(&to) && from != to;
            if is_within && (new.contains(&from) || new.contains(&to)) {
                problems.push(format!("    {} needs {} for {}", arrow.from, arrow.to, arrow.what));
            }
        }
    }
    for names in known {
        let is_still = |one: &str| {
            found.iter().any(|circle| circle.contains(one) && shared(circle, names) > 1)
        };
        for gone in names.iter().filter(|one| !is_still(one)) {
            problems.push(format!("in no circle any more, take it out of the list: {gone}"));
        }
    }
    problems
}
