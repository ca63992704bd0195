//! Another program reads the same of a maker's file as `add-tokens`.

use std::process::Command;

use super::authenticator::{Authenticator, Button};
use super::{SAMPLES, send};
use crate::support::{Seed, World, has};

/// A token as `pskctool` prints it.
#[derive(Debug, Default)]
struct Told {
    serial: String,
    /// In base 64; nothing where it is encrypted.
    secret: String,
    counter: Option<u64>,
    kind: String,
}

/// Runs `pskctool --info`.
fn told(sample: &str) -> Vec<Told> {
    let output = Command::new("pskctool").arg("--info").arg(format!("{SAMPLES}/{sample}")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut tokens = Vec::<Told>::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, value) = line.trim().split_once(':').unwrap();
        let value = value.trim().to_owned();
        if name.starts_with("KeyPackage ") {
            tokens.push(Told::default());
        }
        let Some(token) = tokens.last_mut() else { continue };
        match name {
            "SerialNo" => token.serial = value,
            "Algorithm" => token.kind = value.rsplit(':').next().unwrap().into(),
            "Key Secret (base64)" => token.secret = value,
            "Key Counter" => token.counter = Some(value.parse().unwrap()),
            _ => {}
        }
    }
    tokens
}

/// Adds the tokens of a sample to a new store.
fn added(sample: &str) -> World {
    let world = World::new();
    for user in ["alice", "bob"] {
        world.run(&format!("add-user {user}")).expect(0);
    }
    send(&world, sample, "tokens.xml");
    std::fs::write(world.path("passphrase"), "sample-passphrase\n").unwrap();
    let file = world.path("tokens.xml");
    let mut call = world.call("add-tokens --yes").arg(file.to_str().unwrap());
    if sample.contains("passphrase") {
        let passphrase = world.path("passphrase");
        call = call.arg("--passphrase-file").arg(passphrase.to_str().unwrap());
    }
    call.run().expect(0);
    world
}

/// Serials and kinds as the inventory has them.
fn inventory(world: &World) -> Vec<(String, String)> {
    let list = world.run("list-tokens --json").expect(0).document();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let tokens = list["tokens"].as_array().unwrap();
    tokens.iter().map(|token| (text(&token["serial"]), text(&token["kind"]))).collect()
}

#[test]
fn pskctool_reads_the_tokens_that_we_read() {
    if !has("pskctool", "a second reader of PSKC") {
        return;
    }
    for sample in ["pskc-plain.xml", "pskc-passphrase.xml"] {
        let told = told(sample);
        assert_eq!(told.len(), 2, "{told:?}");
        let expected: Vec<_> = told.into_iter().map(|told| (told.serial, told.kind)).collect();
        assert_eq!(inventory(&added(sample)), expected, "{sample}");
    }
}

#[test]
fn the_codes_of_the_keys_and_counters_that_pskctool_prints_are_accepted() {
    let what = "the keys that pskctool prints";
    if !has("pskctool", what) || !has("oathtool", what) {
        return;
    }
    // Both files have the same keys, which pskctool prints where they are plain.
    let keys = told("pskc-plain.xml");
    for sample in ["pskc-plain.xml", "pskc-passphrase.xml"] {
        let world = added(sample);
        for ((told, key), user) in told(sample).into_iter().zip(&keys).zip(["alice", "bob"]) {
            world.run(&format!("assign {} {user} --yes --no-confirm", told.serial)).expect(0);
            let secret = data_encoding::BASE64.decode(key.secret.as_bytes()).unwrap();
            let base32 = data_encoding::BASE32.encode(&secret);
            let mut token = match told.counter {
                None => Authenticator::Clock(Seed { base32, spent: 0 }),
                Some(counter) => {
                    // What comes before the counter of the file is used up.
                    let before = Button::new(base32.clone(), counter - 1).next();
                    assert_eq!(world.verify(user, &before).outcome(), "replayed");
                    Authenticator::Button(Button::new(base32, counter))
                }
            };
            let code = token.next(&world);
            assert_eq!(world.verify(user, &code).outcome(), "confirmed", "{told:?}");
            assert_eq!(world.verify(user, &code).outcome(), "replayed");
            assert_eq!(world.verify(user, &token.next(&world)).outcome(), "accepted");
        }
    }
}
