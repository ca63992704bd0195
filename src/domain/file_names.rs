//! Names of files for people and groups: safe on every system that the files may be copied to, and each once.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Bytes of the longest name before its extension. Encrypted folders of Linux hold no more than 143.
const LONGEST: usize = 120;
/// Stands where a name is not as it was. No name of a user or a group has it.
const MARK: char = '~';
/// Devices of Windows, whatever follows a dot; COM and LPT have a number too.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// The names of one folder.
#[derive(Debug, Default)]
pub struct FileNames {
    /// In the form in which no system tells two of them apart.
    taken: BTreeSet<String>,
}

impl FileNames {
    /// A folder that has these names already.
    #[must_use]
    pub fn with(taken: &[&str]) -> Self {
        Self { taken: taken.iter().map(|name| caseless(name)).collect() }
    }

    /// A new name for the file of somebody, such as `alice.html`. `extension` has its dot.
    pub fn file(&mut self, name: &str, extension: &str) -> String {
        let stem = without_device(&plain(name));
        (1..=u32::MAX)
            .map(|number| numbered(&stem, number) + extension)
            .find(|name| self.taken.insert(caseless(name)))
            .unwrap_or_default()
    }

    /// A new name for a folder.
    pub fn folder(&mut self, name: &str) -> String {
        let mut stem = without_device(&plain(name));
        // Windows drops a dot at the end.
        if stem.ends_with('.') {
            stem.push(MARK);
        }
        self.file(&stem, "")
    }
}

/// The name without what a file system or a shell takes for something else, and not too long.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || is_combining_mark(c) || "._-@+'~".contains(c);
    let mut plain = String::with_capacity(name.len());
    for c in name.chars() {
        if plain.len() + c.len_utf8() > LONGEST {
            plain.push(MARK);
            break;
        }
        plain.push(if is_plain(c) { c } else { '_' });
    }
    if plain.starts_with(['.', '-']) || plain.is_empty() {
        plain.insert(0, '_');
    }
    plain
}

/// With a mark behind the name of a device, which ends at the first dot.
fn without_device(name: &str) -> String {
    let (device, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
    let lower = device.to_lowercase();
    let is_numbered = NUMBERED_DEVICES.iter().any(|device| {
        let number = lower.strip_prefix(device).unwrap_or_default();
        number.chars().count() == 1 && number.chars().all(char::is_numeric)
    });
    if is_numbered || DEVICES.contains(&lower.as_str()) {
        format!("{device}{MARK}{rest}")
    } else {
        name.to_owned()
    }
}

fn numbered(stem: &str, number: u32) -> String {
    if number == 1 { stem.to_owned() } else { format!("{stem}{MARK}{number}") }
}

/// One string for all names that some system takes for one file.
fn caseless(name: &str) -> String {
    let capitals = name.nfkc().collect::<String>().to_uppercase();
    capitals.to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str) -> String {
        FileNames::default().file(name, ".html")
    }

    #[test]
    fn names_of_users_stay_as_they_are() {
        for name in
            ["alice", "o'brien@x.example", "a+b_c-d", "дмитрий2", "éloïse.dupré", "李雷", "console"]
        {
            assert_eq!(file(name), format!("{name}.html"));
        }
    }

    #[test]
    fn a_name_that_some_system_reads_otherwise_is_marked() {
        for (name, safe) in [
            ("con", "con~.html"),
            ("CON", "CON~.html"),
            ("nul.backup", "nul~.backup.html"),
            ("com1", "com1~.html"),
            ("lpt9.x", "lpt9~.x.html"),
            ("com12", "com12.html"),
            ("alice.", "alice..html"),
            ("..", "_...html"),
            (".hidden", "_.hidden.html"),
            ("-rf", "_-rf.html"),
            ("a/b", "a_b.html"),
            ("a\\b:c*d?", "a_b_c_d_.html"),
            ("a\u{202e}b\n\u{0}", "a_b__.html"),
            ("", "_.html"),
        ] {
            assert_eq!(file(name), safe, "{name:?}");
        }
        let mut names = FileNames::with(&["index.csv"]);
        assert_eq!(names.folder("vpn."), "vpn.~");
        assert_eq!(names.folder("aux"), "aux~");
        assert_eq!(names.folder("Index.CSV"), "Index.CSV~2");
    }

    #[test]
    fn no_two_users_share_a_file() {
        let mut names = FileNames::default();
        let long = "x".repeat(255);
        let mut other = long.clone();
        other.replace_range(254.., "y");
        let made: Vec<_> = [
            "alice",
            "Alice",
            "a/b",
            "a_b",
            "σοφος",
            "σοφοσ",
            "e\u{301}",
            "é",
            "con",
            "con~",
            &long,
            &other,
        ]
        .iter()
        .map(|name| names.file(name, ".pdf"))
        .collect();
        let one: BTreeSet<_> =
            made.iter().map(|name| name.nfc().collect::<String>().to_uppercase()).collect();
        assert_eq!(one.len(), made.len(), "{made:?}");
        assert_eq!((&*made[0], &*made[1], &*made[3]), ("alice.pdf", "Alice~2.pdf", "a_b~2.pdf"));
        assert!(made.iter().all(|name| name.len() < 143), "{made:?}");
    }

    proptest! {
        #[test]
        fn whatever_somebody_is_called_their_file_is_one_name(name in "\\PC{0,80}|[\\x00-\\x7f]{0,9}") {
            let file = file(&name);
            prop_assert!(!file.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']), "{file}");
            prop_assert!(!file.chars().any(char::is_control) && !file.starts_with(['.', '-', ' ']));
            prop_assert!(file.strip_suffix(".html").is_some() && file.len() < 143);
        }
    }
}
