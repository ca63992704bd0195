//! The page for a user by mail: what arrives, and that a file of it is nowhere else.

use std::fs;
use std::time::Instant;

use super::super::fleet::trust::certify;
use super::super::support::{World, has};
use super::server::{Manner, Server};
use super::{BOUND, PATIENCE, tools};

/// A world with alice, who has an address and a pending phone, and its key in groups of four.
fn alice() -> (World, String) {
    let world = World::new();
    world.run("add-user alice --email alice@example.com").expect(0);
    let base32 = world.pending("alice").base32;
    let groups: Vec<_> = base32.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    (world, groups.join(" "))
}

impl World {
    fn configure_mail(&self, scheme: &str, port: u16, more: &str) {
        self.notify(&format!(
            "smtp = '{scheme}://localhost:{port}'\nfrom = 'mfa@example.org'\n\
             [site]\ncontact = 'room A 12'\n{more}"
        ));
    }
}

/// The text of the mail and the file in it.
fn parts(mail: &str) -> (String, Option<Vec<u8>>) {
    let Some((_, from)) = mail.split_once("boundary=\"") else { return (mail.to_owned(), None) };
    let boundary = format!("\n--{}", from.split_once('"').unwrap().0);
    let mut parts = mail.split(&boundary).skip(1);
    let mut next = || parts.next().unwrap().to_owned();
    let (text, file) = (next(), next());
    assert!(file.contains("Content-Disposition: attachment; filename=\"mfa."), "{file}");
    let (headers, content) = file.split_once("\n\n").unwrap();
    assert!(headers.contains("base64"), "{headers}");
    let content = content.replace('\n', "");
    (text, Some(data_encoding::BASE64.decode(content.as_bytes()).unwrap()))
}

#[test]
fn a_mail_without_leave_for_secrets_says_where_to_come() {
    if !tools("a mail about a page") {
        return;
    }
    let (world, key) = alice();
    let server = Server::start(Manner::Takes);
    for (lang, subject, words) in [
        ("en", "a page for your second factor is waiting", "Come to your helpdesk"),
        ("fr", "une page vous attend", "Passez au centre"),
    ] {
        world.configure_mail("smtp", server.port, "");
        let line = format!("handout alice --mail --lang {lang} --ticket HELP-7 --json");
        let ran = world.notifying(&line).run().expect(0);
        assert_eq!(ran.document()["sent"], true, "{ran:?}");
        assert_eq!(ran.err, "");
        let mails = server.mails();
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        let flat = mail.replace('\n', " ");
        for part in [words, "alice", "room A 12", "HELP-7"] {
            assert!(flat.contains(part), "{part}: {mail}");
        }
        assert!(mail.contains(subject), "{mail}");
        assert!(!mail.contains(&key[..9]) && !mail.contains("otpauth"), "{mail}");
        assert!(!mail.contains("boundary=") && !mail.contains("://"), "{mail}");
        assert_eq!(world.notices().lines().last(), Some("sent"));
    }
}

#[test]
fn a_page_with_its_secret_arrives_over_tls_only_from_a_server_that_proves_its_name() {
    if !tools("a page by mail") || !has("openssl", "a page by mail") {
        return;
    }
    let (world, key) = alice();
    certify(&world.path("."));
    let secrets = "[handout]\nmail_secrets = true\n";
    for (scheme, manner) in [("smtps", Manner::SpeaksTls), ("smtp+starttls", Manner::OffersTls)] {
        let server = Server::certified(manner, &world.path("."));
        world.configure_mail(scheme, server.port, secrets);
        let before = files(&world);
        let send = |authority: &str| {
            let call = world.notifying("handout alice --mail --form txt --json");
            call.with("SSL_CERT_FILE", world.path(authority)).run().expect(0)
        };
        if scheme == "smtps" {
            let ran = send("stranger.pem");
            assert_eq!(ran.document()["sent"], false, "{ran:?}");
            assert!(!server.said().contains("MAIL FROM"), "{}", server.said());
        }
        let ran = send("ca.pem");
        assert_eq!(ran.document()["sent"], true, "{ran:?}");
        assert!(!ran.out.contains(&key[..4]) && ran.err.is_empty(), "{ran:?}");
        let said = server.said();
        assert!(said.contains("RCPT TO:<alice@example.com>"), "{said}");
        let mail = said.split("\nDATA\n").nth(1).unwrap().split("\n.\n").next().unwrap();
        let (text, page) = parts(mail);
        let page = String::from_utf8(page.unwrap()).unwrap();
        assert!(page.contains(&key), "{page}");
        assert!(text.contains("delete this message") && !text.contains(&key[..9]), "{text}");
        assert_eq!(files(&world), before, "no file is made");
    }
    assert_eq!(world.notices(), "failed\nsent\nsent");
    let outcomes = world.sql("SELECT outcome FROM events WHERE verb = 'handout' ORDER BY seq");
    assert_eq!(outcomes, "mailed\nmailed\nmailed");
    world.assert_sound();
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the real clock shows that a server is waited for"
)]
#[test]
fn a_server_that_is_gone_or_silent_or_without_tls_gets_no_secret_and_costs_five_seconds_at_most() {
    if !tools("a mail server in trouble") {
        return;
    }
    let (world, key) = alice();
    let (silent, plain) = (Server::start(Manner::Silent), Server::start(Manner::Takes));
    let secrets = "[handout]\nmail_secrets = true\n";
    for (scheme, port, is_slow) in [
        ("smtps", 9, false),
        ("smtp+starttls", silent.port, true),
        ("smtp+starttls", plain.port, false),
    ] {
        world.configure_mail(scheme, port, secrets);
        let begin = Instant::now();
        let ran = world.notifying("handout alice --mail --json").run().expect(0);
        let took = begin.elapsed();
        assert!(took < BOUND && (took > PATIENCE) == is_slow, "{scheme} {port}: {took:?}");
        assert_eq!(ran.document()["sent"], false, "{ran:?}");
        assert!(ran.err.contains("warning: alice got no page: mail: "), "{ran:?}");
    }
    assert!(
        !plain.said().contains("MAIL FROM") && !plain.said().contains(&key),
        "{}",
        plain.said()
    );
    assert_eq!(world.notices(), "failed\nfailed\nfailed");
}

/// The names of all files beside the store.
fn files(world: &World) -> Vec<String> {
    let listed = fs::read_dir(world.path(".")).unwrap();
    let mut names: Vec<_> =
        listed.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
