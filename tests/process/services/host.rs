//! One of several machines on one store.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Installed;
use super::serving::Verifier;
use super::support::World;

/// A machine with its clock and its verifier.
pub struct Host {
    /// Starts the program with its clock; it asks the verifier where it is for a service.
    pub asking: Installed,
    pub socket: PathBuf,
    /// `None` while it is down.
    pub verifier: Option<Verifier>,
}

impl Host {
    pub fn new(world: &World, clock: &Path) -> Self {
        let name = clock.file_name().unwrap().to_str().unwrap();
        let socket = Verifier::place(world, name);
        let installed = Installed::with(world, &format!("--socket {}", socket.display()));
        let asking = installed.by_the_clock_of(clock);
        let mut host = Self { asking, socket, verifier: None };
        host.start();
        host
    }

    pub fn start(&mut self) {
        let mut command = Command::new(&self.asking.line);
        command.args(["serve", "--socket"]).arg(&self.socket);
        self.verifier = Some(Verifier::of(command, self.socket.clone()));
    }

    pub fn verifier(&self) -> &Verifier {
        self.verifier.as_ref().unwrap()
    }

    /// The program for a service that asks no verifier.
    pub fn alone(&self) -> Installed {
        Installed { line: self.asking.line.clone(), more: " --socket none".to_owned() }
    }
}
