//! User names, group names and device labels. A user has one canonical name, so that no second "alice"
//! can exist.
//!
//! Names must pass RFC 8265 `UsernameCaseMapped`, then a shorter list of allowed characters, use one
//! script (UTS 39) and not look like an ASCII name.

mod look_alike;
mod spelling;

use std::borrow::Cow;
use std::fmt;

use precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::UsernameCaseMapped;
use serde::{Serialize, Serializer};
use unicode_normalization::char::decompose_compatible;

use crate::domain::refusal::Refusal;
use crate::domain::text::{prose_line, quoted, refuse, shown};

/// The longest canonical name, in bytes of UTF-8.
pub const LONGEST: usize = 255;

/// The canonical name of a user. Two names are equal if their canonical forms are.
#[derive(Clone, Debug)]
pub struct UserName {
    name: String,
    /// Other names by which the user may be stored, to look for before `name` and after it. Whoever was found by
    /// what is typed is found by it still, even where the store has two names that are one today.
    before: Vec<String>,
    after: Vec<String>,
}

impl UserName {
    /// The canonical form of a typed name.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        let (cased, name) = spelled("user name", typed)?;
        let after = spelling::earlier(&name).filter(|earlier| *earlier != cased);
        let before = if cased == name { Vec::new() } else { vec![cased] };
        Ok(Self { name, before, after: after.into_iter().collect() })
    }

    /// An unchecked name from a store, which somebody may have altered. `Display` escapes it; check the
    /// MAC before deciding anything by it.
    #[must_use]
    pub const fn stored(name: String) -> Self {
        Self { name, before: Vec::new(), after: Vec::new() }
    }

    /// This name for a new user; see [`new_group`].
    pub fn for_new_user(&self) -> Result<Self, Refusal> {
        check_new("user name", &self.name)?;
        Ok(self.clone())
    }

    /// This name for somebody who may also be stored by the whole typed name, which is looked for first.
    #[must_use]
    pub fn or_whole(mut self, whole: &Self) -> Self {
        let mut before: Vec<String> = whole.spellings().map(str::to_owned).collect();
        before.append(&mut self.before);
        Self { before, ..self }
    }

    /// The names to look for in a store, in this order; the first user found is meant.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let names = self.before.iter().chain([&self.name]).chain(&self.after);
        names.map(String::as_str)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl AsRef<str> for UserName {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for UserName {}

impl PartialOrd for UserName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(&other.name)
    }
}

/// The canonical name of a group, by the same rules as a user name.
pub fn group(typed: &str) -> Result<String, Refusal> {
    Ok(spelled("group", typed)?.1)
}

/// The name of a group that somebody joins. Refused where its capitals are another name, as in Greek with an iota
/// below: typed in capitals, the name would be another group.
pub fn new_group(typed: &str) -> Result<String, Refusal> {
    let name = group(typed)?;
    check_new("group", &name)?;
    Ok(name)
}

/// The spelling under which all spellings of a stored group are counted.
#[must_use]
pub fn group_spelling(stored: &str) -> String {
    spelling::folded(stored)
}

/// The text with the half-width form of each full-width character, as the rules of names take them.
#[must_use]
pub fn half_width(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut half = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{ff00}'..='\u{ffef}' => decompose_compatible(c, |part| half.push(part)),
            c => half.push(c),
        }
    }
    half.into()
}

/// The form in which a domain or a realm is compared: that of names, where it can be one.
#[must_use]
pub fn comparable(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let cased = UsernameCaseMapped::enforce(text);
    spelling::folded(&cased.unwrap_or_else(|_| half_width(text).to_lowercase().into()))
}

fn check_new(field: &str, name: &str) -> Result<(), Refusal> {
    if let Some(c) = name.chars().find(|c| look_alike::is_modifier(*c)) {
        let problem = format!("has {c}, a letter that looks like a mark ({})", c.escape_unicode());
        return Err(refuse(field, name, &problem).hint("write an apostrophe as '"));
    }
    // Only what is stored already is read by a spelling whose canonical form can't be typed.
    look_alike::refuse(field, name, &spelling::folded(name))?;
    match spelled(field, &name.to_uppercase()) {
        Ok((_, other)) if other != name => Err(refuse(field, name, "is another name in capitals")
            .hint(format!("use the name {}", shown(&other)))),
        _ => Ok(()),
    }
}

/// Whether these are names of one group. A store of an earlier version may spell one of them in another way.
#[must_use]
pub fn is_same_group(one: &str, other: &str) -> bool {
    one == other
        || !(one.is_ascii() && other.is_ascii()) && spelling::folded(one) == spelling::folded(other)
}

/// Whether no other spelling of this group can be stored.
#[must_use]
pub fn has_one_spelling(group: &str) -> bool {
    group.is_ascii() && spelling::earlier(group).is_none()
}

/// The longest label of a device, in characters.
const LONGEST_LABEL: usize = 32;

/// The label of a device: one line of at most 32 characters, without `=` `,` `;` `:` and `"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// The label used if none is given.
    pub const DEFAULT: &'static str = "phone";
    /// Characters of the longest one.
    pub const LONGEST: usize = LONGEST_LABEL;

    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        const FIELD: &str = "device label";
        let hint = format!("choose a label of up to {LONGEST_LABEL} letters and digits");
        let label = prose_line(FIELD, typed, LONGEST_LABEL).map_err(|error| error.hint(hint))?;
        if label.trim() != label {
            return Err(refuse(FIELD, typed, "begins or ends with a space"));
        }
        if let Some(c) = label.chars().find(|c| matches!(c, '=' | ',' | ';' | ':' | '"')) {
            return Err(refuse(FIELD, typed, &format!("may not contain '{c}'")));
        }
        if label.starts_with(['-', '+', '@']) {
            return Err(refuse(FIELD, typed, "may not start with - + or @"));
        }
        Ok(Self(label))
    }

    /// This label with a number, such as `phone-2`: no longer than a label may be, and needing no quotes where
    /// the label itself needs none.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let end = format!("-{number}");
        let start: String = self.0.chars().take(LONGEST_LABEL - end.len()).collect();
        Self(format!("{}{end}", start.trim_end()))
    }

    /// Whether a person would take these for one label: they differ in upper and lower case, in how a character is
    /// encoded, such as `ﬁ`, or in what can't be seen, at most.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        if self.0.is_ascii() && other.0.is_ascii() {
            return self.0.eq_ignore_ascii_case(&other.0);
        }
        spelling::seen(&self.0) == spelling::seen(&other.0)
    }

    /// What a new device of a kind is called; a word of the program, so that it needs no check.
    #[must_use]
    pub fn of_kind(word: &'static str) -> Self {
        Self(word.to_owned())
    }

    /// An unchecked label from a store; see [`UserName::stored`].
    #[must_use]
    pub const fn stored(label: String) -> Self {
        Self(label)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Label {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// A typed name in lower case, and its canonical form. Whether it looks like another name is judged by the canonical
/// form; where only that looks so, the name in lower case is its own canonical form.
fn spelled(field: &str, typed: &str) -> Result<(String, String), Refusal> {
    let cased = lower_case(field, typed)?;
    let folded = spelling::folded(&cased);
    match look_alike::refuse(field, typed, &folded) {
        Ok(()) => Ok((cased, folded)),
        Err(refusal) if cased == folded => Err(refusal),
        Err(_) => look_alike::refuse(field, typed, &cased).map(|()| (cased.clone(), cased)),
    }
}

fn lower_case(field: &str, typed: &str) -> Result<String, Refusal> {
    if typed.is_empty() {
        return Err(refuse(field, typed, "is empty"));
    }
    if typed.len() > 4 * LONGEST {
        return Err(too_long(field, typed));
    }
    let name = if typed.is_ascii() {
        typed.to_ascii_lowercase()
    } else {
        let name = UsernameCaseMapped::enforce(typed).map_err(|_| unacceptable(field, typed))?;
        // Some lower-case letters, such as those of Cherokee, are newer than the tables of the profile: a
        // name that the profile would refuse in its own canonical form could never be typed again.
        let is_stable = UsernameCaseMapped::enforce(&*name).is_ok_and(|again| again == name);
        if !is_stable {
            return Err(unacceptable(field, typed));
        }
        name.into_owned()
    };
    if name.len() > LONGEST {
        return Err(too_long(field, typed));
    }
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        let shown =
            if c == ' ' { "a space".to_owned() } else { format!("'{}'", c.escape_default()) };
        let refusal = unacceptable(field, typed);
        let refusal = refusal.quoting(format!("{} contains {shown}", quoted(typed)));
        let is_of_domain = c == '\\' && field == "user name";
        return Err(if is_of_domain {
            refusal
                .hint("leave the domain out, or name it in the configuration: [names] strip_domain")
        } else {
            refusal
        });
    }
    if name.starts_with(['-', '.']) {
        return Err(refuse(field, typed, "starts with - or ."));
    }
    // An apostrophe is a part of a word: O'Brien, 't Hooft. CSV for spreadsheets puts one before a first + or @, which
    // reading takes away again.
    if name.split('\'').skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric)) {
        return Err(refuse(field, typed, "has ' without a letter or digit after it"));
    }
    Ok(name)
}

fn allowed(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '@' | '+' | '\'')
        || (!c.is_ascii() && c.is_alphanumeric())
        || is_mark(c)
}

/// Combining marks that NFC does not compose are part of letters in many scripts.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn too_long(field: &str, typed: &str) -> Refusal {
    refuse(field, typed, &format!("is longer than {LONGEST} bytes"))
}

fn unacceptable(field: &str, typed: &str) -> Refusal {
    refuse(field, typed, "has a character that is not allowed in names")
        .hint("use letters, digits and . _ - @ + '")
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.name))
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&shown(&self.name))
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&shown(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_spellings_are_the_same_user() {
        for typed in ["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ＡＬＩＣＥ"] {
            assert_eq!(UserName::parse(typed).unwrap().as_str(), "alice", "{typed}");
        }
        for typed in ["éloïse.dupré@exemple.fr", "e\u{301}loi\u{308}se.dupre\u{301}@exemple.fr"]
        {
            assert_eq!(UserName::parse(typed).unwrap().as_str(), "éloïse.dupré@exemple.fr");
        }
        for name in [
            "дмитрий2",
            "o'brien@x.example",
            "'t.hooft",
            "łukasz",
            "søren",
            "nguyễn",
            "ahmət",
            "γιώργος",
            "さくら",
            "李雷",
        ] {
            assert_eq!(UserName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "a".repeat(256);
        for typed in [
            "",
            " ",
            "alice ",
            " alice",
            "a b",
            "\u{a0}",
            "\u{200b}",
            "-",
            "--",
            "-h",
            ".",
            "..",
            "../../x",
            "/etc/passwd",
            "a/b",
            "$(id)",
            "`id`",
            "~root",
            "'",
            "''a",
            "'+a",
            "'@a",
            "'-a",
            "a'--",
            "a'",
            "a’b",
            "a\"",
            "%",
            "*",
            "a;b",
            "a\\b",
            "DOM\\alice",
            "\u{1b}[2J",
            "a\r",
            "a\n",
            "a\t",
            "a\u{7f}",
            "\u{9b}",
            "\u{202e}alice",
            "\u{2066}a",
            "a\u{200d}b",
            "ﬁn",
            "аlice",
            "alıce",
            "аӏісе",
            "αlice",
            "=1+1",
            "@\n",
            "\u{feff}alice",
            "a\u{301}\u{301}",
            "٣",
            "a٣",
            "𝐚lice",
            &long,
            "a,b",
            "alice\u{0}",
        ] {
            assert!(UserName::parse(typed).is_err(), "{typed:?}");
        }
        assert!(UserName::parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn labels_are_one_line_without_separators() {
        for typed in ["phone", "Pixel 9", "téléphone", "می\u{200c}خواهم"] {
            assert!(Label::parse(typed).is_ok(), "{typed}");
        }
        for typed in
            ["", " ", " a", "a=b", "a;b", "a:b", "=1", "-x", "a\nb", "a\u{200c}b", &"x".repeat(33)]
        {
            assert!(Label::parse(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn a_name_whose_canonical_form_is_refused_is_refused() {
        assert!(UserName::parse("\u{13a0}").is_err());
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_stable(typed in "\\PC{0,20}") {
            if let Ok(name) = UserName::parse(&typed) {
                prop_assert_eq!(UserName::parse(name.as_str()).unwrap(), name);
            }
        }

        #[test]
        fn the_ascii_path_agrees_with_the_profile(typed in "[!-~]{1,20}") {
            if let Ok(name) = UserName::parse(&typed) {
                let enforced = UsernameCaseMapped::enforce(typed.as_str()).unwrap();
                prop_assert_eq!(name.as_str(), enforced.as_ref());
            }
        }
    }
}
