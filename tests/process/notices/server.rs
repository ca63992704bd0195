//! A mail server on the loopback that speaks as much SMTP as it takes to get a mail.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How it behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// It asks for a login before it takes anything.
    AsksLogin,
    /// It knows nobody whose name begins with `no`.
    KnowsSome,
    /// It says nothing after a connection.
    Silent,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ears = heard.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                ears.lock().unwrap().connections += 1;
                let ears = ears.clone();
                thread::spawn(move || talk(stream, manner, &ears));
            }
        });
        Self { port, heard }
    }

    pub fn connections(&self) -> usize {
        self.heard.lock().unwrap().connections
    }

    /// All that was said to it.
    pub fn said(&self) -> String {
        self.heard.lock().unwrap().lines.join("\n")
    }

    /// The mails, decoded, and forgotten.
    pub fn mails(&self) -> Vec<String> {
        let lines = std::mem::take(&mut self.heard.lock().unwrap().lines);
        let said = lines.join("\n");
        let mails = said.split("\nDATA\n").skip(1);
        mails.map(|mail| decoded(mail.split_once("\n.\n").unwrap().0)).collect()
    }
}

fn talk(stream: TcpStream, manner: Manner, heard: &Mutex<Heard>) {
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| drop(write!(out, "{line}\r\n"));
    if manner == Manner::Silent {
        // Until the other side gives up.
        drop(BufReader::new(stream).read_line(&mut String::new()));
        return;
    }
    say("220 test ESMTP");
    let mut is_text = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        heard.lock().unwrap().lines.push(line.clone());
        let verb = line.split(' ').next().unwrap_or_default();
        match verb {
            "." if is_text => {
                is_text = false;
                say("250 taken");
            }
            _ if is_text => {}
            "EHLO" if manner == Manner::AsksLogin => say("250-test\r\n250 AUTH PLAIN"),
            "EHLO" => say("250 test"),
            "AUTH" => say("235 welcome"),
            "RCPT" if manner == Manner::KnowsSome && line.contains("<no") => {
                say("550 nobody of this name");
            }
            "DATA" => {
                is_text = true;
                say("354 go on");
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 fine"),
        }
    }
}

/// Headers as they are, and the text out of its quoted-printable or base64.
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
