//! Portable Symmetric Key Container (RFC 6030): a container with a package for each key, plain or encrypted.
//!
//! Read are HOTP and TOTP keys as in the profiles of section 10. What this reader does not know is refused and never
//! skipped, because section 5 forbids the use of a key under a policy that the reader can't keep to. Not read are public
//! keys (section 6.3), signatures (section 8) and keys that are only referred to.

mod encryption;
mod package;

use crate::domain::refusal::Refusal;
use crate::formats::pskc::encryption::Encryption;
use crate::formats::pskc::package::BadPackage;
use crate::formats::tokens::{Tokens, at};
use crate::formats::xml::{Element, XmlNamespace, XmlReader};
use crate::formats::{DecryptionKey, KeyNeeded, ReadError, TokenPlace};

/// Whether this is such a file, by its root. Drafts of the RFC had other namespaces, and other rules.
pub fn is_pskc(text: &str) -> Result<bool, Refusal> {
    let (_, root) = XmlReader::open(text)?;
    Ok(root.is(XmlNamespace::Pskc, "KeyContainer"))
}

/// What the file is encrypted with, by the elements before its first package.
pub fn needs(text: &str) -> Option<KeyNeeded> {
    let (mut document, _) = XmlReader::open(text).ok()?;
    let first = document.next_child().ok()??;
    first.is(XmlNamespace::Pskc, "EncryptionKey").then(|| encryption::needs(&first).ok())?
}

pub fn read(text: &str, key: &DecryptionKey, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    let (mut document, root) = XmlReader::open(text)?;
    root.expect(XmlNamespace::Pskc, "KeyContainer")?;
    if root.attribute("Version") != Some("1.0") {
        return Err(Refusal::bad_input("Version", "is not 1.0, that of RFC 6030").into());
    }
    let mut next = document.next_child()?;
    let mut encryption = None;
    if let Some(element) = next.take_if(|e| e.is(XmlNamespace::Pskc, "EncryptionKey")) {
        let mut found = Encryption::open(&element, key)?;
        next = document.next_child()?;
        if let Some(method) = next.take_if(|e| e.is(XmlNamespace::Pskc, "MACMethod")) {
            found.set_mac(&method)?;
            next = document.next_child()?;
        }
        encryption = Some(found);
    }
    let mut number = 0;
    while let Some(element) = next {
        number += 1;
        let place = TokenPlace::Package(number);
        refuse_signature(&element)?;
        let record = match package::token(place, &element, encryption.as_ref()) {
            Ok(record) => Ok(Some(record)),
            Err(BadPackage::Alone(refusal)) => Err(refusal),
            Err(BadPackage::WholeFile(refusal)) => return Err(at(place, refusal).into()),
        };
        tokens.add(place, record)?;
        let following = TokenPlace::Package(number + 1);
        next = document.next_child().map_err(|refusal| at(following, refusal))?;
    }
    Ok(())
}

fn refuse_signature(element: &Element) -> Result<(), Refusal> {
    if element.is(XmlNamespace::Dsig, "Signature") || element.is(XmlNamespace::Pskc, "Signature") {
        return Err(Refusal::bad_input("Signature", "can't be checked here")
            .hint("check it with the tool that its maker names, then take it out of the file"));
    }
    Ok(())
}
