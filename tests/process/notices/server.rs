//! A mail server on the loopback with enough SMTP to receive a mail.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How it behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// It asks for a login before it takes anything.
    AsksLogin,
    /// It refuses recipients whose name begins with `no`.
    KnowsSome,
    /// It says nothing after a connection.
    Silent,
    /// It speaks TLS from the first byte.
    SpeaksTls,
    /// It offers TLS, and takes mail only then.
    OffersTls,
}

/// Lines of all conversations, and how many there were.
#[derive(Default)]
pub struct Heard {
    pub lines: Vec<String>,
    pub connections: usize,
}

pub struct Server {
    pub port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Server {
    pub fn start(manner: Manner) -> Self {
        Self::run(manner, None)
    }

    /// With the certificate `s.pem` of a folder and its key.
    pub fn certified(manner: Manner, folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.join("s.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("s.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Self::run(manner, Some(Arc::new(config.with_single_cert(vec![certificate], key).unwrap())))
    }

    fn run(manner: Manner, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ears = heard.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                ears.lock().unwrap().connections += 1;
                let (ears, tls) = (ears.clone(), tls.clone());
                thread::spawn(move || talk(stream, manner, tls.as_ref(), &ears));
            }
        });
        Self { port, heard }
    }

    pub fn connections(&self) -> usize {
        self.heard.lock().unwrap().connections
    }

    /// All lines that it received.
    pub fn said(&self) -> String {
        self.heard.lock().unwrap().lines.join("\n")
    }

    /// Takes the mails received so far, decoded.
    pub fn mails(&self) -> Vec<String> {
        let lines = std::mem::take(&mut self.heard.lock().unwrap().lines);
        let said = lines.join("\n");
        let mails = said.split("\nDATA\n").skip(1);
        mails.map(|mail| decoded(mail.split_once("\n.\n").unwrap().0)).collect()
    }
}

fn talk(stream: TcpStream, manner: Manner, tls: Option<&Arc<ServerConfig>>, heard: &Mutex<Heard>) {
    let guarded =
        |stream| StreamOwned::new(ServerConnection::new(tls.unwrap().clone()).unwrap(), stream);
    match manner {
        // Wait until the client gives up.
        Manner::Silent => drop(BufReader::new(stream).read_line(&mut String::new())),
        Manner::SpeaksTls => drop(converse(guarded(stream), manner, true, heard)),
        _ => {
            if converse(&stream, manner, true, heard) {
                converse(guarded(stream), Manner::Takes, false, heard);
            }
        }
    }
}

/// Serves until the client disconnects; `true` if it asked for TLS.
fn converse(wire: impl Read + Write, manner: Manner, greets: bool, heard: &Mutex<Heard>) -> bool {
    let mut wire = BufReader::new(wire);
    let mut answer = if greets { "220 test ESMTP" } else { "" };
    let (mut is_text, mut line) = (false, String::new());
    loop {
        if !answer.is_empty() && write!(wire.get_mut(), "{answer}\r\n").is_err() {
            return false;
        }
        let _ = wire.get_mut().flush();
        line.clear();
        if wire.read_line(&mut line).unwrap_or_default() == 0 {
            return false;
        }
        let said = line.trim_end_matches(['\r', '\n']);
        heard.lock().unwrap().lines.push(said.to_owned());
        let verb = said.split(' ').next().unwrap_or_default();
        answer = match verb {
            "." if is_text => {
                is_text = false;
                "250 taken"
            }
            _ if is_text => "",
            "EHLO" if manner == Manner::AsksLogin => "250-test\r\n250 AUTH PLAIN",
            "EHLO" if manner == Manner::OffersTls => "250-test\r\n250 STARTTLS",
            "EHLO" => "250 test",
            "STARTTLS" if manner == Manner::OffersTls => {
                let _ = wire.get_mut().write_all(b"220 go on\r\n");
                return true;
            }
            _ if manner == Manner::OffersTls => "530 TLS first",
            "AUTH" => "235 welcome",
            "RCPT" if manner == Manner::KnowsSome && said.contains("<no") => "550 nobody like that",
            "DATA" => {
                is_text = true;
                "354 go on"
            }
            _ => "250 fine",
        };
    }
}

/// The mail with its text decoded from quoted-printable or base64.
fn decoded(mail: &str) -> String {
    let (headers, text) = mail.split_once("\n\n").unwrap();
    let text = if headers.contains("quoted-printable") {
        let text = text.replace("=\n", "");
        let mut parts = text.split('=');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            let (byte, rest) = part.split_at(2);
            bytes.push(u8::from_str_radix(byte, 16).unwrap());
            bytes.extend(rest.as_bytes());
        }
        String::from_utf8(bytes).unwrap()
    } else if headers.contains("base64") {
        let text = text.replace('\n', "");
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    } else {
        text.to_owned()
    };
    format!("{headers}\n\n{text}")
}
