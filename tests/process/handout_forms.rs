//! The files that `handout` writes, as a printer, a browser and a phone see them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::qr::{uri, zbarimg};
use super::support::{World, has};

/// Alice with a name, a phone that waits, and a temporary password: what makes a page long.
fn world() -> World {
    let world = World::new();
    world.configure(
        "[enrolment]\nissuer = \"Example Corp\"\n[password]\nmemory = 19\n\
         [site]\ncontact = \"extension 4711, helpdesk@example.org\"\n",
    );
    let people = "name,display_name\nalice,Alice Example\n";
    world.call("add-user --from - --yes").input(people).run().expect(0);
    world.call("set-password alice").input("correct horse battery staple").run().expect(0);
    world.run("enrol alice --no-confirm --json").expect(0);
    let force = "force-new-password alice --keep-mfa --yes --json --reveal-secrets";
    world.run(force).expect(0);
    world
}

fn handout(world: &World, name: &str, options: &str) -> PathBuf {
    let path = world.path(name);
    let line = format!("handout alice --ticket HELP-1250 {options} --output {}", path.display());
    world.run(&line).expect(0);
    path
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap()
}

fn flowing(text: &str) -> String {
    text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One page of this size.
#[track_caller]
fn is_one_page(pdf: &Path, size: &str) {
    let information = text(run(Command::new("pdfinfo").arg(pdf)));
    let value = |name: &str| {
        let line = information.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    assert_eq!(value("Pages:"), "1", "{information}");
    assert!(value("Page size:").ends_with(size), "{information}");
}

/// Two independent decoders read this from a print of 150 dots an inch, one of them from a sharper one if need be: lines
/// that a browser draws between the dots are grey.
#[track_caller]
fn scans(world: &World, pdf: &Path, expected: &str, sharpest: u32) {
    let mut read = None;
    for dots in [150, 200, 300] {
        let picture = print(world, pdf, dots);
        assert_eq!(zbarimg(&picture), expected, "{dots} dots an inch");
        read = rqrr(&picture);
        if read.is_some() || dots == sharpest {
            break;
        }
    }
    assert_eq!(read.as_deref(), Some(expected));
}

/// A grey picture of a page.
fn print(world: &World, pdf: &Path, dots: u32) -> PathBuf {
    let picture = world.path("print");
    let options = ["-r", &dots.to_string(), "-gray", "-singlefile"];
    run(Command::new("pdftoppm").args(options).arg(pdf).arg(&picture));
    picture.with_extension("pgm")
}

fn rqrr(picture: &Path) -> Option<String> {
    let bytes = std::fs::read(picture).unwrap();
    let head = String::from_utf8_lossy(&bytes[..40]).into_owned();
    let mut numbers = head.split_whitespace().skip(1).map(|word| word.parse::<usize>().unwrap());
    let (width, height) = (numbers.next()?, numbers.next()?);
    let pixels = &bytes[bytes.len() - width * height..];
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image.detect_grids().iter().find_map(|grid| Some(grid.decode().ok()?.1))
}

#[test]
fn a_pdf_is_one_page_with_its_fonts_its_steps_and_a_code_that_scans() {
    let what = "the PDF of a page";
    let tools = ["pdfinfo", "pdffonts", "pdftotext", "pdftoppm", "zbarimg"];
    if !tools.into_iter().all(|tool| has(tool, what)) {
        return;
    }
    let world = world();
    let expected = uri(&world, "alice");
    for (language, words) in [
        ("en", &["the temporary password that the helpdesk gave you", "Google Authenticator"][..]),
        ("fr", &["le mot de passe temporaire", "« Scanner un code QR »"]),
        ("both", &["the temporary password", "le mot de passe temporaire"]),
    ] {
        for (paper, size) in [("a4", "(A4)"), ("letter", "(letter)")] {
            let options = format!("--app google --lang {language} --paper {paper}");
            let pdf = handout(&world, &format!("{language}-{paper}.pdf"), &options);
            is_one_page(&pdf, size);
            let fonts = text(run(Command::new("pdffonts").arg(&pdf)));
            let fonts: Vec<&str> = fonts.lines().skip(2).collect();
            // Embedded, a part of the font only, and with the letters that are meant.
            let is_whole = |font: &&str| font.contains(" yes yes yes ");
            assert!(!fonts.is_empty() && fonts.iter().all(is_whole), "{fonts:?}");
            let read = flowing(&text(run(Command::new("pdftotext").arg(&pdf).arg("-"))));
            for words in words.iter().chain(&["HELP-1250", "Alice Example"]) {
                assert!(read.contains(words), "{words} is not in {read}");
            }
            scans(&world, &pdf, &expected, 150);
        }
    }
}

fn browser(world: &World, page: &Path, options: &[&str]) {
    let profile = format!("--user-data-dir={}", world.path("profile").display());
    let fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"];
    run(Command::new("chromium").args(fixed).arg(profile).args(options).arg(page));
}

/// A browser prints the page into a PDF.
fn printed(world: &World, page: &Path) -> PathBuf {
    let pdf = page.with_extension("printed.pdf");
    browser(world, page, &[&format!("--print-to-pdf={}", pdf.display())]);
    pdf
}

/// The combinations that fill most of a page: the longest words of all apps, recovery codes, two languages.
#[test]
fn html_is_printed_on_one_page_whose_code_scans() {
    let what = "HTML in a browser";
    if !["chromium", "pdfinfo", "pdftoppm", "zbarimg"].into_iter().all(|tool| has(tool, what)) {
        return;
    }
    let world = world();
    let expected = uri(&world, "alice");
    for language in ["fr", "both"] {
        for (paper, size) in [("a4", "(A4)"), ("letter", "(letter)")] {
            let options =
                format!("--app duo --lang {language} --paper {paper} --recovery-codes --yes");
            let page = handout(&world, &format!("{language}-{paper}.html"), &options);
            let pdf = printed(&world, &page);
            is_one_page(&pdf, size);
            scans(&world, &pdf, &expected, 300);
        }
    }
    // The password is old, and needs no step.
    world.run("undo alice --yes").expect(0);
    let page = handout(&world, "calm.html", "--app duo --lang both --recovery-codes --yes");
    is_one_page(&printed(&world, &page), "(A4)");
    for window in ["--window-size=390,2600", "--window-size=1000,1400"] {
        let picture = world.path("page.png");
        browser(&world, &page, &[window, &format!("--screenshot={}", picture.display())]);
        assert_eq!(zbarimg(&picture), expected, "{window}");
    }
}

/// The longest words that a site and its users can put on a page.
#[test]
fn html_with_long_words_is_printed_on_one_page() {
    let what = "HTML with long words in a browser";
    if !["chromium", "pdfinfo", "pdftotext"].into_iter().all(|tool| has(tool, what)) {
        return;
    }
    let world = World::new();
    let contact =
        "poste 4711, du lundi au vendredi, authentification@assistance.example.org, ou au guichet ";
    let contact = format!("{contact:é<199}.");
    let issuer = "Exemple Compagnie Internationale du Nord";
    assert_eq!((contact.chars().count(), issuer.len()), (200, 40));
    world.configure(&format!(
        "[enrolment]\nissuer = \"{issuer}\"\n[password]\nmemory = 19\n[site]\ncontact = \"{contact}\"\n"
    ));
    let name = "Alexandrine Marie-Antoinette Charlotte Joséphine de Montmorency-Laval-Beauregard";
    let people = format!("name,display_name\nalice,{name}\n");
    world.call("add-user --from - --yes").input(&people).run().expect(0);
    world.call("set-password alice").input("correct horse battery staple").run().expect(0);
    world.run("enrol alice --no-confirm --json").expect(0);
    world.run("force-new-password alice --keep-mfa --yes --json --reveal-secrets").expect(0);
    let uri = uri(&world, "alice");
    assert!(uri.contains("Nord"), "the issuer is whole");
    for codes in ["", "--recovery-codes --yes"] {
        for language in ["fr", "both"] {
            for (paper, size) in [("a4", "(A4)"), ("letter", "(letter)")] {
                let options = format!("--app duo --lang {language} --paper {paper} {codes}");
                let page = handout(&world, "long.html", &options);
                let pdf = printed(&world, &page);
                is_one_page(&pdf, size);
                let read = flowing(&text(run(Command::new("pdftotext").arg(&pdf).arg("-"))));
                assert!(read.contains("Alexandrine") && read.contains("poste 4711"), "{read}");
                std::fs::remove_file(page).unwrap();
            }
        }
    }
}

/// The page on paper of the width of a phone, with the style of a screen.
#[test]
fn on_a_phone_no_word_is_broken_that_fits_into_a_line() {
    let what = "HTML on a phone";
    if !["chromium", "pdftotext"].into_iter().all(|tool| has(tool, what)) {
        return;
    }
    let world = world();
    // A line takes it, and half a line does not.
    let address = "informatique@example.org";
    world.configure(&format!("[site]\ncontact = \"extension 4711, {address}\"\n"));
    for (language, times) in [("en", 2), ("fr", 2), ("both", 4)] {
        let page = handout(&world, &format!("{language}.html"), &format!("--lang {language}"));
        let html = std::fs::read_to_string(&page).unwrap();
        // Whoever prints does not ask for the width of the paper.
        let as_on_a_phone = [
            (
                "@page { size: a4 portrait; margin: 9mm 12mm }",
                "@page { size: 380px 3500px; margin: 0 }",
            ),
            ("@media print, (min-width: 46em) {", "@media not all {"),
            ("@media print {", "@media not all {"),
            ("@media (max-width: 34em) {", "@media all {"),
        ];
        let html = as_on_a_phone.iter().fold(html, |html, (printed, shown)| {
            assert_eq!(html.matches(printed).count(), 1, "{printed}");
            html.replace(printed, shown)
        });
        std::fs::write(&page, html).unwrap();
        let pdf = printed(&world, &page);
        let read = text(run(Command::new("pdftotext").arg(&pdf).arg("-")));
        assert_eq!(read.matches(address).count(), times, "in the facts and below: {read}");
    }
}

#[test]
fn a_hundred_codes_are_printed_on_one_page() {
    let what = "a list in a browser";
    if !["chromium", "pdfinfo"].into_iter().all(|tool| has(tool, what)) {
        return;
    }
    let world = world();
    for (paper, size) in [("a4", "(A4)"), ("letter", "(letter)")] {
        for form in ["html", "pdf"] {
            let path = world.path(&format!("{paper}.{form}"));
            let label = format!("{paper}-{form}");
            let line = format!(
                "enrol alice --kind paper --codes 100 --device {label} --paper {paper} --handout {}",
                path.display()
            );
            world.run(&line).expect(0);
            let pdf = if form == "html" { printed(&world, &path) } else { path };
            is_one_page(&pdf, size);
        }
    }
}
