//! What a page for a user costs beside a QR code as an image, and pages for a list beside enrolling it without them.
//!
//! `cargo bench -- handout [USERS]`: USERS are in the list. Needs valgrind for instructions, GNU time for the rest.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::shared::measure::Task;
use crate::shared::people;
use crate::shared::programs::MFACTL;
use crate::shared::verifier::median;
use crate::verify::counted;

const ROUNDS: usize = 3;
const FORMS: [&str; 3] = ["html", "txt", "pdf"];

pub fn run(args: &[String]) -> Result<()> {
    let users: u32 = crate::number(args, 0, 10_000)?;
    let folder = tempfile::tempdir()?;
    let site = Site { folder: folder.path() };
    site.task(&["init"]).wall()?;
    let list = folder.path().join("one.csv");
    std::fs::write(&list, lines(1))?;
    site.enrol(&list, None).wall()?;
    one(&site)?;
    let list = folder.path().join("users.csv");
    std::fs::write(&list, lines(users))?;
    many(&site, &list, users)
}

fn lines(users: u32) -> String {
    let mut lines = "name,display_name,email,groups\n".to_owned();
    for n in 0..users {
        let name = people::name(n);
        let _ = writeln!(lines, "{name},User {n},{name}@example.org,staff");
    }
    lines
}

struct Site<'f> {
    folder: &'f Path,
}

impl Site<'_> {
    fn task(&self, words: &[&str]) -> Task {
        let at = |file: &str| self.folder.join(file).into_os_string();
        let places = ["--store".into(), at("store.db"), "--key-file".into(), at("key")];
        Task::new(MFACTL, places.into_iter().chain(words.iter().map(OsString::from)))
    }

    fn enrol(&self, list: &Path, pages: Option<(&Path, &str)>) -> Task {
        let list = list.to_string_lossy();
        let mut words = vec!["enrol", "--from", &list, "--create", "--yes"];
        words.extend(["--max-changes", "1000000"]);
        let to = pages.map(|(to, form)| (to.to_string_lossy(), form));
        match &to {
            Some((to, form)) => words.extend(["--handouts", to, "--form", form]),
            None => words.push("--no-confirm"),
        }
        self.task(&words)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Instructions of one page.
fn one(site: &Site<'_>) -> Result<()> {
    println!("\n## One page\n\n| | instructions | x show-qr |\n| --- | --- | --- |");
    let name = people::name(0);
    let image = site.file("code.png");
    let instructions = |task: Task| -> Result<f64> {
        let count = counted(&task)?;
        count.trim_end_matches(" k").parse().context("valgrind is not installed")
    };
    let image = image.to_string_lossy();
    let base = instructions(site.task(&["show-qr", &name, "--output", &image]))?;
    println!("| `show-qr --output code.png` | {base:.0} k | 1.00 |");
    for form in FORMS {
        let page = site.file(&format!("page.{form}"));
        let task = site.task(&["handout", &name, "--output", &page.to_string_lossy()]);
        let count = instructions(task)?;
        println!("| `handout --output page.{form}` | {count:.0} k | {:.2} |", count / base);
    }
    Ok(())
}

/// What GNU time says of a run.
struct Cost {
    wall: f64,
    user: f64,
    system: f64,
    peak: f64,
}

fn cost(task: &Task) -> Result<Cost> {
    let told = task.told(&["time", "-q", "-f", "%e %U %S %M", "-o", "REPORT"])?;
    let told = told.context("GNU time is not installed")?;
    let values = told.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [wall, user, system, peak] = values[..] else { anyhow::bail!("GNU time says {told}") };
    Ok(Cost { wall, user, system, peak: peak / 1024.0 })
}

/// The list, again and again into a store that has nobody yet.
fn many(site: &Site<'_>, list: &Path, users: u32) -> Result<()> {
    let empty = site.file("empty.db");
    std::fs::remove_file(site.file("store.db"))?;
    std::fs::remove_file(site.file("key"))?;
    site.task(&["init"]).wall()?;
    std::fs::copy(site.file("store.db"), &empty)?;
    let mut costs: [Vec<Cost>; 1 + FORMS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (costs, form) in costs.iter_mut().zip([None].into_iter().chain(FORMS.map(Some))) {
            for file in ["store.db-wal", "store.db-shm"] {
                let _ = std::fs::remove_file(site.file(file));
            }
            std::fs::copy(&empty, site.file("store.db"))?;
            let pages = site.file("pages");
            costs.push(cost(&site.enrol(list, form.map(|form| (&*pages, form))))?);
            if form.is_some() {
                std::fs::remove_dir_all(&pages)?;
            }
        }
    }
    println!("\n## A list of {users}, medians of {ROUNDS} rounds in turn\n");
    println!("| `enrol --from` | s | user s | system s | x s | x user s | peak MiB |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let middle = |costs: &[Cost], of: &dyn Fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let base = |of: &dyn Fn(&Cost) -> f64| middle(&costs[0], of);
    let (wall_base, user_base) = (base(&|c| c.wall), base(&|c| c.user));
    for (costs, form) in costs.iter().zip(["without pages", "html", "txt", "pdf"]) {
        let (wall, user) = (middle(costs, &|c| c.wall), middle(costs, &|c| c.user));
        let (system, peak) = (middle(costs, &|c| c.system), middle(costs, &|c| c.peak));
        let ratios = (wall / wall_base, user / user_base);
        println!(
            "| {form} | {wall:.2} | {user:.2} | {system:.2} | {:.2} | {:.2} | {peak:.1} |",
            ratios.0, ratios.1
        );
    }
    Ok(())
}
