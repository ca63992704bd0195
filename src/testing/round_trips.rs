//! Counts how often a client waits for a PostgreSQL server: a socket between both that passes on what the client sends
//! once it has sent nothing more for a while.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::testing::engine::Engine;

/// After this long a client that has sent something waits for the answer; a busy machine may keep it from sending the
/// rest for less. Without the answer it can't go on, so no two
/// waits are counted as one.
const SILENCE: Duration = Duration::from_millis(40);

/// Ends a transaction that only read. The client doesn't wait for the answer to this, nor to a goodbye.
const UNAWAITED: [&[u8]; 2] = [b"Q\0\0\0\x0dROLLBACK\0", b"X\0\0\0\x04"];

/// The socket. Its thread ends with the process.
pub struct CountingSocket {
    folder: TempDir,
    database: String,
    port: String,
    user: String,
    waits: Arc<AtomicUsize>,
}

impl CountingSocket {
    /// A socket in front of the test's server; `None` for a store without one.
    pub fn before(engine: &Engine) -> Option<Self> {
        let Engine::Postgres { server, database } = engine else { return None };
        let [server_folder, port, user] = server.parts();
        let folder = tempfile::tempdir().unwrap();
        let name = format!(".s.PGSQL.{port}");
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let (waits, there) =
            (Arc::<AtomicUsize>::default(), PathBuf::from(server_folder).join(name));
        let counted = Arc::clone(&waits);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (there, counted) = (there.clone(), Arc::clone(&counted));
                thread::spawn(move || pass(client, UnixStream::connect(there).unwrap(), &counted));
            }
        });
        let (database, port, user) = (database.clone(), port.to_owned(), user.to_owned());
        Some(Self { folder, database, port, user, waits })
    }

    /// The value for `--store`.
    pub fn location(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://{}@{folder}:{}/{}", self.user, self.port, self.database)
    }

    /// How often clients have waited since this was last called, apart from their first message, which connects.
    pub fn take(&self) -> usize {
        self.waits.swap(0, Ordering::SeqCst)
    }
}

fn pass(mut client: UnixStream, mut server: UnixStream, waits: &AtomicUsize) {
    let (mut from_server, mut to_client) =
        (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let (mut buffer, mut is_first) = (vec![0; 1 << 20], true);
    loop {
        client.set_read_timeout(None).unwrap();
        let mut message = Vec::new();
        // What comes after the first piece, until there is silence.
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            message.extend_from_slice(&buffer[..length]);
            client.set_read_timeout(Some(SILENCE)).unwrap();
        }
        let mut awaited = &message[..];
        while let Some(rest) = UNAWAITED.iter().find_map(|end| awaited.strip_suffix(*end)) {
            awaited = rest;
        }
        // Counted before the answer can come: the client may be the one who reads the count.
        if !std::mem::take(&mut is_first) && !awaited.is_empty() {
            waits.fetch_add(1, Ordering::SeqCst);
        }
        if message.is_empty() || server.write_all(&message).is_err() {
            let _ = server.shutdown(Shutdown::Both);
            return;
        }
    }
}
