//! The root key and the keys derived from it: for sealing secrets, and for the MACs of rows, events and
//! backup codes.
//!
//! XChaCha20-Poly1305 with 192-bit random nonces seals; HMAC-SHA-256 authenticates; HKDF-SHA-256
//! (RFC 5869) derives one key for each purpose, with the store's id as salt, so that nothing sealed or
//! authenticated for one store is valid in another.

pub mod argon2;
pub mod key_file;

use anyhow::Result;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::audit::event::{
    Canonical, CompactCanonical, FieldNumber, Head, Subject, SubjectId,
};
use crate::domain::authenticate::Keys;
use crate::domain::backup_code::BackupCode;
use crate::domain::device::Device;
use crate::domain::factor::{Factor, yubikey};
use crate::domain::hint::command;
use crate::domain::recovery::Tag;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, KeyGeneration, Sealed, Secret};
use crate::domain::time::Timestamp;
use crate::domain::token::{Fingerprint, Token};

/// Length of a MAC in bytes.
pub const MAC: usize = 32;

const NONCE: usize = 24;
/// The layout of an envelope: version, algorithm, key id, nonce, ciphertext with its tag.
const VERSION: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const HEADER: usize = 2 + KeyId::LENGTH;

/// The 32-byte key from which all others are derived; wiped when dropped.
pub struct RootKey {
    bytes: Zeroizing<[u8; RootKey::LENGTH]>,
    id: KeyId,
}

impl RootKey {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; Self::LENGTH]>) -> Self {
        let mut id = [0; KeyId::LENGTH];
        derive(&Hkdf::new(None, &*bytes), "mfactl key-id v1", &mut id);
        Self { bytes, id: KeyId(id) }
    }

    /// The public id, derived from the key. It shows that a store needs another key before anything is
    /// opened, and detects a damaged key in the key file.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

/// The public id of a root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; KeyId::LENGTH]);

impl KeyId {
    /// Length in bytes.
    pub const LENGTH: usize = 8;
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// The keys of one store, derived from one generation of its root key.
pub struct Vault {
    store: Id,
    generation: KeyGeneration,
    key_id: KeyId,
    seal: Zeroizing<[u8; 32]>,
    state: Hmac<Sha256>,
    audit: Hmac<Sha256>,
    backup_codes: Hmac<Sha256>,
}

impl Vault {
    #[must_use]
    pub fn new(root: &RootKey, store: Id) -> Self {
        let hkdf = Hkdf::new(Some(store.bytes()), &*root.bytes);
        let key = |purpose: &str| {
            let mut key = Zeroizing::new([0; 32]);
            derive(&hkdf, purpose, &mut *key);
            key
        };
        Self {
            store,
            generation: KeyGeneration::FIRST,
            key_id: root.id(),
            seal: key("mfactl seal v1"),
            state: hmac(&key("mfactl state-mac v1")),
            audit: hmac(&key("mfactl audit-mac v1")),
            backup_codes: hmac(&key("mfactl recovery v1")),
        }
    }

    /// The same keys as another generation.
    #[cfg(test)]
    #[must_use]
    pub fn of_generation(self, generation: KeyGeneration) -> Self {
        Self { generation, ..self }
    }

    /// The generation that makes new MACs.
    #[must_use]
    pub const fn generation(&self) -> KeyGeneration {
        self.generation
    }

    /// Refuses a MAC that cannot be checked, because another generation of the root key made it.
    pub fn require(&self, generation: KeyGeneration) -> Result<(), Refusal> {
        if generation == self.generation {
            return Ok(());
        }
        let (other, own) = (generation.number(), self.generation.number());
        let message = format!(
            "a record of the store needs generation {other} of the root key, and the key file has generation {own}"
        );
        Err(Refusal::new(ErrorCode::Key, message).hint(
            "name the key file that has it with --key-file; if the key was never exchanged, the store \
             was altered: restore a backup, and find out who can write to the store",
        ))
    }

    /// Seals the secret of a device, bound to user, device and parameters.
    pub fn seal(
        &self,
        user: Id,
        device: &Device,
        secret: &Secret,
        nonce: [u8; NONCE],
    ) -> Result<Sealed> {
        self.seal_with(&self.secret_associated_data(user, device), secret.expose(), nonce)
    }

    /// The fingerprint of a token's secret. Of a YubiKey it leaves out the public id, which anybody can type before a
    /// code.
    #[must_use]
    pub fn fingerprint(&self, factor: &Factor, secret: &Secret) -> Fingerprint {
        let parts = yubikey::parts(secret).filter(|_| *factor == Factor::Yubikey);
        let (first, second) = match parts {
            Some((_, private_id, key)) => (&private_id[..], &key[..]),
            None => (&[][..], secret.expose()),
        };
        let mut purpose = Canonical::default();
        purpose.field("row", "token secret");
        purpose.field("store", self.store.bytes());
        // Fed in pieces, so that no copy of the secret is left in memory.
        let hmac = self.state.clone().chain_update(purpose.bytes()).chain_update(first);
        let mac: [u8; MAC] = hmac.chain_update(second).finalize().into_bytes().into();
        Fingerprint::new(std::array::from_fn(|n| mac[n]))
    }

    /// Seals the secret of a free token, bound to the token and its settings.
    pub fn seal_token(&self, token: &Token, secret: &Secret, nonce: [u8; NONCE]) -> Result<Sealed> {
        self.seal_with(&self.token_associated_data(token), secret.expose(), nonce)
    }

    /// Opens the secret of a free token; `tampered` when it was altered or moved, or the token has none.
    pub fn open_token(&self, token: &Token) -> Result<Secret, Refusal> {
        let data = self.token_associated_data(token);
        let opened = token.secret().and_then(|secret| self.open_with(&data, secret));
        opened.map(Secret::new).ok_or_else(|| {
            let message = format!("the secret of token {} was altered", token.serial);
            let hint = "find out who can write to the store; remove the token, and add it again";
            Refusal::new(ErrorCode::Tampered, message).hint(hint)
        })
    }

    /// Seals the hash of a user's password, bound to user and column.
    pub fn seal_hash(
        &self,
        user: Id,
        column: &str,
        hash: &str,
        nonce: [u8; NONCE],
    ) -> Result<Sealed> {
        self.seal_with(&self.hash_associated_data(user, column), hash.as_bytes(), nonce)
    }

    fn seal_with(&self, data: &Canonical, text: &[u8], nonce: [u8; NONCE]) -> Result<Sealed> {
        let payload = Payload { msg: text, aad: data.bytes() };
        let sealed = XChaCha20Poly1305::new((&*self.seal).into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Refusal::new(ErrorCode::Internal, "a secret could not be sealed"))?;
        let mut envelope = Vec::with_capacity(HEADER + NONCE + sealed.len());
        envelope.extend([VERSION, XCHACHA20_POLY1305]);
        envelope.extend(self.key_id.0);
        envelope.extend(nonce);
        envelope.extend(sealed);
        Ok(Sealed(envelope))
    }

    /// Opens the secret of a device; `tampered` when it was altered or moved. A kind without one has an empty one, for
    /// which the MAC of the row answers.
    pub fn open(&self, user: Id, device: &Device) -> Result<Secret, Refusal> {
        if !device.factor.has_secret() {
            return Ok(Secret::new(Zeroizing::default()));
        }
        let tampered = || {
            Refusal::new(
                ErrorCode::Tampered,
                format!("the secret of device {} was altered", device.id),
            )
            .hint(
                command("reset")
                    .name("NAME")
                    .after("find out who can write to the store, and reset the user with: "),
            )
        };
        let opened = self
            .open_with(&self.secret_associated_data(user, device), &device.secret)
            .ok_or_else(tampered)?;
        Ok(Secret::new(opened))
    }

    /// Opens the hash of a user's password; `tampered` when it was altered or moved.
    pub fn open_hash(&self, user: Id, column: &str, hash: &Sealed) -> Result<Zeroizing<String>> {
        let opened = self.open_with(&self.hash_associated_data(user, column), hash);
        let text = opened.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        Ok(text.map(Zeroizing::new).ok_or_else(|| {
            Refusal::new(ErrorCode::Tampered, "the hash of a password was altered")
                .hint("set a new password, and find out who can write to the store")
        })?)
    }

    fn open_with(&self, data: &Canonical, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let envelope = sealed.0.as_slice();
        let (header, rest) = envelope.split_at_checked(HEADER)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        if header[..2] != [VERSION, XCHACHA20_POLY1305] || header[2..] != self.key_id.0 {
            return None;
        }
        let opened = XChaCha20Poly1305::new((&*self.seal).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: data.bytes() });
        opened.ok().map(Zeroizing::new)
    }

    /// The MAC of a row.
    #[must_use]
    pub fn state_mac(&self, kind: &str, row: &Canonical) -> [u8; MAC] {
        let mut whole = Canonical::default();
        whole.field("row", kind);
        whole.field("store", self.store.bytes());
        if let Some(generation) = self.generation.explicit() {
            whole.number("generation", generation.into());
        }
        self.state
            .clone()
            .chain_update(whole.bytes())
            .chain_update(row.bytes())
            .finalize()
            .into_bytes()
            .into()
    }

    /// The MAC of one event in the chain. It names the user with revision and stamp, so that these can be proved
    /// without the event before it.
    #[must_use]
    pub fn event_mac(&self, event: &Head, subject: Option<Subject<'_>>) -> [u8; MAC] {
        self.audit_mac(b"event", event, subject)
    }

    /// The MAC of an event that this generation of the root key made; `None` where the keyring does not hold it.
    #[must_use]
    pub fn event_mac_by(
        &self,
        generation: KeyGeneration,
        event: &Head,
        subject: Option<Subject<'_>>,
    ) -> Option<[u8; MAC]> {
        (generation == self.generation).then(|| self.event_mac(event, subject))
    }

    /// The MAC of the end of the chain; with another label, so that an event's MAC is not valid here.
    #[must_use]
    pub fn head_mac(&self, head: &Head) -> [u8; MAC] {
        self.audit_mac(b"head", head, None)
    }

    /// The MAC of the start of a pruned chain, with the time of the last removed event. `names_everybody`: the
    /// pruning left at least one event about every user.
    #[must_use]
    pub fn start_mac(&self, head: &Head, at: Timestamp, names_everybody: bool) -> [u8; MAC] {
        let purpose = if names_everybody { "start with everybody" } else { "start" };
        self.audit_mac(format!("{purpose} {}", at.unix()).as_bytes(), head, None)
    }

    fn audit_mac(&self, purpose: &[u8], head: &Head, subject: Option<Subject<'_>>) -> [u8; MAC] {
        let mut c = CompactCanonical::default();
        c.field(FieldNumber::Purpose, purpose);
        c.number(FieldNumber::Seq, head.seq);
        c.field(FieldNumber::Hash, head.hash);
        if let Some(Subject { id, rev, was_stamp }) = subject {
            match id {
                SubjectId::User(id) => c.field(FieldNumber::UserId, id),
                SubjectId::Token(id) => c.field(FieldNumber::TokenId, id),
            }
            c.number(FieldNumber::Rev, rev);
            c.maybe(FieldNumber::WasStamp, was_stamp);
        }
        if let Some(generation) = self.generation.explicit() {
            c.number(FieldNumber::Generation, generation.into());
        }
        self.audit.clone().chain_update(c.bytes()).finalize().into_bytes().into()
    }

    /// The associated data of a sealed secret. It binds the secret to its row, so that it can't be moved
    /// to another user or device.
    fn secret_associated_data(&self, user: Id, device: &Device) -> Canonical {
        let mut data = self.user_associated_data(user);
        data.field("device", device.id.bytes());
        data.field("field", "secret");
        put_settings(&mut data, &device.factor);
        data
    }

    /// The same for a token of the inventory, which belongs to no user yet.
    fn token_associated_data(&self, token: &Token) -> Canonical {
        let mut data = self.associated_data();
        data.field("token", token.id.bytes());
        data.field("field", "secret");
        put_settings(&mut data, &token.factor);
        data
    }

    fn hash_associated_data(&self, user: Id, column: &str) -> Canonical {
        let mut data = self.user_associated_data(user);
        data.field("field", column);
        data
    }

    fn user_associated_data(&self, user: Id) -> Canonical {
        let mut data = self.associated_data();
        data.field("user", user.bytes());
        data
    }

    fn associated_data(&self) -> Canonical {
        let mut data = Canonical::default();
        data.field("mfactl", [VERSION, XCHACHA20_POLY1305]);
        data.field("key", self.key_id.0);
        data.field("store", self.store.bytes());
        data
    }
}

impl Keys for Vault {
    fn secret(&self, user: Id, device: &Device) -> Result<Secret, Refusal> {
        self.open(user, device)
    }

    /// The MAC under which a code of letters is stored; valid for this user and this set or printed list only.
    fn backup_code_tag(&self, user: Id, set: Id, code: &BackupCode) -> Tag {
        let mut c = Canonical::default();
        c.field("spare", code.kind.word());
        c.field("user", user.bytes());
        c.field("set", set.bytes());
        c.field("code", code.letters());
        self.backup_codes.clone().chain_update(c.bytes()).finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({}, ..)", self.key_id)
    }
}

/// Kind and settings, but not the drift, which changes.
fn put_settings(data: &mut Canonical, factor: &Factor) {
    data.field("kind", factor.kind());
    if let Some((algorithm, digits)) = factor.code_form() {
        data.field("algorithm", algorithm.as_str());
        data.number("digits", digits.into());
    }
    if let Some(clock) = factor.clock() {
        data.number("period", clock.parameters.period);
    }
}

#[expect(clippy::expect_used, reason = "RFC 2104 takes keys of every length")]
fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("a valid length for HMAC")
}

#[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8160 bytes, and we ask for 32")]
fn derive(hkdf: &Hkdf<Sha256>, purpose: &str, key: &mut [u8]) {
    hkdf.expand(purpose.as_bytes(), key).expect("a valid length for HKDF");
}
