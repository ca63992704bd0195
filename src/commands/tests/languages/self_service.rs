//! `me` in French: all that a person reads there.

use super::{FRENCH_SITE, OLD, leaked, world};
use crate::env::Size;
use crate::testing::{CommandResult, World};

const ALL: &str = "[self_service]\nadd_device = true\nreplace_device = true\nswitch_off = true\n\
                   remove_device = true\nrename_device = true\nrecovery_codes = true\n";

fn me(world: &mut World, answers: Vec<&'static str>) -> CommandResult {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.has_pages = true;
    world.answers = Some(answers);
    let ran = world.run("me --name alice");
    world.answers = None;
    world.terminal = None;
    ran
}

#[test]
fn a_further_device_is_set_up_in_french() {
    let mut world = world(&format!("{ALL}{FRENCH_SITE}"), &[("alice", "")]);
    let phone = world.active("alice");
    world.wait(60);
    let (first, next) = (leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0)));
    let answers = vec![OLD, first, "9", "1", "a=b", "tablette", "000000", next, "12", ""];
    let ran = me(&mut world, answers).ok();
    assert_eq!(
        ran.prompts,
        [
            "Mot de passe pour alice\u{a0}",
            "Code\u{a0}",
            "Que voulez-vous faire\u{a0}? Numéro, ou Entrée pour quitter\u{a0}",
            "Que voulez-vous faire\u{a0}? Numéro, ou Entrée pour quitter\u{a0}",
            "Nom du nouvel appareil (Entrée\u{a0}: choisi pour vous)\u{a0}",
            "Nom du nouvel appareil (Entrée\u{a0}: choisi pour vous)\u{a0}",
            "Code suivant de phone\u{a0}",
            "Code suivant de phone\u{a0}",
            "Les 6 chiffres affichés par l’application (Entrée\u{a0}: plus tard)\u{a0}",
            "Les 6 chiffres affichés par l’application (Entrée\u{a0}: plus tard)\u{a0}",
        ]
    );
    let said = ran.err.replace("\n  ", " ").replace('\n', " ");
    for words in [
        "alice\u{a0}: authentification à deux facteurs activée",
        "phone\u{a0}: actif (application), utilisé le 1er janvier 2026 à 0\u{a0}h\u{a0}01 (UTC)",
        "1  installer un appareil de plus",
        "2  installer un nouvel appareil à la place d’un autre",
        "3  désactiver l’authentification à deux facteurs",
        "4  retirer un appareil",
        "5  renommer un appareil",
        "6  créer de nouveaux codes de secours",
        "tapez un numéro de 1 à 6",
        "ce nom ne convient pas\u{a0}: prenez au plus 32 lettres et chiffres",
        "il faut aussi le code suivant de phone\u{a0}: attendez que l’application l’affiche",
        "ce code est faux",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(ran.pages.iter().any(|page| page.contains("Scannez ceci")), "{ran:?}");
    assert!(
        ran.pages.iter().any(|page| page.contains("ce n’est pas un code")),
        "on the page: {ran:?}"
    );
    let out = ran.out.replace("\n  ", " ");
    assert_eq!(
        out,
        "alice\u{a0}: tablette est en attente\u{a0}; tablette est à confirmer avant le 4 janvier \
         2026 à 0\u{a0}h\u{a0}01 (UTC)\n"
    );
    assert_eq!(
        ran.interrupt_messages.last().unwrap(),
        "le nouvel appareil tablette est en attente\u{a0}: son premier code le confirme"
    );
}

#[test]
fn the_other_acts_are_done_in_french_and_answered_by_oui() {
    let mut world = world(ALL, &[("alice", "fr")]);
    let phone = world.active("alice");
    let codes = |world: &World| {
        world.wait(60);
        [leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0))]
    };
    let [first, _] = codes(&world);
    let ran = me(&mut world, vec![OLD, first, "5", "mobile"]).ok();
    assert_eq!(ran.prompts[0], "Password of alice", "named, and not known yet");
    assert_eq!(ran.prompts[3], "Nouveau nom (Entrée\u{a0}: quitter)\u{a0}");
    assert_eq!(ran.out, "alice\u{a0}: phone s’appelle maintenant mobile\n");
    let [first, next] = codes(&world);
    let ran = me(&mut world, vec![OLD, first, "6", next, ""]).ok();
    assert!(ran.pages[0].contains("Codes de secours de alice."), "{ran:?}");
    assert!(ran.pages[0].contains("Gardez-les sur papier"), "{ran:?}");
    assert_eq!(ran.prompts.last().unwrap(), "Entrée efface cet écran\u{a0}");
    let expected =
        "alice\u{a0}: 10 nouveaux codes de secours\u{a0}; les anciens ne valent plus rien\n";
    assert_eq!(ran.out, expected);
    let [first, _] = codes(&world);
    let ran = me(&mut world, vec![OLD, first, "6", "peut-être", "non"]).ok();
    assert_eq!(
        ran.prompts[3..5],
        [
            "Créer de nouveaux codes de secours\u{a0}? Les anciens ne vaudront plus rien. [o/N]",
            "Répondez par o ou n [o/N]"
        ],
        "{ran:?}"
    );
    let status = "alice\u{a0}: authentification à deux facteurs activée\u{a0}; 1 appareil\u{a0}: \
                  mobile\n";
    assert_eq!(ran.out.replace("\n  ", " "), status);
    let [first, next] = codes(&world);
    let ran = me(&mut world, vec![OLD, first, "4", "oui", next]).ok();
    let said = ran.err.replace("\n  ", " ");
    assert!(
        said.contains(
            "ensuite\u{a0}: vous pouvez vous connecter avec le seul mot de passe\u{a0}; les codes \
             de secours ne valent plus rien"
        ),
        "{ran:?}"
    );
    assert!(ran.prompts[3].starts_with("Retirer mobile, votre dernier appareil"), "{ran:?}");
    assert!(
        ran.out.starts_with("alice\u{a0}: l’authentification à deux facteurs est supprimée"),
        "{ran:?}"
    );
    assert_eq!(world.listed("alice")["status"], "not_enabled");
}

#[test]
fn switching_off_is_asked_in_french_and_y_counts_too() {
    let mut world = world(ALL, &[("alice", "fr")]);
    let phone = world.active("alice");
    world.wait(60);
    let (first, next) = (leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0)));
    let ran = me(&mut world, vec![OLD, first, "3", "y", next]).ok();
    let out = ran.out.replace("\n  ", " ");
    assert_eq!(
        out,
        "alice\u{a0}: l’authentification à deux facteurs est désactivée\u{a0}; vous pouvez vous \
         connecter avec le seul mot de passe\n"
    );
    let ran = me(&mut world, vec!["hunter2"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "alice: rejected\n"), "not known: {ran:?}");
}

#[test]
fn programs_get_english_words_and_utc_from_a_french_user() {
    let world = world(&format!("{ALL}{FRENCH_SITE}"), &[("alice", "fr")]);
    let phone = world.active("alice");
    world.wait(60);
    let line = serde_json::json!({ "password": OLD, "code": world.code(&phone, 0) });
    let ran = world.run_with("me --name alice --json", &line.to_string()).ok();
    assert_eq!(ran.json()["status"]["devices"][0]["last_used_at"], "2026-01-01T00:01:00Z");
    assert!(ran.out.is_ascii(), "{ran:?}");
    let line = serde_json::json!({ "password": OLD, "code": "000000", "act": "switch-off" });
    let ran = world.run_with("me --name alice --json", &line.to_string());
    assert!(ran.code == 65 && ran.err.contains("next_code"), "errors stay English: {ran:?}");
}
