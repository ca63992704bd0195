//! XML as far as lists of tokens need it: a root, and below it one small tree after another.
//!
//! A document type definition is refused, and every entity but the five of XML itself: they make a short file expand
//! without end, or read others. Nothing recurses over the file's own depth, and trees, tags and depth are bounded.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, ResolveResult};
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use crate::domain::refusal::Refusal;
use crate::formats::encoding::line_at;

/// Levels below the root.
const DEEPEST: usize = 16;
/// Elements of one tree.
const MOST_ELEMENTS: usize = 256;
/// Bytes of the text of one tree.
const LONGEST_TEXT: usize = 64 * 1024;
/// Bytes of a tag. To look for doubled attributes takes time by the square of their number.
const LONGEST_TAG: usize = 4096;

/// The vocabularies that lists of tokens use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlNamespace {
    None,
    /// RFC 6030.
    Pskc,
    /// XML Encryption 1.0.
    Xenc,
    /// XML Encryption 1.1.
    Xenc11,
    /// XML Signature.
    Dsig,
    /// PKCS #5.
    Pkcs5,
    /// Any other.
    Foreign,
}

impl XmlNamespace {
    fn named(name: &str) -> Self {
        match name {
            "urn:ietf:params:xml:ns:keyprov:pskc" => Self::Pskc,
            "http://www.w3.org/2001/04/xmlenc#" => Self::Xenc,
            "http://www.w3.org/2009/xmlenc11#" => Self::Xenc11,
            "http://www.w3.org/2000/09/xmldsig#" => Self::Dsig,
            "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#" => Self::Pkcs5,
            _ => Self::Foreign,
        }
    }
}

/// An element with all that is in it.
pub struct Element {
    namespace: XmlNamespace,
    name: String,
    attributes: Vec<(String, String)>,
    /// May be a key.
    text: Zeroizing<String>,
    children: Vec<Self>,
}

impl Element {
    #[must_use]
    pub fn is(&self, namespace: XmlNamespace, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// Refuses any other element.
    pub fn expect(&self, namespace: XmlNamespace, name: &str) -> Result<(), Refusal> {
        if self.is(namespace, name) {
            return Ok(());
        }
        Err(Refusal::bad_input(name, "is expected, but another element or namespace is there"))
    }

    /// The text without blanks around it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The child of this name, of which there may be one only.
    pub fn child(&self, namespace: XmlNamespace, name: &str) -> Result<Option<&Self>, Refusal> {
        let mut children = self.children.iter().filter(|child| child.is(namespace, name));
        let child = children.next();
        match children.next() {
            Some(_) => Err(Refusal::bad_input(name, "is there twice")),
            None => Ok(child),
        }
    }

    /// The same, where it must be there.
    pub fn required(&self, namespace: XmlNamespace, name: &str) -> Result<&Self, Refusal> {
        self.child(namespace, name)?.ok_or_else(|| Refusal::bad_input(name, "is missing"))
    }

    /// Refuses children that have none of these names: who does not know them can't say what they change.
    pub fn only(&self, known: &[(XmlNamespace, &str)]) -> Result<(), Refusal> {
        let is_known =
            |child: &&Self| known.iter().any(|(namespace, name)| child.is(*namespace, name));
        match self.children.iter().find(|child| !is_known(child)) {
            None => Ok(()),
            Some(_) => Err(Refusal::bad_input(
                &self.name,
                "has an element whose name or namespace is unknown",
            )),
        }
    }
}

/// A file, of which the root has been read.
pub struct XmlReader<'t> {
    reader: Reader<&'t [u8]>,
    text: &'t str,
    namespaces: NamespaceResolver,
    is_over: bool,
}

impl<'t> XmlReader<'t> {
    /// The document, and its root without children.
    pub fn open(text: &'t str) -> Result<(Self, Element), Refusal> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let namespaces = NamespaceResolver::default();
        let mut document = Self { reader, text, namespaces, is_over: false };
        loop {
            match document.event()? {
                Event::Start(start) => {
                    let root = document.element(&start)?;
                    return Ok((document, root));
                }
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Comment(_) | Event::PI(_) => {}
                Event::Decl(declaration) => {
                    let encoding = declaration.encoding().and_then(Result::ok);
                    let is_utf8 = |name: Cow<'_, str>| name.eq_ignore_ascii_case("utf-8");
                    if !text.is_ascii() && encoding.is_some_and(|name| !is_utf8(name)) {
                        return Err(document.refuse("is UTF-8 but says that it is not"));
                    }
                }
                _ => return Err(document.refuse("has no root element")),
            }
        }
    }

    /// The next child of the root with all that is in it; `None` after the last.
    pub fn next_child(&mut self) -> Result<Option<Element>, Refusal> {
        let mut open: Vec<Element> = Vec::new();
        let (mut elements, mut length) = (0, 0);
        while !self.is_over {
            match self.event()? {
                Event::Start(start) => {
                    elements += 1;
                    if open.len() >= DEEPEST || elements > MOST_ELEMENTS {
                        let problem = "is nested too deeply or has too many elements";
                        return Err(self.refuse(problem));
                    }
                    open.push(self.element(&start)?);
                }
                Event::End(_) => {
                    self.namespaces.pop();
                    let Some(element) = open.pop() else {
                        self.end()?;
                        break;
                    };
                    if !element.children.is_empty() && !element.text().is_empty() {
                        return Err(self.refuse("has text between elements"));
                    }
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(Some(element)),
                    }
                }
                Event::Text(text) => self.append(&mut open, &mut length, &text)?,
                Event::CData(text) => self.append(&mut open, &mut length, &text)?,
                Event::GeneralRef(reference) => {
                    let c = self.referred(&reference)?;
                    self.append(&mut open, &mut length, c.encode_utf8(&mut [0; 4]))?;
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Err(self.refuse("ends within an element: it is cut off")),
                Event::Empty(_) | Event::Decl(_) | Event::DocType(_) => {
                    return Err(self.refuse("has a declaration inside its root"));
                }
            }
        }
        self.is_over = true;
        Ok(None)
    }

    /// Nothing may follow the root.
    fn end(&mut self) -> Result<(), Refusal> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Comment(_) | Event::PI(_) => {}
                _ => return Err(self.refuse("goes on after its root element")),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'t>, Refusal> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(Refusal::bad_input(
                "FILE",
                "has a document type definition (DOCTYPE), which no list of tokens needs",
            )
            .hint("take it out of the file if you trust where the file comes from")),
            Ok(event) => Ok(event),
            Err(_) => Err(self.refuse("is no well-formed XML, or cut off")),
        }
    }

    /// An element of which only the tag has been read.
    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, Refusal> {
        if start.len() > LONGEST_TAG {
            return Err(self.refuse("has a tag that is too long"));
        }
        self.namespaces.push(start).map_err(|_| self.refuse("declares wrong namespaces"))?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.refuse("has a wrong attribute"))?;
            // Those with a prefix belong to other vocabularies.
            if attribute.key.prefix().is_none() && attribute.key.into_inner() != "xmlns" {
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|_| self.refuse("has an entity in an attribute"))?;
                attributes.push((attribute.key.into_inner().to_owned(), value.into_owned()));
            }
        }
        let (resolved, name) = self.namespaces.resolve_element(start.name());
        let namespace = match resolved {
            ResolveResult::Unbound => XmlNamespace::None,
            ResolveResult::Bound(Namespace(name)) => XmlNamespace::named(name),
            ResolveResult::Unknown(_) => return Err(self.refuse("has an undeclared prefix")),
        };
        let name = name.into_inner().to_owned();
        let (text, children) = (Zeroizing::default(), Vec::new());
        Ok(Element { namespace, name, attributes, text, children })
    }

    fn append(&self, open: &mut [Element], length: &mut usize, text: &str) -> Result<(), Refusal> {
        *length += text.len();
        if *length > LONGEST_TEXT {
            return Err(self.refuse("has too much text in one token"));
        }
        match open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.refuse("has text between elements")),
        }
        Ok(())
    }

    /// The character of a reference: of a number, or of one of the names that XML itself has.
    fn referred(&self, reference: &BytesRef<'_>) -> Result<char, Refusal> {
        if let Ok(Some(c)) = reference.resolve_char_ref() {
            return Ok(c);
        }
        match &**reference {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(self.refuse("has an entity, which no list of tokens needs")),
        }
    }

    /// A problem of the whole file, with the line that was reached.
    fn refuse(&self, problem: &str) -> Refusal {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let line = line_at(self.text.as_bytes(), at);
        Refusal::bad_input("FILE", format!("{problem} (near line {line})"))
            .hint("export the tokens again, or have them sent again")
    }
}
