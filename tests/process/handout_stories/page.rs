//! A page as its reader has it: the text of the file, and nothing else.

/// Pixels of a module of the QR code.
const SCALE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The words in this language.
    pub const fn of(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Install,
    Scan,
    TypeKey,
    SeeCode,
    SignInWithTemporary,
    SignInWithOld,
    ChoosePassword,
    OpenSignIn,
    SeeQr,
    SignInAndType,
    TypeWhenAsked,
    TypeThatCode,
    BeDone,
    Keep,
    AskToSwitchOn,
    SignInAsBefore,
}

/// How a reader knows what a step asks for: its words in English and in French. None is part of two steps.
const MEANINGS: [(Act, &str, &str); 16] = [
    (Act::Install, "On your phone, install ", "Sur votre téléphone, installez "),
    (Act::TypeKey, "If you can’t scan:", "Si vous ne pouvez pas scanner :"),
    (Act::Scan, "point the camera at the square", "avec l’appareil photo"),
    (Act::SeeCode, "The app now shows a code of", "affiche maintenant un code à"),
    (Act::SignInWithTemporary, "and the temporary password", "et le mot de passe temporaire"),
    (Act::SignInWithOld, "and your present password", "et votre mot de passe actuel"),
    (Act::ChoosePassword, "asks you for a new password", "demande un nouveau mot de passe"),
    (Act::SeeQr, "now shows a QR code", "affiche alors un code QR"),
    (
        Act::SignInAndType,
        "sign in with your user name and password. When it asks for a code, type the one that the app shows",
        "et votre mot de passe. Quand elle demande un code, saisissez celui que l’application affiche",
    ),
    (
        Act::TypeWhenAsked,
        "When the sign-in page asks for a code, type the one that the app shows",
        "Quand la page de connexion demande un code, saisissez celui que l’application affiche",
    ),
    (Act::TypeThatCode, "Type that code on the sign-in page", "Saisissez ce code sur la page"),
    (
        Act::OpenSignIn,
        "Open the sign-in page, and sign in with your user name and password.",
        "connectez-vous avec votre nom d’utilisateur et votre mot de passe.",
    ),
    (Act::BeDone, "Once the code is accepted, you are done", "Une fois le code accepté"),
    (Act::Keep, "delete nothing in the app", "ne supprimez rien dans l’application"),
    (
        Act::AskToSwitchOn,
        "ask the helpdesk to switch",
        "demandez au centre d’assistance de réactiver",
    ),
    (Act::SignInAsBefore, "sign in as before", "connectez-vous comme avant"),
];

/// The text of a file.
#[derive(Clone)]
pub struct Page {
    pub language: Language,
    text: String,
}

/// Without the breaks of lines. A no-break space is a space to whoever reads.
fn flowing(text: &str) -> String {
    text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub const fn new(language: Language, text: String) -> Self {
        Self { language, text }
    }

    /// Whether these words are on the page, however its lines are broken.
    pub fn says(&self, english: &'static str, french: &'static str) -> bool {
        flowing(&self.text).contains(self.language.of(english, french))
    }

    /// The numbered steps, in order.
    pub fn steps(&self) -> Vec<String> {
        let mut steps: Vec<String> = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            if self.step_at(at).is_some_and(|number| number == steps.len() + 1) {
                let mut lines = vec![line.trim_start().split_once(". ").unwrap().1];
                lines.extend(self.text.lines().skip(at + 1).take_while(|line| is_rest(line)));
                steps.push(flowing(&lines.join(" ")));
            }
        }
        steps
    }

    /// The number of the step that begins on this line.
    fn step_at(&self, at: usize) -> Option<usize> {
        let (number, _) = self.text.lines().nth(at)?.trim_start().split_once(". ")?;
        number.parse().ok()
    }

    /// What the steps ask for, with their words. Fails at a step that a reader can't make out.
    pub fn acts(&self) -> Result<Vec<(Act, String)>, String> {
        let meant = |step: &String| {
            let is_meant = |(_, english, french): &&(Act, &'static str, &'static str)| {
                step.contains(self.language.of(english, french))
            };
            let found = MEANINGS.iter().find(is_meant);
            found.map(|(act, ..)| (*act, step.clone())).ok_or(format!("what is meant? {step}"))
        };
        self.steps().iter().map(meant).collect()
    }

    /// The page without one of its steps; the others are numbered anew.
    pub fn without(&self, step: usize) -> Self {
        let (mut lines, mut number) = (Vec::new(), 0);
        let mut is_left_out = false;
        for (at, line) in self.text.lines().enumerate() {
            if self.step_at(at).is_some() {
                is_left_out = self.step_at(at) == Some(step);
                if !is_left_out {
                    number += 1;
                    let (_, words) = line.split_once(". ").unwrap();
                    lines.push(format!("{number}. {words}"));
                }
            } else if !(is_left_out && is_rest(line)) {
                is_left_out = false;
                lines.push(line.to_owned());
            }
        }
        Self { language: self.language, text: lines.join("\n") }
    }

    /// What a phone reads in the square on the page.
    pub fn scan(&self) -> Option<String> {
        let is_block = |c: char| matches!(c, '█' | '▀' | '▄');
        let lines = self.text.lines().filter(|line| line.contains(is_block));
        let rows: Vec<Vec<char>> = lines.map(|line| line.chars().collect()).collect();
        let side = rows.iter().map(Vec::len).max()? + 4;
        let is_dark = |x: usize, y: usize| {
            let row = y.checked_sub(4).and_then(|y| rows.get(y / 2));
            let block = row.and_then(|row| row.get(x)).copied().unwrap_or(' ');
            matches!((block, y % 2), ('█', _) | ('▀', 0) | ('▄', 1))
        };
        let pixels = side * SCALE;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(pixels, pixels, |x, y| {
            if is_dark(x / SCALE, y / SCALE) { 0 } else { 255 }
        });
        Some(image.detect_grids().first()?.decode().ok()?.1)
    }

    /// The value behind a name, such as that of the key.
    pub fn value(&self, english: &'static str, french: &'static str) -> Option<String> {
        let name = format!("{}:", self.language.of(english, french));
        let mut lines = self.text.lines().map(flowing);
        // French has a blank before the colon.
        let line = lines.find(|line| line.replace(" :", ":").starts_with(&name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }
}

/// The further lines of a step are set in.
fn is_rest(line: &str) -> bool {
    let words = line.trim_start();
    let is_next = words.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    line.starts_with(' ') && !words.is_empty() && !is_next
}
