//! Encrypted keys (RFC 6030, section 6): AES in CBC mode with a MAC over each value, under a pre-shared key
//! (section 6.1) or one that PBKDF2 derives from a passphrase (section 6.2).
//!
//! CBC protects nothing against changes, so that a value is decrypted only after its MAC was found right.

use aes::cipher::block_padding::Iso10126;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, KeyInit, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::domain::refusal::Refusal;
use crate::formats::fields::{base64, number};
use crate::formats::xml::Element;
use crate::formats::xml::XmlNamespace::{
    self, Dsig, None as NoNamespace, Pkcs5, Pskc, Xenc, Xenc11,
};
use crate::formats::{DecryptionKey, KeyNeeded, ReadError};

/// Rounds of PBKDF2 that take no longer than a few seconds.
const MOST_ROUNDS: u64 = 10_000_000;
const LONGEST_SALT: usize = 1024;
/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// The hash of a MAC or of PBKDF2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HashFunction {
    Sha1,
    Sha256,
    Sha512,
}

impl HashFunction {
    /// By the name of its HMAC (RFC 6931, section 2.2.2).
    fn of_hmac(element: &Element) -> Result<Self, Refusal> {
        match element.attribute("Algorithm") {
            Some("http://www.w3.org/2000/09/xmldsig#hmac-sha1") => Ok(Self::Sha1),
            Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256") => Ok(Self::Sha256),
            Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha512") => Ok(Self::Sha512),
            _ => Err(Refusal::bad_input("MACMethod", "is not HMAC with SHA-1, SHA-256 or SHA-512")),
        }
    }
}

/// The keys of a file.
pub struct Encryption {
    key: Zeroizing<Vec<u8>>,
    needed: KeyNeeded,
    mac: Option<(HashFunction, Zeroizing<Vec<u8>>)>,
}

/// What the key comes from.
pub fn needs(encryption_key: &Element) -> Result<KeyNeeded, Refusal> {
    encryption_key.only(&[(Dsig, "KeyName"), (Xenc11, "DerivedKey")]).map_err(|refusal| {
        refusal.hint("have the file encrypted with a passphrase or a pre-shared key")
    })?;
    let has = |namespace, name| encryption_key.child(namespace, name).map(|child| child.is_some());
    match (has(Dsig, "KeyName")?, has(Xenc11, "DerivedKey")?) {
        (true, false) => Ok(KeyNeeded::PresharedKey),
        (false, true) => Ok(KeyNeeded::Passphrase),
        _ => Err(Refusal::bad_input("EncryptionKey", "names no key, or two")),
    }
}

impl Encryption {
    /// The key of a file, from what the caller has.
    pub fn open(encryption_key: &Element, given: &DecryptionKey) -> Result<Self, ReadError> {
        let needed = needs(encryption_key)?;
        let key = match (needed, given) {
            (KeyNeeded::PresharedKey, DecryptionKey::Preshared(key)) => {
                if !matches!(key.len(), 16 | 24 | 32) {
                    let problem = format!("has {} bytes instead of 16, 24 or 32", key.len());
                    return Err(Refusal::bad_input("pre-shared key", problem).into());
                }
                key.clone()
            }
            (KeyNeeded::Passphrase, DecryptionKey::Passphrase(passphrase)) => {
                derived(encryption_key.required(Xenc11, "DerivedKey")?, passphrase)?
            }
            _ => return Err(ReadError::NeedsKey(needed)),
        };
        Ok(Self { key, needed, mac: None })
    }

    /// The MAC and its key, which is itself encrypted. Without a key of its own, it is the key of the file.
    pub fn set_mac(&mut self, method: &Element) -> Result<(), Refusal> {
        let hash = HashFunction::of_hmac(method)?;
        method.only(&[(Pskc, "MACKey")])?;
        let key = match method.child(Pskc, "MACKey")? {
            Some(key) => self.decrypted(key, &cipher_value(key)?)?,
            None => self.key.clone(),
        };
        self.mac = Some((hash, key));
        Ok(())
    }

    /// A value whose MAC is right.
    pub fn value(&self, value: &Element, mac: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let Some((hash, key)) = &self.mac else {
            return Err(Refusal::bad_input(
                "MACMethod",
                "is missing, so that no key can be trusted",
            ));
        };
        let encrypted = cipher_value(value)?;
        let mac = base64("ValueMAC", mac)?;
        let is_right = match hash {
            HashFunction::Sha1 => has_mac::<Hmac<Sha1>>(key, &encrypted, &mac),
            HashFunction::Sha256 => has_mac::<Hmac<Sha256>>(key, &encrypted, &mac),
            HashFunction::Sha512 => has_mac::<Hmac<Sha512>>(key, &encrypted, &mac),
        };
        if !is_right {
            return Err(self.wrong());
        }
        self.decrypted(value, &encrypted)
    }

    /// The content of an encrypted element: the initialisation vector comes first, and the last byte says how many are
    /// padding (XML Encryption, section 5.2).
    fn decrypted(&self, of: &Element, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let method = of.required(Xenc, "EncryptionMethod")?;
        let (length, decrypt): (usize, Decrypt) = match method.attribute("Algorithm") {
            Some("http://www.w3.org/2001/04/xmlenc#aes128-cbc") => (16, cbc::<Aes128>),
            Some("http://www.w3.org/2001/04/xmlenc#aes192-cbc") => (24, cbc::<Aes192>),
            Some("http://www.w3.org/2001/04/xmlenc#aes256-cbc") => (32, cbc::<Aes256>),
            _ => return Err(Refusal::bad_input("EncryptionMethod", "is not AES in CBC mode")),
        };
        if self.key.len() != length {
            let problem = format!("has {} bytes, and the file needs {length}", self.key.len());
            return Err(Refusal::bad_input(self.needed.name(), problem));
        }
        let is_whole = encrypted.len() >= 2 * BLOCK && encrypted.len().is_multiple_of(BLOCK);
        let Some((vector, blocks)) = encrypted.split_at_checked(BLOCK).filter(|_| is_whole) else {
            return Err(Refusal::bad_input("CipherValue", "is cut off"));
        };
        let mut bytes = Zeroizing::new(blocks.to_vec());
        let length = decrypt(&self.key, vector, &mut bytes).ok_or_else(|| self.wrong())?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// A wrong key can't be told from an altered file.
    fn wrong(&self) -> Refusal {
        let name = self.needed.name();
        Refusal::bad_input(name, "is wrong, or the file was altered: a MAC does not match")
            .hint(format!("try the {name} again, or have the file sent again"))
    }
}

fn has_mac<M: hmac::Mac + KeyInit>(key: &[u8], message: &[u8], mac: &[u8]) -> bool {
    M::new_from_slice(key).is_ok_and(|state| state.chain_update(message).verify_slice(mac).is_ok())
}

/// Decrypts with a key and an initialisation vector in place; gives the number of bytes without padding.
type Decrypt = fn(&[u8], &[u8], &mut [u8]) -> Option<usize>;

fn cbc<C>(key: &[u8], vector: &[u8], bytes: &mut [u8]) -> Option<usize>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let cipher = ::cbc::Decryptor::<C>::new_from_slices(key, vector).ok()?;
    cipher.decrypt_padded::<Iso10126>(bytes).ok().map(<[u8]>::len)
}

fn cipher_value(of: &Element) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    of.only(&[(Xenc, "EncryptionMethod"), (Xenc, "CipherData")])?;
    let data = of.required(Xenc, "CipherData")?;
    base64("CipherValue", data.required(Xenc, "CipherValue")?.text())
}

/// The key of a passphrase (section 6.2): PBKDF2 of PKCS #5 (RFC 8018), whose parameters have no namespace, or that of
/// PKCS #5, or of XML Encryption 1.1, by program.
fn derived(key: &Element, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    const PBKDF2: [&str; 2] = [
        "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2",
        "http://www.w3.org/2009/xmlenc11#pbkdf2",
    ];
    key.only(&[
        (Xenc11, "KeyDerivationMethod"),
        (Xenc, "ReferenceList"),
        (Xenc11, "DerivedKeyName"),
        (Xenc11, "MasterKeyName"),
    ])?;
    let method = key.required(Xenc11, "KeyDerivationMethod")?;
    if !method.attribute("Algorithm").is_some_and(|name| PBKDF2.contains(&name)) {
        return Err(Refusal::bad_input("KeyDerivationMethod", "is not PBKDF2"));
    }
    let parameters = of_any(method, &[Xenc11, Pkcs5], "PBKDF2-params")?
        .ok_or_else(|| Refusal::bad_input("PBKDF2-params", "is missing"))?;
    let parameter = |of: &'_ Element, name: &str| -> Result<String, Refusal> {
        of_any(of, &PARAMETERS, name)?
            .map(|element| element.text().to_owned())
            .ok_or_else(|| Refusal::bad_input(name, "is missing"))
    };
    let salt = of_any(parameters, &PARAMETERS, "Salt")?
        .ok_or_else(|| Refusal::bad_input("Salt", "is missing"))?;
    let salt = base64("Salt", &parameter(salt, "Specified")?)?;
    if salt.is_empty() || salt.len() > LONGEST_SALT {
        return Err(Refusal::bad_input("Salt", format!("has not 1 to {LONGEST_SALT} bytes")));
    }
    let rounds = number("IterationCount", &parameter(parameters, "IterationCount")?)?;
    let rounds = u32::try_from(rounds)
        .ok()
        .filter(|rounds| (1..=MOST_ROUNDS).contains(&u64::from(*rounds)))
        .ok_or_else(|| {
            Refusal::bad_input("IterationCount", format!("is not 1 to {MOST_ROUNDS}"))
        })?;
    let mut derived = match number("KeyLength", &parameter(parameters, "KeyLength")?)? {
        16 => Zeroizing::new(vec![0; 16]),
        24 => Zeroizing::new(vec![0; 24]),
        32 => Zeroizing::new(vec![0; 32]),
        _ => return Err(Refusal::bad_input("KeyLength", "is not 16, 24 or 32 bytes")),
    };
    // Without the element, or without its attribute, it is HMAC with SHA-1 (RFC 8018, appendix A.2).
    let hash = match of_any(parameters, &PARAMETERS, "PRF")? {
        Some(prf) if prf.attribute("Algorithm").is_some() => HashFunction::of_hmac(prf)?,
        _ => HashFunction::Sha1,
    };
    match hash {
        HashFunction::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(passphrase, &salt, rounds, &mut derived),
        HashFunction::Sha256 => {
            pbkdf2::pbkdf2_hmac::<Sha256>(passphrase, &salt, rounds, &mut derived);
        }
        HashFunction::Sha512 => {
            pbkdf2::pbkdf2_hmac::<Sha512>(passphrase, &salt, rounds, &mut derived);
        }
    }
    Ok(derived)
}

const PARAMETERS: [XmlNamespace; 3] = [NoNamespace, Xenc11, Pkcs5];

fn of_any<'e>(
    of: &'e Element,
    namespaces: &[XmlNamespace],
    name: &str,
) -> Result<Option<&'e Element>, Refusal> {
    for namespace in namespaces {
        if let Some(element) = of.child(*namespace, name)? {
            return Ok(Some(element));
        }
    }
    Ok(None)
}
