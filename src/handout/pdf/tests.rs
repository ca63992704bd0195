//! Whole pages, read back with the programs of poppler and with two decoders of QR codes.

mod reading;

use anyhow::{Error, Result};
use zeroize::Zeroizing;

use crate::domain::paper_size::PaperSize;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::handout::page::{CodeTitle, Fact, Handout};
use crate::handout::pdf::PdfForm;
use crate::handout::pdf::fixture::{
    KEY, URI, english, french, full, minimal, printed_codes, recovery_codes,
};
use crate::handout::pdf::tests::reading::Print;

fn pdf(handout: &Handout) -> Result<Zeroizing<Vec<u8>>> {
    PdfForm::new()?.render(handout)
}

fn refusal(error: &Error) -> &Refusal {
    error.downcast_ref().unwrap()
}

/// The words without the way in which they are broken.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_has_its_words_its_fonts_and_a_code_that_scans() {
    for (paper, size) in [(PaperSize::A4, "(A4)"), (PaperSize::Letter, "(letter)")] {
        for sheets in [vec![english()], vec![french()], vec![english(), french()]] {
            let count = sheets.len();
            let handout = full(paper, sheets);
            let print = Print::of(&handout);
            let information = print.information();
            assert!(information.contains("Pages:           1\n"), "{information}");
            assert!(information.contains(size), "{information}");
            assert!(information.contains("Tagged:          yes"), "{information}");
            assert!(!information.contains("Producer") && !information.contains("Date"));
            assert!(information.contains(&handout.sheets[0].title));
            let fonts = print.fonts();
            assert_eq!(fonts.len(), 2, "{fonts:?}");
            assert!(fonts.iter().all(|font| font.contains("yes yes yes")), "{fonts:?}");
            assert_eq!(print.zbar(), URI);
            assert_eq!(print.rqrr(), URI);
            let text = flowing(&print.tagged());
            assert!(text.contains(KEY), "{text}");
            for sheet in &handout.sheets {
                let mut rest = &*text;
                for (number, step) in (1..).zip(&sheet.steps) {
                    let step = format!("\"{number} {step}\"");
                    rest = rest
                        .split_once(&flowing(&step))
                        .unwrap_or_else(|| panic!("{step}: {rest}"))
                        .1;
                }
                assert!(text.contains(&flowing(&sheet.footer)), "{text}");
                assert!(text.contains(&flowing(&sheet.sections[3].paragraphs[0])), "{text}");
            }
            for code in &handout.codes[0].codes {
                assert_eq!(text.matches(code.as_str()).count(), 1, "once for {count} languages");
            }
        }
    }
}

#[test]
fn steps_and_key_can_be_copied_in_order() {
    let text = Print::of(&full(PaperSize::A4, vec![english()])).layout();
    let places: Vec<usize> =
        ["Install Google", "Open it", "Point the camera", "The app shows", "Sign in once"]
            .map(|words| text.find(words).unwrap())
            .to_vec();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("NVTG CY3U NQWX GYLN") && text.contains("OBWG KLLB NRUW GZJB"), "{text}");
}

#[test]
fn the_same_handout_makes_the_same_bytes_and_another_one_others() {
    let make = || pdf(&full(PaperSize::A4, vec![english(), french()])).unwrap();
    assert!(make() == make());
    assert!(make() != pdf(&full(PaperSize::A4, vec![french(), english()])).unwrap());
}

#[test]
fn a_page_with_nothing_that_can_be_left_out() {
    let print = Print::of(&minimal());
    assert!(print.information().contains("Pages:           1\n"));
    assert!(print.layout().contains("Plug it in"));
    let mut empty = minimal();
    let sheet = &mut empty.sheets[0];
    (sheet.title, sheet.steps_title, sheet.footer) = Default::default();
    sheet.steps.clear();
    assert!(Print::of(&empty).information().contains("Pages:           1\n"));
}

fn with_printed_list(paper: PaperSize) -> Handout {
    let mut sheets = vec![english(), french()];
    for sheet in &mut sheets {
        sheet.code_titles.push(CodeTitle { title: "List".to_owned(), about: String::new() });
        sheet.steps.truncate(2);
        sheet.sections.truncate(1);
    }
    let handout = full(paper, sheets);
    Handout { codes: vec![recovery_codes(), printed_codes(100)], ..handout }
}

#[test]
fn a_hundred_codes_fit_on_either_paper_in_two_languages() {
    for paper in [PaperSize::A4, PaperSize::Letter] {
        let handout = with_printed_list(paper);
        let print = Print::of(&handout);
        assert!(print.information().contains("Pages:           1\n"));
        let text = flowing(&print.tagged());
        for (number, code) in (1..).zip(&handout.codes[1].codes) {
            assert!(text.contains(&format!("\"{number} {}\"", **code)), "{number}: {text}");
        }
        assert_eq!(print.zbar(), URI);
    }
}

#[test]
fn what_fits_at_no_size_is_refused_and_nothing_is_off_the_page() {
    let mut handout = full(PaperSize::Letter, vec![english()]);
    handout.sheets[0].why = vec!["long words and many ".repeat(60)];
    assert!(Print::of(&handout).is_inside());
    handout.sheets[0].why = vec!["long words and many ".repeat(600)];
    let error = pdf(&handout).unwrap_err();
    assert_eq!(refusal(&error).code, ErrorCode::BadInput);
    assert!(error.to_string().contains("too long for one page"), "{error}");
    assert!(refusal(&error).hint.is_some());
}

#[test]
fn a_name_of_four_thousand_letters_without_a_blank_is_cut_on_the_page() {
    for sheets in [vec![english()], vec![english(), french()]] {
        let mut handout = full(PaperSize::A4, sheets);
        for sheet in &mut handout.sheets {
            sheet.title = "W".repeat(4000);
            sheet.facts.push(Fact { name: "N".repeat(4000), value: "V".repeat(4000) });
            sheet.key_facts.push(Fact { name: "n".repeat(4000), value: "v".repeat(4000) });
            sheet.steps.push("M".repeat(4000));
            sheet.sections[0].title = "T".repeat(4000);
        }
        let print = Print::of(&handout);
        assert!(print.is_inside());
        let text = print.layout();
        for letters in ["WWW…", "NNN…", "VVV…", "nnn…", "vvv…", "MMM…", "TTT…"] {
            assert!(text.contains(letters), "{letters} {text}");
        }
        assert_eq!(print.zbar(), URI);
    }
}

#[test]
fn a_key_is_never_cut() {
    let mut handout = full(PaperSize::A4, vec![english()]);
    for key in ["ABCD ".repeat(26), "A2B3".repeat(26)] {
        handout.key = Some(key.trim().to_owned().into());
        let text = Print::of(&handout).tagged();
        let read: String = text.split_whitespace().collect();
        let key: String = key.split_whitespace().collect();
        assert!(read.contains(&key), "{text}");
    }
}

#[test]
fn a_long_address_makes_a_larger_code_and_one_that_no_code_holds_is_refused() {
    let mut handout = full(PaperSize::A4, vec![english()]);
    let long = format!("{URI}&{}", "x".repeat(500));
    handout.qr = Some(long.clone().into());
    assert_eq!(Print::of(&handout).rqrr(), long);
    handout.qr = Some("x".repeat(4000).into());
    let error = pdf(&handout).unwrap_err();
    assert_eq!(error.to_string(), "account: is too long for a QR code");
}

#[test]
fn other_scripts_of_the_font_are_drawn_and_the_rest_is_refused_by_name() {
    let mut handout = full(PaperSize::A4, vec![english()]);
    for good in
        ["Ελένη Παπαδοπούλου", "Наталья Щукина", "Łukasz Żółć", "Ngũyễn", "O’Neill & Söhne <b>"]
    {
        handout.sheets[0].facts[0].value = good.to_owned();
        let text = Print::of(&handout).layout();
        assert!(text.contains(good), "{good}: {text}");
    }
    for (bad, named) in [
        ("漢字", "Account: the letter 漢 is not in the font of the PDF"),
        ("party 🎉", "Account: the letter 🎉 is not in the font of the PDF"),
        ("דוד", "Account: the letter ד is of a script that the PDF can't draw"),
        ("محمد", "Account: the letter م is of a script that the PDF can't draw"),
        ("a\u{202e}b", "Account: the letter \\u{202e} is not in the font of the PDF"),
        ("a\nb", "Account: the letter \\u{a} is not in the font of the PDF"),
    ] {
        handout.sheets[0].facts[0].value = bad.to_owned();
        let error = pdf(&handout).unwrap_err();
        assert_eq!(error.to_string(), named);
        assert_eq!(refusal(&error).code, ErrorCode::BadInput);
    }
}
