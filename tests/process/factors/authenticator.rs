//! What users hold in their hands: clocks, buttons, keys that type, and lists. None of the codes is computed by mfactl.

use std::process::Command;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use data_encoding::{BASE32, HEXLOWER};

use crate::pty::key;
use crate::support::{Seed, World};

/// The letters that a YubiKey types, in the order of their values.
const MODHEX: &[u8; 16] = b"cbdefghijklnrtuv";

/// Something that shows or types codes.
pub enum Authenticator {
    /// Whatever the page that is in view sets up.
    OfPage,
    Clock(Seed),
    Button(Button),
    YubiKey(YubiKey),
    List(Vec<String>),
}

/// It counts its codes.
pub struct Button {
    base32: String,
    counter: u64,
}

/// A YubiKey that was plugged in once.
pub struct YubiKey {
    public_id: String,
    private_id: Vec<u8>,
    key: Vec<u8>,
    touches: u8,
}

fn base32(hex: &str) -> String {
    BASE32.encode(&HEXLOWER.decode(hex.as_bytes()).unwrap())
}

impl Authenticator {
    /// A token with a clock, whose secret the maker has written in hex.
    pub fn clock_of_hex(hex: &str) -> Self {
        Self::Clock(Seed { base32: base32(hex), spent: 0 })
    }

    /// A token with a button.
    pub fn button_of_hex(hex: &str) -> Self {
        Self::Button(Button::new(base32(hex), 0))
    }

    /// The next code.
    #[track_caller]
    pub fn next(&mut self, world: &World) -> String {
        match self {
            Self::OfPage => panic!("nothing was set up"),
            Self::Clock(seed) => world.next(seed),
            Self::Button(button) => button.next(),
            Self::YubiKey(key) => key.next(),
            Self::List(codes) => codes.pop().unwrap(),
        }
    }

    /// What no screen may keep.
    pub fn secrets(&self) -> Vec<String> {
        match self {
            Self::OfPage => Vec::new(),
            Self::Clock(seed) => vec![seed.base32.clone()],
            Self::Button(button) => vec![button.base32.clone()],
            Self::YubiKey(key) => vec![HEXLOWER.encode(&key.private_id), HEXLOWER.encode(&key.key)],
            Self::List(codes) => codes.clone(),
        }
    }

    /// Presses a button without using the codes.
    pub fn press(&mut self, times: u64) {
        let Self::Button(button) = self else { panic!("it has no button") };
        button.press(times);
    }

    /// Sets it up by a page, as the user does.
    #[track_caller]
    pub fn set_up(&mut self, shown: &str) {
        *self = if shown.contains("private id:") {
            Self::YubiKey(YubiKey::of_page(shown))
        } else if shown.contains("any one of its codes") {
            Self::List(list(shown))
        } else if shown.contains("HOTP, SHA1, 6 digits, counter 0") {
            Self::Button(Button::new(key(shown).base32, 0))
        } else {
            Self::Clock(key(shown))
        };
    }
}

/// The codes of a printed list: five letters or digits, a hyphen, and five more.
fn list(shown: &str) -> Vec<String> {
    let is_code = |word: &&str| {
        let is_half = |half: &str| half.len() == 5 && half.chars().all(char::is_alphanumeric);
        word.split_once('-').is_some_and(|(a, b)| is_half(a) && is_half(b))
    };
    let codes: Vec<_> = shown.split_whitespace().filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 50, "{shown}");
    codes
}

impl Button {
    pub const fn new(base32: String, counter: u64) -> Self {
        Self { base32, counter }
    }

    /// Presses it without using the codes.
    pub const fn press(&mut self, times: u64) {
        self.counter += times;
    }

    /// The code of the next counter, computed by `oathtool`.
    pub fn next(&mut self) -> String {
        let counter = self.counter.to_string();
        self.counter += 1;
        let args = ["--hotp", "-b", "-c", &counter, &self.base32];
        let output = Command::new("oathtool").args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl YubiKey {
    /// One whose values `ykman` has made up.
    pub fn of_the_tool() -> Self {
        let private_id = vec![0x3a, 0x91, 0x0c, 0x77, 0xe2, 0x5b];
        let key = HEXLOWER.decode(b"c7a1f04be92d3865107bd5e8924c6fa3").unwrap();
        Self { public_id: "vvccccnrhbfu".into(), private_id, key, touches: 0 }
    }

    /// The line that `ykman otp yubiotp --config-output` adds to its file.
    pub fn line_of_ykman(&self, serial: u32) -> String {
        let (private_id, key) = (HEXLOWER.encode(&self.private_id), HEXLOWER.encode(&self.key));
        format!("{serial},{},{private_id},{key},,2026-11-28T16:20:23,\n", self.public_id)
    }

    /// Programmed with the values of a page.
    #[track_caller]
    fn of_page(shown: &str) -> Self {
        let value = |name: &str| {
            let line = shown.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} {shown}")).trim().to_owned()
        };
        let bytes = |name: &str| HEXLOWER.decode(value(name).as_bytes()).unwrap();
        let (private_id, key) = (bytes("private id:"), bytes("key:"));
        Self { public_id: value("public id:"), private_id, key, touches: 0 }
    }

    /// The values of a document with secrets.
    pub fn of_document(document: &serde_json::Value) -> Self {
        let value = |name: &str| document[name].as_str().unwrap().to_owned();
        let bytes = |name: &str| HEXLOWER.decode(value(name).as_bytes()).unwrap();
        let (private_id, key) = (bytes("private_id"), bytes("key"));
        Self { public_id: value("public_id"), private_id, key, touches: 0 }
    }

    /// What a touch types: the public id, and a block of AES with the private id, the two counters, a time, a random
    /// number and a checksum (YubiKey Technical Manual, "Yubico OTP").
    pub fn next(&mut self) -> String {
        let mut block = [0; 16];
        block[..6].copy_from_slice(&self.private_id);
        // Plugged in once; a time; the touches since then; any number.
        block[6..14].copy_from_slice(&[1, 0, 0x12, 0x34, 0x56, self.touches, 0x9a, 0xbc]);
        self.touches += 1;
        let sum = checksum(&block[..14]);
        block[14..].copy_from_slice(&sum.to_le_bytes());
        let key: [u8; 16] = self.key.clone().try_into().unwrap();
        Aes128::new(&key.into()).encrypt_block((&mut block).into());
        let letters = block.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let letters = letters.map(|digit| char::from(MODHEX[usize::from(digit)]));
        self.public_id.chars().chain(letters).collect()
    }
}

/// The complement of the CRC of ISO 13239.
fn checksum(bytes: &[u8]) -> u16 {
    let mut crc = 0xffff_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 };
        }
    }
    !crc
}
