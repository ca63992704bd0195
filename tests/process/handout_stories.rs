//! Each story of a page, played by a script that has only the text of the page: it reads the steps, does what they say
//! with a phone of its own, and signs in through the real program. A step that it can't make out, or that does not lead
//! on, is a failure.

mod page;
mod person;

use serde_json::json;

use self::page::{Act, Language, Page};
use self::person::{App, GOOGLE, MICROSOFT, Means, NEW, OKTA, OLD, Person, page};
use super::qr::Picture;
use super::screen::Screen;
use super::support::{MOMENT, REFUSED, World, has};

const CONFIGURATION: &str = "[site]\ncontact = \"extension 4711\"\n[password]\nmemory = 19\n";

fn tools(what: &str) -> bool {
    has("faketime", what) && has("oathtool", what)
}

/// Alice, who has a password and must have a second factor; the clock stands still.
fn world() -> World {
    let world = World::stopped();
    world.configure(CONFIGURATION);
    world.run("add-user alice").expect(0);
    world.call("set-password alice").input(OLD).run().expect(0);
    world.run("require-mfa alice").expect(0);
    world
}

fn with_phone() -> World {
    let world = world();
    world.run("enrol alice --no-confirm --json").expect(0);
    world
}

/// What each page with codes has beside its steps.
#[track_caller]
fn says_the_rest(page: &Page) {
    for (english, french) in [
        ("Only the sign-in page, after you have opened it", "Uniquement la page de connexion"),
        ("Never the helpdesk", "Jamais le centre d’assistance"),
        ("Tell the helpdesk at once: extension 4711", "centre d’assistance : extension 4711"),
    ] {
        assert!(page.says(english, french), "{english}");
    }
}

/// Later sign-ins ask for a code each time, and each code is good once.
fn signs_in_from_now_on(world: &mut World, later: i64, person: impl Fn(&World) -> Person<'_>) {
    world.set_clock(MOMENT + later);
    let somebody = person(world);
    somebody.sign_in_with_code().unwrap();
    let code = somebody.code().unwrap();
    somebody.sign_in(&json!({ "password": somebody.password, "code": code }));
    assert_eq!(somebody.outcome(), "rejected");
}

/// Follows the page of a pending phone to the end, and signs in a day later.
fn a_phone_is_set_up(app: &'static App, means: Means) {
    for language in Language::ALL {
        let mut world = with_phone();
        let page = page(&world, language, &format!("--app {}", app.option));
        says_the_rest(&page);
        let mut person = Person::new(&world, app, means);
        person.follow(&page).unwrap();
        assert_eq!(world.status("alice"), "enabled");
        let phone = person.phone.clone();
        signs_in_from_now_on(&mut world, 86_400, |world| {
            let mut person = Person::new(world, app, means);
            person.phone.clone_from(&phone);
            person
        });
    }
}

#[test]
fn a_portal_user_with_google_authenticator() {
    if tools("the story of Google Authenticator") {
        a_phone_is_set_up(&GOOGLE, Means::Camera);
    }
}

#[test]
fn a_portal_user_with_microsoft_authenticator() {
    if tools("the story of Microsoft Authenticator") {
        a_phone_is_set_up(&MICROSOFT, Means::Camera);
    }
}

#[test]
fn a_portal_user_with_okta_verify() {
    if tools("the story of Okta Verify") {
        a_phone_is_set_up(&OKTA, Means::Camera);
    }
}

#[test]
fn a_key_that_is_typed_by_hand() {
    if tools("the story of a key that is typed") {
        for app in [&GOOGLE, &MICROSOFT, &OKTA] {
            a_phone_is_set_up(app, Means::Fingers);
        }
    }
}

#[test]
fn several_phones_with_one_code() {
    if !tools("the story of several phones") {
        return;
    }
    for language in Language::ALL {
        let mut world = with_phone();
        let page = page(&world, language, "--app google");
        assert!(page.says(
            "Scan this page with each of them now, before you destroy it. All then show the same code.",
            "Scannez cette page avec chacun d’eux maintenant, avant de la détruire. Tous afficheront le même code."
        ));
        let mut phones = Vec::new();
        let mut first = Person::new(&world, &GOOGLE, Means::Camera);
        first.follow(&page).unwrap();
        phones.push(first.phone.unwrap());
        // The other one scans the same page, and is not confirmed anew.
        let mut second = Person::new(&world, &GOOGLE, Means::Camera);
        second.set_up(&page).unwrap();
        phones.push(second.phone.unwrap());
        assert_eq!(phones[0].code(9), phones[1].code(9), "all show the same code");
        for (later, phone) in [(60, 1), (3600, 0), (3660, 1), (90_000, 0)] {
            signs_in_from_now_on(&mut world, later, |world| {
                let mut person = Person::new(world, &GOOGLE, Means::Camera);
                person.phone = Some(phones[phone].clone());
                person
            });
        }
        // A code that one phone has used is used up on the other, as the page says: wait for the next one.
        assert!(page.says(
            "Each code works once, and only for a short time: wait for the next one",
            "Chaque code ne sert qu’une fois et n’est valable que peu de temps : attendez le suivant"
        ));
        assert!(page.says("cuts all of them off together", "les bloque tous à la fois"));
        world.run("reset alice --yes --no-confirm --json").expect(0);
        world.set_clock(MOMENT + 95_000);
        for phone in phones {
            let mut person = Person::new(&world, &GOOGLE, Means::Camera);
            person.phone = Some(phone);
            assert!(person.sign_in_with_code().is_err(), "both are cut off");
        }
    }
}

/// What the helpdesk says on the phone.
fn forced(world: &World, more: &str) -> Option<String> {
    let line = format!("force-new-password alice --yes --json --reveal-secrets {more}");
    let document = world.run(&line).expect(0).document();
    document["temporary_password"].as_str().map(str::to_owned)
}

#[test]
fn a_forced_new_password_with_the_phone_set_up_at_the_sign_in() {
    if !tools("the story of a forced password") {
        return;
    }
    for language in Language::ALL {
        let mut world = world();
        let temporary = forced(&world, "");
        assert!(temporary.is_some());
        let page = page(&world, language, "--app google");
        says_the_rest(&page);
        assert!(page.scan().is_none() && page.value("Key", "Clé").is_none(), "no secret");
        assert!(page.says("There is no secret on this page", "ne contient aucun secret"));
        assert!(page.says("It works once, until", "Il ne sert qu’une fois, jusqu’au"));
        let mut person = Person::new(&world, &GOOGLE, Means::Camera);
        person.temporary.clone_from(&temporary);
        person.follow(&page).unwrap();
        assert_eq!(person.password, NEW);
        let phone = person.phone.clone();
        // It works once, and only the new one from then on.
        for old in [temporary.as_deref().unwrap(), OLD] {
            assert_eq!(person.sign_in(&json!({ "password": old }))["outcome"], "rejected");
        }
        signs_in_from_now_on(&mut world, 7200, |world| {
            let mut person = Person::new(world, &GOOGLE, Means::Camera);
            NEW.clone_into(&mut person.password);
            person.phone.clone_from(&phone);
            person
        });
    }
}

#[test]
fn a_forced_new_password_that_the_old_one_opens_and_with_a_page_that_has_the_key() {
    if !tools("the story of a forced password") {
        return;
    }
    for language in Language::ALL {
        let world = world();
        forced(&world, "--old-password-opens");
        let steps = page(&world, language, "--app okta");
        let mut person = Person::new(&world, &OKTA, Means::Camera);
        person.follow(&steps).unwrap();
        assert_eq!((person.password.as_str(), world.status("alice")), (NEW, "enabled".to_owned()));
        // With a page that has the key, the password comes first.
        let world = with_phone();
        let temporary = forced(&world, "--keep-mfa");
        let steps = page(&world, language, "--app google");
        assert!(steps.scan().is_some());
        let mut person = Person::new(&world, &GOOGLE, Means::Camera);
        person.temporary = temporary;
        person.follow(&steps).unwrap();
        assert_eq!((person.password.as_str(), world.status("alice")), (NEW, "enabled".to_owned()));
    }
}

/// The same page, with the sign-in of a terminal in the place of a portal.
#[test]
fn a_forced_new_password_at_a_terminal() {
    if !(tools("the story at a terminal")
        && has("tmux", "the story")
        && has("zbarimg", "the story"))
    {
        return;
    }
    for language in Language::ALL {
        // The clock moves, as the terminal's program reads the real one.
        let world = World::new();
        let site = format!("[site]\nlanguage = \"{}\"\n[password]\nmemory = 19\n", language.code());
        world.configure(&site);
        world.run(&format!("add-user alice --language {}", language.code())).expect(0);
        world.call("set-password alice").input(OLD).run().expect(0);
        world.run("require-mfa alice").expect(0);
        let temporary = forced(&world, "").unwrap();
        let page = page(&world, language, "--app google");
        let screen = Screen::new(&world, 110, 50);
        let (mut seed, mut is_done) = (None, false);
        for (act, step) in page.acts().unwrap() {
            match act {
                Act::Install | Act::TypeKey | Act::SeeCode => {}
                Act::SignInWithTemporary => {
                    screen.line("$M sign-in alice");
                    screen.until_asked(language.of("Password of alice", "Mot de passe pour alice"));
                    screen.line(&temporary);
                }
                Act::ChoosePassword => {
                    screen.until_asked(language.of("New password", "Nouveau mot de passe"));
                    screen.line(NEW);
                    screen.until_asked(language.of("Once more", "Confirmez-le"));
                    screen.line(NEW);
                }
                Act::SeeQr => {
                    screen.until_asked("Code");
                    screen.until("▀");
                }
                Act::Scan => {
                    let uri = Picture::paint(&screen.coloured(), 0).zbar(&world);
                    let secret = uri.split("secret=").nth(1).unwrap_or_default();
                    let base32 = secret.split('&').next().unwrap().to_owned();
                    // Beside the square is a key to type, as the page says.
                    assert_eq!(super::pty::key(&screen.text()).base32, base32);
                    seed = Some(super::support::Seed { base32, spent: 0 });
                }
                Act::TypeThatCode => screen.line(&super::pty::right(seed.as_ref().unwrap())),
                Act::BeDone => {
                    screen.until(language.of("alice: signed in", "connexion réussie"));
                    is_done = true;
                }
                other => panic!("{other:?}: {step}"),
            }
        }
        assert!(is_done);
        assert_eq!(world.status("alice"), "enabled");
    }
}

#[test]
fn disable_and_keep() {
    if !tools("the story of a second factor that is switched off") {
        return;
    }
    for language in Language::ALL {
        let mut world = with_phone();
        let first = page(&world, language, "--app google");
        let mut person = Person::new(&world, &GOOGLE, Means::Camera);
        person.follow(&first).unwrap();
        let phone = person.phone.clone();
        world.set_clock(MOMENT + 3600);
        world.run("disable alice --yes").expect(0);
        let off = page(&world, language, "");
        assert!(off.says("every code is refused", "tous les codes sont refusés"));
        assert!(off.says("Nothing has to be set up again", "Vous n’aurez rien à reconfigurer"));
        assert!(off.scan().is_none() && off.value("Key", "Clé").is_none(), "no secret");
        let mut person = Person::new(&world, &GOOGLE, Means::Camera);
        person.phone = phone;
        let code = person.code().unwrap();
        person.sign_in(&json!({ "password": OLD, "code": code }));
        assert_eq!(person.outcome(), "rejected");
        assert_ne!(world.verify("alice", &code).code, 0, "every code is refused");
        person.follow(&off).unwrap();
        assert_eq!(world.status("alice"), "enabled");
    }
}

/// The script fails where the page does: each step that it needs is taken out once.
#[test]
fn without_a_step_the_story_does_not_go_on() {
    if !tools("pages without a step") {
        return;
    }
    for language in Language::ALL {
        let start = with_phone();
        let page = page(&start, language, "--app google");
        for (number, (act, step)) in (1..).zip(page.acts().unwrap()) {
            let other_way = |means| match means {
                Means::Camera => Act::TypeKey,
                Means::Fingers => Act::Scan,
            };
            for means in [Means::Camera, Means::Fingers] {
                let world = start.copy();
                let missing = page.without(number);
                assert_eq!(missing.steps().len() + 1, page.steps().len());
                let followed = Person::new(&world, &GOOGLE, means).follow(&missing);
                // Whoever signs in with a code needs nobody to say what it looks like.
                let is_needed = act != other_way(means) && act != Act::SeeCode;
                assert_eq!(followed.is_err(), is_needed, "{means:?} without {step}: {followed:?}");
            }
        }
        let start = world();
        let temporary = forced(&start, "");
        let page = self::page(&start, language, "--app google");
        for (number, (act, step)) in (1..).zip(page.acts().unwrap()) {
            let world = start.copy();
            let mut person = Person::new(&world, &GOOGLE, Means::Camera);
            person.temporary.clone_from(&temporary);
            let followed = person.follow(&page.without(number));
            // Who scans needs no key, and sees the square without being told of it.
            let is_needed = ![Act::TypeKey, Act::SeeQr].contains(&act);
            assert_eq!(followed.is_err(), is_needed, "without {step}: {followed:?}");
        }
    }
}

/// There is no page where the sign-in asks for nothing.
#[test]
fn without_anything_to_set_up_there_is_no_page() {
    let world = World::new();
    world.run("add-user alice").expect(0);
    let file = world.path("F.txt");
    world.run(&format!("handout alice --output {}", file.display())).expect(REFUSED);
    assert!(!file.exists());
}
