//! What doctor says of the templates of a site.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::testing::World;

/// The findings about handouts in a world with these templates, or without a folder of templates.
fn findings(files: Option<&[(&str, &str)]>) -> (i32, Vec<(String, String)>) {
    let world = World::new();
    let _ = world.pending("alice", "");
    let folder = tempfile::tempdir().unwrap();
    if let Some(files) = files {
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        world.configure(&format!("[handout]\ntemplates = {:?}\n", folder.path()));
    }
    let ran = world.run("doctor --json");
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    let about = findings.iter().filter(|finding| finding["what"] == "handouts");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (i32::from(ran.code), about.map(|f| (text(&f["state"]), text(&f["words"]))).collect())
}

#[test]
fn doctor_tries_each_template_of_the_site() {
    assert_eq!(findings(None), (0, Vec::new()), "without a folder there is nothing to say");
    let good = [("handout.html", "{{ qr }}{{ key }}"), ("handout.txt", "{{ key }}")];
    let (code, found) = findings(Some(&good));
    assert_eq!((code, found.len()), (0, 2));
    assert!(found.iter().all(|(state, words)| state == "good" && words.contains("makes pages")));
    let (code, found) = findings(Some(&[("handout.txt", "a\n{{ issuer }}\n{{ key }}")]));
    assert_eq!((code, found[0].0.as_str()), (1, "bad"));
    assert!(found[0].1.contains("/handout.txt, line 2: `issuer` is undefined"), "{found:?}");
    let (code, found) = findings(Some(&[("handout.html", "{{ sheets[0].title }}")]));
    assert_eq!((code, found[0].0.as_str()), (0, "warning"));
    assert!(found[0].1.contains("neither qr nor key"), "{found:?}");
    let (_, found) = findings(Some(&[("handout.htm", "x")]));
    assert_eq!(found[0].0, "warning");
    assert!(found[0].1.contains("neither handout.html nor handout.txt"), "{found:?}");
    let (code, found) = findings(Some(&[("handout.html", "\n{% include '/etc/passwd' %}")]));
    assert_eq!((code, found[0].0.as_str()), (1, "bad"));
    let words = "/handout.html, line 2: \"/etc/passwd\" is not the name of a template";
    assert!(found[0].1.contains(words), "{found:?}");
    let long = format!("\n{{{{ {}1 }}}}", "1+".repeat(40_000));
    let (code, found) = findings(Some(&[("handout.html", &long)]));
    assert_eq!((code, found[0].0.as_str()), (1, "bad"));
    assert!(found[0].1.contains("/handout.html, line 2: "), "{found:?}");
    let (code, found) = findings(Some(&[("handout.html", "\n\n{% if %}")]));
    assert_eq!((code, found[0].0.as_str()), (1, "bad"));
    assert!(found[0].1.contains("/handout.html, line 3: "), "{found:?}");
}
