//! Templates of a site: what they may do, what is said about one that is wrong, and the list of placeholders.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::Result;

use super::{BOTH, ENGLISH, HandoutSettings, Markup, PaperSize, Sample, Templates};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::FilePolicy;
use crate::handout::made_up;
use crate::handout::placeholders::Placeholders;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<Templates> {
    let templates = Some(folder.to_owned());
    let settings = HandoutSettings { templates, paper: PaperSize::A4, mail_secrets: false };
    let euid = rustix::process::geteuid().as_raw();
    Templates::load(&settings, &FilePolicy { euid, ..FilePolicy::default() })
}

fn page(files: &[(&str, &str)], form: Markup) -> Result<String> {
    let folder = folder(files);
    let page = load(folder.path())?.render(&Sample::new(ENGLISH).handout(), form)?;
    Ok(String::from_utf8(page.to_vec())?)
}

fn problem(files: &[(&str, &str)]) -> String {
    let Err(error) = page(files, Markup::Html) else { panic!("{files:?} makes a page") };
    error.to_string()
}

#[test]
fn a_template_of_the_site_makes_the_page_and_values_are_escaped_in_it() {
    let template =
        "{% for sheet in sheets %}<h1>{{ sheet.title }}</h1>{{ key }}{% endfor %}{{ qr }}";
    let html = page(&[("handout.html", template)], Markup::Html).unwrap();
    assert!(html.starts_with("<h1>Example Corp: signing in") && html.contains("<svg"), "{html}");
    // The other form is the program's own.
    assert!(page(&[("handout.html", template)], Markup::Text).unwrap().contains("WHAT TO DO"));
    let included = [("handout.html", "{% include 'part.txt' %}"), ("part.txt", "{{ '<b>' }}")];
    assert_eq!(page(&included, Markup::Html).unwrap(), "&lt;b&gt;", "whatever the name of a part");
    let extended = "{% extends 'standard.html' %}{% block top %}<p>The Site</p>{% endblock %}";
    let html = page(&[("handout.html", extended)], Markup::Html).unwrap();
    assert!(html.contains("<p>The Site</p>") && html.contains("What to do"));
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_placeholder() {
    let missing = problem(&[("handout.html", "<p>\n</p>\n{{ tikcet }}\n")]);
    assert!(missing.contains("/handout.html, line 3: `tikcet` is undefined"), "{missing}");
    let nested = problem(&[("handout.html", "{% for s in sheets %}\n{{ s.titel }}{% endfor %}")]);
    assert!(nested.contains("line 2: `s.titel` is undefined"), "{nested}");
    let part =
        [("handout.html", "\n{% include 'part.html' %}"), ("part.html", "\n\n{{ nothing }}")];
    let part = problem(&part);
    assert!(part.contains("/part.html, line 3: `nothing` is undefined"), "{part}");
    let syntax = problem(&[("handout.html", "a\n{% for x in %}")]);
    assert!(syntax.contains("/handout.html, line 2: "), "{syntax}");
}

#[test]
fn a_template_that_never_ends_or_fills_the_memory_is_stopped() {
    let many = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(problem(&[("handout.html", many)]).contains("does too much for one page"));
    let doubled = "{% set ns = namespace(x='x') %}{% for a in range(60) %}\
                   {% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}";
    assert!(problem(&[("handout.html", doubled)]).contains("does too much for one page"));
    let long = "{% set text = 'x' * 1000000 %}{% for a in range(5) %}{{ text }}{% endfor %}";
    assert!(problem(&[("handout.html", long)]).contains("more than 4 MiB"));
    let itself = problem(&[("handout.html", "{% include 'handout.html' %}")]);
    assert!(itself.contains("handout.html"), "{itself}");
}

/// The engine calls itself for each operator: a file of 80 KB would end the program.
#[test]
fn a_tag_that_would_fill_the_stack_is_refused_when_it_is_read() {
    let sum = format!("\n{{{{ {}1 }}}}", "1+".repeat(40_000));
    let negations = format!("\n{{{{ {}key }}}}", "not ".repeat(1_000));
    let condition = format!("\n{{% if {}1 %}}{{% endif %}}", "1+".repeat(40_000));
    let alternatives = format!("{{% if key %}}{}{{% endif %}}", "\n{% elif key %}".repeat(9_000));
    for (long, line) in [(sum, 2), (negations, 2), (condition, 2), (alternatives, 102)] {
        let place = format!("/handout.html, line {line}: ");
        let whole = folder(&[("handout.html", &long)]);
        let Err(error) = load(whole.path()) else { panic!("{place} is read") };
        let refusal = error.downcast_ref::<Refusal>().unwrap();
        assert_eq!(refusal.code, ErrorCode::Config);
        assert!(error.to_string().contains(&place), "{error}");
        let part = problem(&[("handout.html", "{% include 'part.html' %}"), ("part.html", &long)]);
        assert!(part.contains(&place.replace("handout", "part")), "{part}");
    }
    // What is just short enough takes little enough of the stack.
    for (operator, last) in [("1+", "1"), ("not ", "1"), ("-", "1"), ("1~", "1"), ("", "key")] {
        let room = 4_000 - "{{  }}".len() - last.len();
        let all = operator.repeat(room.checked_div(operator.len()).unwrap_or(0));
        let template = format!("{{{{ {all}{last} }}}}");
        page(&[("handout.html", &template)], Markup::Html).unwrap();
    }
    let filters = format!("{{{{ key{} }}}}", "|e".repeat(1_990));
    page(&[("handout.html", &filters)], Markup::Html).unwrap();
    let alternatives = format!("{{% if not key %}}{}{{% endif %}}", "{% elif key %}".repeat(100));
    page(&[("handout.html", &alternatives)], Markup::Html).unwrap();
}

#[test]
fn no_file_outside_the_folder_is_read() {
    for name in ["/etc/passwd", "../part.html", "a/b.html", "..", ".hidden", "a\\b"] {
        let template = format!("{{% include {name:?} %}}");
        let problem = problem(&[("handout.html", &template), (".hidden", "hidden")]);
        assert!(problem.contains("is not the name of a template"), "{name}: {problem}");
        assert!(problem.contains("/handout.html, line 1: \""), "{name}: {problem}");
    }
    let part = [
        ("handout.html", "\n{% include 'part.html' %}"),
        ("part.html", "\n\n{% include '/etc/passwd' %}"),
    ];
    let part = problem(&part);
    assert!(part.contains("/part.html, line 3: \"/etc/passwd\" is not the name"), "{part}");
    let base = problem(&[("handout.html", "\n{% extends '../base.html' %}")]);
    assert!(base.contains("/handout.html, line 2: \"../base.html\" is not the name"), "{base}");
    let absent = problem(&[("handout.html", "{% include 'absent.html' %}")]);
    assert!(absent.contains("absent.html"), "{absent}");
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let is_refused = |folder: &tempfile::TempDir, word: &str| {
        let Err(error) = load(folder.path()) else { panic!("{word} was accepted") };
        assert!(error.to_string().contains(word), "{error}");
    };
    let open = folder(&[("handout.html", "x")]);
    let path = open.path().join("handout.html");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    is_refused(&open, "the template");
    is_refused(&open, "has mode 0666");
    let linked = folder(&[("other.html", "x")]);
    symlink(linked.path().join("other.html"), linked.path().join("handout.html")).unwrap();
    is_refused(&linked, "is a symbolic link");
    let shared = folder(&[("handout.txt", "x")]);
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o777)).unwrap();
    is_refused(&shared, "is writable by everybody");
    let large = folder(&[("handout.html", &"x".repeat((256 << 10) + 1))]);
    is_refused(&large, "is larger than 256 KiB");
    fs::remove_file(large.path().join("handout.html")).unwrap();
    fs::File::create(large.path().join("handout.txt")).unwrap().set_len(100 << 20).unwrap();
    fs::set_permissions(large.path().join("handout.txt"), fs::Permissions::from_mode(0o600))
        .unwrap();
    is_refused(&large, "is larger than 256 KiB");
    let binary = folder(&[]);
    fs::write(binary.path().join("handout.html"), [0xff, 0xfe]).unwrap();
    fs::set_permissions(binary.path().join("handout.html"), fs::Permissions::from_mode(0o600))
        .unwrap();
    is_refused(&binary, "is not UTF-8");
    assert!(load(&open.path().join("absent")).is_err());
    let fine = folder(&[("handout.html", &"x".repeat(256 << 10)), ("handout.txt", "y")]);
    assert!(load(fine.path()).is_ok());
}

#[test]
fn each_template_is_tried_with_everything_and_with_nothing() {
    let trial = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let mut trials = load(folder.path()).unwrap().try_out();
        assert_eq!(trials.len(), 1);
        trials.remove(0)
    };
    let fine = trial(&[("handout.txt", "{{ key }}")]);
    assert!(fine.refusal.is_none() && !fine.lacks_secret && fine.file.ends_with("/handout.txt"));
    assert!(!trial(&[("handout.html", "{{ qr }}")]).lacks_secret);
    assert!(!trial(&[("handout.html", "{% extends 'standard.html' %}")]).lacks_secret);
    assert!(trial(&[("handout.html", "{{ sheets[0].title }}")]).lacks_secret);
    // Only a page with codes comes to the first, only one without comes to the second.
    for template in
        ["{% if codes %}{{ wrong }}{% endif %}", "{% if not key %}{{ wrong }}{% endif %}"]
    {
        let refusal = trial(&[("handout.html", template)]).refusal.unwrap();
        assert!(refusal.to_string().contains("`wrong` is undefined"), "{refusal}");
    }
    assert!(load(folder(&[]).path()).unwrap().try_out().is_empty());
}

/// Names of all values, such as `sheets[].facts[].name`.
fn names(value: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                names(value, &path, found);
            }
        }
        serde_json::Value::Array(items) if items.iter().any(|item| !item.is_string()) => {
            for item in items {
                names(item, &format!("{path}[]"), found);
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

#[test]
fn the_page_about_handouts_lists_each_placeholder() {
    let handout = made_up::with_everything();
    let values = serde_json::to_value(Placeholders::html(&handout).unwrap()).unwrap();
    let mut passed = BTreeSet::new();
    names(&values, "", &mut passed);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/handouts.md"));
    let page = page.unwrap();
    let (_, table) = page.split_once("| placeholder |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let listed: BTreeSet<String> =
        rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
    assert_eq!(listed, passed);
    assert!(passed.contains("sheets[].facts[].name") && passed.len() > 15);
}

#[test]
fn own_pages_take_little_of_what_a_template_may_do() {
    let mut sample = Sample::new(BOTH);
    (sample.recovery_codes, sample.paper_codes) = (10, 100);
    let templates = super::own();
    for used in templates.fuel_of(&sample.handout()) {
        assert!((100..10_000).contains(&used), "{used} of 200000");
    }
}

#[test]
fn a_link_to_the_folder_is_trusted_as_its_way_is() {
    let folder = folder(&[("handout.txt", "x")]);
    let way = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let open = way.path().join("open");
    fs::create_dir(&open).unwrap();
    symlink(folder.path(), open.join("direct")).unwrap();
    // A link to a link, and a relative one.
    symlink("open/direct", way.path().join("second")).unwrap();
    symlink("../open/./direct", open.join("third")).unwrap();
    for (bits, is_trusted) in [(0o755, true), (0o1777, true), (0o777, false), (0o703, false)] {
        mode(&open, bits);
        for link in ["open/direct", "second", "open/third"] {
            let loaded = load(&way.path().join(link));
            assert_eq!(loaded.is_ok(), is_trusted, "{link} {bits:o}");
            if let Err(error) = loaded {
                let problem = error.to_string();
                assert!(problem.contains("above the template in"), "{problem}");
                assert!(problem.contains("/open above"), "{problem}");
            }
        }
    }
    symlink("round", way.path().join("round")).unwrap();
    assert!(load(&way.path().join("round")).is_err());
}
