//! SafeNet's (formerly Aladdin's) XML for eToken PASS and SafeWord tokens: `Token` elements with a serial, and for each a
//! seed in hex and the counter in `Applications/Application`. They are HOTP with 6 digits, as privacyIDEA reads them
//! (`parseSafeNetXML`). A token whose entry has no seed is passed over.

use crate::domain::refusal::Refusal;
use crate::formats::fields::{
    USUAL_DIGITS, counter, hex, hotp, model, secret, serial, usual_algorithm,
};
use crate::formats::tokens::{Tokens, at};
use crate::formats::xml::{Element, XmlNamespace, XmlReader};
use crate::formats::{ReadError, TokenPlace, TokenRecord};

/// Whether this is such a file, by its root.
pub fn is_safenet(text: &str) -> Result<bool, Refusal> {
    let (_, root) = XmlReader::open(text)?;
    Ok(root.is(XmlNamespace::None, "Tokens"))
}

pub fn read(text: &str, tokens: &mut Tokens<'_, '_>) -> Result<(), ReadError> {
    let (mut document, root) = XmlReader::open(text)?;
    root.expect(XmlNamespace::None, "Tokens")?;
    for place in (1..).map(TokenPlace::Package) {
        let Some(entry) = document.next_child().map_err(|refusal| at(place, refusal))? else {
            break;
        };
        tokens.add(place, token(place, &entry))?;
    }
    Ok(())
}

fn token(place: TokenPlace, entry: &Element) -> Result<Option<TokenRecord>, Refusal> {
    entry.expect(XmlNamespace::None, "Token")?;
    let number = entry.attribute("serial").unwrap_or_default();
    let number = serial(number)?;
    let product = entry.child(XmlNamespace::None, "ProductName")?.map(Element::text);
    let Some(applications) = entry.child(XmlNamespace::None, "Applications")? else {
        return Ok(None);
    };
    let Some(application) = applications.child(XmlNamespace::None, "Application")? else {
        return Ok(None);
    };
    let Some(seed) = application.child(XmlNamespace::None, "Seed")? else { return Ok(None) };
    let secret = secret(hex("key", seed.text())?)?;
    let next = match application.child(XmlNamespace::None, "MovingFactor")? {
        Some(factor) => counter(factor.text())?,
        None => 0,
    };
    Ok(Some(TokenRecord {
        place,
        serial: Some(number),
        kind: hotp(usual_algorithm(secret.expose()), USUAL_DIGITS, next)?,
        secret,
        model: model(&[Some("SafeNet"), product])?,
        user: None,
    }))
}
