//! Words from outside that must do no harm on a page.

use super::{BOTH, ENGLISH, Markup, Sample, own};
use crate::handout::page::Handout;

/// What people put into names, tickets and contacts, and what must never be on a page because of it.
const HOSTILE: [(&str, &[&str]); 6] = [
    ("<script>alert(1)</script>", &["<script"]),
    ("\"><img src=x onerror=alert(1)>", &["<img"]),
    ("{{7*7}}{{ uri }}", &["49", "{{7*7}}otpauth"]),
    ("{% include \"/etc/passwd\" %}", &["root:"]),
    ("a\u{202e}b\u{200f}c", &["\u{202e}", "\u{200f}"]),
    ("a\r\nb\u{1b}[31m\u{85}", &["a\r\nb", "\r", "\u{1b}", "\u{85}"]),
];

fn with(text: &str) -> Sample {
    let mut sample = Sample::new(BOTH);
    sample.user.profile.display_name = Some(text.to_owned());
    sample.contact = Some(text.to_owned());
    sample.ticket = Some(text.to_owned());
    // An issuer is checked by the configuration; a page does not rely on it.
    sample.issuer = Box::leak(text.to_owned().into_boxed_str());
    sample.recovery_codes = 2;
    sample
}

fn page(handout: &Handout, form: Markup) -> String {
    let page = own().render(handout, form).unwrap();
    String::from_utf8(page.to_vec()).unwrap()
}

#[test]
fn words_from_outside_are_printed_and_nothing_else() {
    for (text, harmful) in HOSTILE {
        // The QR code carries the name as it is; what is looked at is the page around it.
        let mut handout = with(text).handout();
        handout.qr = Some(zeroize::Zeroizing::new("otpauth://totp/x?secret=A".to_owned()));
        for form in [Markup::Html, Markup::Text] {
            let page = page(&handout, form);
            for harmful in harmful {
                // A text is not read as HTML.
                let is_markup = harmful.contains('<');
                assert!(
                    is_markup && form == Markup::Text || !page.contains(harmful),
                    "{form:?} {harmful:?}"
                );
            }
            let name = &handout.sheets[0].facts[0].value;
            assert!(name.chars().all(|c| !crate::domain::text::is_harmful(c)), "{name:?}");
        }
    }
    let shown = page(&with("{{7*7}}").handout(), Markup::Html);
    assert!(shown.contains("{{7*7}}"), "it is there, as it was typed");
    let shown = page(&with("<script>").handout(), Markup::Html);
    assert!(shown.contains("&lt;script&gt;"));
}

#[test]
fn a_page_of_html_can_run_nothing_and_ask_nobody() {
    let page = with("<a href=\"http://example.org\">").html();
    let (head, _) = page.split_once("<style>").unwrap();
    assert!(head.contains("default-src 'none'; style-src 'unsafe-inline'"));
    for outside in
        ["src=", "<link", "<script", "@import", " url(", "javascript:", "<iframe", "<form"]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    let links: Vec<_> = page.split("href=\"").skip(1).map(|link| &link[..8]).collect();
    assert_eq!(links, ["otpauth:", "otpauth:"], "the link to the app, in both languages");
}

#[test]
fn words_of_any_length_are_cut_and_emoji_stay() {
    let mut sample = with(&"é".repeat(4_000));
    // No QR code could carry that; the configuration allows 40 letters.
    sample.issuer = "Example Corp";
    let handout = sample.handout();
    for fact in &handout.sheets[0].facts {
        assert!(fact.value.chars().count() <= 200, "{}", fact.name);
    }
    let text = page(&handout, Markup::Text);
    assert!(
        text.lines()
            .all(|line| unicode_width::UnicodeWidthStr::width(line) <= 78 || line.contains('█'))
    );
    assert!(text.contains('…'));
    let emoji = with("Alice 🦀 日本").handout();
    assert!(page(&emoji, Markup::Html).contains("Alice 🦀 日本"));
    assert!(page(&emoji, Markup::Text).contains("Alice 🦀 日本"));
}

#[test]
fn a_text_fits_into_78_columns() {
    let mut sample = Sample::new(ENGLISH);
    for (recovery, list) in [(0, 0), (10, 0), (0, 100), (10, 100)] {
        (sample.recovery_codes, sample.paper_codes) = (recovery, list);
        let text = sample.text();
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
        assert!((40..=78).contains(&widest), "{widest}");
        assert_eq!(text.matches("[ ] ").count(), recovery);
        assert_eq!(text.contains("100. 0099-ABCDEF"), list > 0);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n\n"));
    }
}
