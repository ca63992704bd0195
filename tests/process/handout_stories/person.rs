//! Somebody who has never seen the program. They know their user name and their passwords, have a phone, and do what the
//! page says.

use std::cell::Cell;

use serde_json::{Value, json};

use super::page::{Act, Language, Page};
use crate::support::{PERIOD, Seed, World};

/// How somebody gets the key into their app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    Camera,
    Fingers,
}

/// The words of an app's menus that the page has to name: those for the camera, and those for fingers.
pub struct App {
    pub option: &'static str,
    pub name: &'static str,
    pub camera: (&'static str, &'static str),
    pub fingers: (&'static str, &'static str),
}

pub const GOOGLE: App = App {
    option: "google",
    name: "Google Authenticator",
    camera: ("“Scan a QR code”", "« Scanner un code QR »"),
    fingers: ("“Enter a setup key”", "« Saisir une clé de configuration »"),
};
pub const MICROSOFT: App = App {
    option: "microsoft",
    name: "Microsoft Authenticator",
    camera: ("“Other (Google, Facebook, etc.)”", "« Autre (Google, Facebook, etc.) »"),
    fingers: ("“Or enter code manually”", "« Ou entrer le code manuellement »"),
};
pub const OKTA: App = App {
    option: "okta",
    name: "Okta Verify",
    camera: ("“Other”, then “Scan a QR code”", "« Autre », puis « Scanner un code QR »"),
    fingers: ("“Enter key manually”", "« Saisir la clé manuellement »"),
};

pub const OLD: &str = "correct horse battery staple";
pub const NEW: &str = "granite walrus pickle tram";

/// The phone and the head of somebody.
pub struct Person<'w> {
    pub world: &'w World,
    pub app: &'static App,
    pub means: Means,
    /// What the helpdesk said on the phone.
    pub temporary: Option<String>,
    pub password: String,
    pub phone: Option<Seed>,
    has_app: bool,
    /// The digits of a code and its seconds, once they know what to look for.
    looks_for: Option<(usize, u64)>,
    /// The address in the square that the sign-in shows.
    screen: Option<String>,
    /// The last answer of the sign-in.
    answer: Cell<String>,
}

impl<'w> Person<'w> {
    pub fn new(world: &'w World, app: &'static App, means: Means) -> Self {
        Self {
            world,
            app,
            means,
            temporary: None,
            password: OLD.to_owned(),
            phone: None,
            has_app: false,
            looks_for: None,
            screen: None,
            answer: Cell::default(),
        }
    }

    /// Sends what somebody typed into a portal, as the portal does.
    pub fn sign_in(&self, fields: &Value) -> Value {
        let call = self.world.call("sign-in --json --reveal-secrets alice");
        let answer = call.input(fields.to_string()).run().document();
        self.answer.set(answer["outcome"].as_str().unwrap().to_owned());
        answer
    }

    pub fn outcome(&self) -> String {
        let answer = self.answer.take();
        self.answer.set(answer.clone());
        answer
    }

    /// The code that the phone shows now.
    pub fn code(&self) -> Option<String> {
        Some(self.phone.as_ref()?.code(self.world.step()))
    }

    /// Password, then the code when the page asks for one.
    pub fn sign_in_with_code(&self) -> Result<(), String> {
        let asked = self.sign_in(&json!({ "password": self.password }));
        let outcome = asked["outcome"].as_str().unwrap_or_default();
        // A portal shows the code field where a device has to be confirmed, too.
        if !["code_required", "enrolment_required"].contains(&outcome) {
            return Err(format!("no code is asked for: {asked}"));
        }
        self.type_code()
    }

    fn type_code(&self) -> Result<(), String> {
        let code = self.code().ok_or("there is no code to type")?;
        let answer = self.sign_in(&json!({ "password": self.password, "code": code }));
        match self.outcome().as_str() {
            "accepted" => Ok(()),
            _ => Err(format!("the code was not accepted: {answer}")),
        }
    }

    /// Does all that the page says, in its order, and is done only when the page says so.
    pub fn follow(&mut self, page: &Page) -> Result<(), String> {
        let acts = page.acts()?;
        let mut last = None;
        for (act, step) in &acts {
            self.act(page, *act, step).map_err(|why| format!("{step}: {why}"))?;
            last = Some(*act);
        }
        match (last, self.outcome().as_str()) {
            (Some(Act::BeDone | Act::SignInAsBefore), "accepted") => Ok(()),
            (last, outcome) => Err(format!("and then? {last:?}, {outcome}")),
        }
    }

    /// Does what the page says up to the code that the app shows, as with a further phone.
    pub fn set_up(&mut self, page: &Page) -> Result<(), String> {
        for (act, step) in page.acts()? {
            self.act(page, act, &step)?;
            if act == Act::SeeCode {
                return Ok(());
            }
        }
        Err("the page says nothing of a code".into())
    }

    fn act(&mut self, page: &Page, act: Act, step: &str) -> Result<(), String> {
        match act {
            Act::Install => {
                self.has_app = step.contains(self.app.name);
                if self.has_app { Ok(()) } else { Err("which app?".into()) }
            }
            Act::Scan if self.means == Means::Fingers => Ok(()),
            Act::TypeKey if self.means == Means::Camera => Ok(()),
            Act::Scan => self.scan(page, step),
            Act::TypeKey => self.type_key(page, step),
            Act::SeeCode => self.see_code(step),
            Act::SignInWithTemporary => {
                let temporary = self.temporary.clone().ok_or("there is no temporary password")?;
                self.password = temporary;
                self.open_sign_in("password_change_required")
            }
            Act::SignInWithOld => self.open_sign_in("password_change_required"),
            Act::OpenSignIn => self.open_sign_in("enrolment_required"),
            Act::ChoosePassword => self.choose_password(),
            Act::SeeQr if self.outcome() == "enrolment_required" && self.screen.is_some() => Ok(()),
            Act::SeeQr => Err("no square is there".into()),
            Act::SignInAndType | Act::SignInAsBefore => self.sign_in_with_code(),
            Act::TypeWhenAsked | Act::TypeThatCode if self.looks_for.is_none() => {
                Err("which code?".into())
            }
            Act::TypeWhenAsked | Act::TypeThatCode => self.type_code(),
            Act::BeDone if self.outcome() == "accepted" => Ok(()),
            Act::BeDone => Err("nothing was accepted".into()),
            Act::Keep if self.phone.is_some() => Ok(()),
            Act::Keep => Err("there is no phone to keep".into()),
            Act::AskToSwitchOn => {
                self.world.run("enable alice").expect(0);
                Ok(())
            }
        }
    }

    fn open_sign_in(&mut self, expected: &str) -> Result<(), String> {
        let answer = self.sign_in(&json!({ "password": self.password }));
        self.look_at(&answer);
        if self.outcome() == expected { Ok(()) } else { Err(format!("the page says {answer}")) }
    }

    /// A portal draws the address as a square.
    fn look_at(&mut self, answer: &Value) {
        self.screen = answer["enrolment"]["uri"].as_str().map(str::to_owned);
    }

    fn choose_password(&mut self) -> Result<(), String> {
        if self.outcome() != "password_change_required" {
            return Err("nobody asks for a new password".into());
        }
        let answer = self.sign_in(&json!({ "password": self.password, "new_password": NEW }));
        self.look_at(&answer);
        if self.outcome() == "password_change_required" {
            return Err(format!("the new password was not taken: {answer}"));
        }
        NEW.clone_into(&mut self.password);
        Ok(())
    }

    fn scan(&mut self, page: &Page, step: &str) -> Result<(), String> {
        let (english, french) = self.app.camera;
        if !self.has_app || !step.contains(page.language.of(english, french)) {
            return Err("where in the app?".into());
        }
        let on_screen = page.language.of("the square on the screen", "le carré affiché à l’écran");
        let on_page = page.language.of("the square on this page", "le carré de cette page");
        let read = match (step.contains(on_screen), step.contains(on_page)) {
            (true, false) => self.screen.clone(),
            (false, true) => page.scan(),
            _ => None,
        };
        let uri = read.ok_or("there is no square")?;
        let value = |name: &str| {
            let (_, rest) = uri.split_once(&format!("{name}="))?;
            Some(rest.split('&').next()?.to_owned())
        };
        // What all apps can do.
        let settings = ["algorithm", "digits", "period"].map(value);
        if settings != ["SHA1", "6", "30"].map(|value| Some(value.to_owned())) {
            return Err(format!("the app can't do {settings:?}"));
        }
        self.phone = value("secret").map(|base32| Seed { base32, spent: 0 });
        Ok(())
    }

    fn type_key(&mut self, page: &Page, step: &str) -> Result<(), String> {
        let (english, french) = self.app.fingers;
        if !self.has_app || !step.contains(page.language.of(english, french)) {
            return Err("where in the app?".into());
        }
        let account = page.value("Account name", "Nom du compte").ok_or("which account?")?;
        let key = page.value("Key", "Clé").ok_or("which key?")?;
        let kind = page.value("Kind of key", "Type de clé").ok_or("which kind?")?;
        if !account.contains("alice") || !kind.contains("TOTP") {
            return Err(format!("{account} {kind}"));
        }
        let groups: Vec<&str> = key.split(' ').collect();
        if groups.iter().any(|group| group.len() != 4) {
            return Err(format!("it is not in groups of four: {key}"));
        }
        self.phone = Some(Seed { base32: groups.concat(), spent: 0 });
        Ok(())
    }

    fn see_code(&mut self, step: &str) -> Result<(), String> {
        let words = step.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        let [digits, seconds] = numbers.as_slice() else { return Err("what do I see?".into()) };
        let code = self.code().ok_or("the app shows no code")?;
        if code.len() as u64 != *digits || *seconds != PERIOD {
            return Err(format!("the app shows {code}"));
        }
        self.looks_for = Some((code.len(), *seconds));
        Ok(())
    }
}

/// A new page, as the helpdesk writes it.
pub fn page(world: &World, language: Language, options: &str) -> Page {
    let file = world.path("F.txt");
    let _ = std::fs::remove_file(&file);
    let (code, file_name) = (language.code(), file.display());
    world.run(&format!("handout alice --lang {code} {options} --output {file_name}")).expect(0);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    Page::new(language, text)
}
