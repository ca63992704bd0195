//! The QR code in a real terminal emulator: xterm on a display of Xvfb, its screen saved as a picture and read by
//! `zbarimg`. Unlike tmux, it has fonts, and gaps between the lines.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::qr::{uri, zbarimg};
use super::support::{MFACTL, World, has};

/// How often a screen is looked at before the test fails.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(500);

/// A display that nobody sees. It ends where this is dropped.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn new() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1200x1200x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { server, name: format!(":{}", number.trim()) }
    }

    /// Saves what the display shows.
    fn save(&self, path: &Path) {
        let mut command = Command::new("import");
        command.args(["-display", &self.name, "-window", "root"]);
        assert!(command.arg(path).status().unwrap().success());
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// An xterm that runs one command line. It ends where this is dropped.
struct Xterm<'d> {
    terminal: Child,
    display: &'d Display,
    picture: PathBuf,
    seen: PathBuf,
}

#[derive(Clone, Copy, Debug)]
enum Colours {
    Dark,
    Light,
}

impl<'d> Xterm<'d> {
    fn new(
        display: &'d Display,
        world: &World,
        colours: Colours,
        (columns, rows): (u16, u16),
        variables: &str,
        line: &str,
    ) -> Self {
        let mut program =
            format!("{MFACTL} --store {} --key-file {}", world.place(), world.key().display());
        let _ = write!(program, " {line}");
        let shell = format!("env -i {variables} PATH=/usr/bin:/bin {program}; sleep 60");
        let (paper, ink) = match colours {
            Colours::Dark => ("black", "white"),
            Colours::Light => ("white", "black"),
        };
        let size = format!("{columns}x{rows}+0+0");
        let terminal = Command::new("xterm")
            .args(["-display", &display.name, "-u8", "-bg", paper, "-fg", ink, "-cr", ink])
            .args([
                "-fa",
                "DejaVu Sans Mono",
                "-fs",
                "10",
                "-geometry",
                &size,
                "+sb",
                "-e",
                "sh",
                "-c",
            ])
            .arg(shell)
            .env("LC_ALL", "C.UTF-8")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (picture, seen) = (world.path("screen.png"), world.path("seen.png"));
        Self { terminal, display, picture, seen }
    }

    /// The address in the QR code, once it is there.
    #[track_caller]
    fn read(&self, what: &str) -> String {
        for _ in 0..LOOKS {
            self.display.save(&self.picture);
            // The second time as a lens sees it that is a little out of focus.
            for blur in ["0x0", "0x2"] {
                let mut convert = Command::new("convert");
                convert.arg(&self.picture).args(["-blur", blur]).arg(&self.seen);
                assert!(convert.status().unwrap().success());
                let found = zbarimg(&self.seen);
                if !found.is_empty() {
                    return found;
                }
            }
            sleep(PAUSE);
        }
        panic!("no code was read: {what}");
    }
}

impl Drop for Xterm<'_> {
    fn drop(&mut self) {
        let _ = self.terminal.kill();
        let _ = self.terminal.wait();
    }
}

fn tools(what: &str) -> bool {
    ["Xvfb", "xterm", "import", "convert", "zbarimg"].into_iter().all(|program| has(program, what))
}

fn world() -> World {
    let world = World::new();
    world.run("enrol alice --create --no-confirm --json").expect(0);
    world
}

/// The secret in an address; the rest of it is shorter where there is little room.
fn secret(uri: &str) -> &str {
    let after = uri.split("secret=").nth(1).unwrap();
    after.split('&').next().unwrap()
}

#[test]
fn the_qr_code_scans_in_xterm_dark_and_light_wide_and_narrow() {
    if !tools("scanning xterm") {
        return;
    }
    let (world, display) = (world(), Display::new());
    let expected = uri(&world, "alice");
    for colours in [Colours::Dark, Colours::Light] {
        for size in [(80, 24), (40, 24), (100, 60)] {
            let what = format!("{colours:?} {size:?}");
            let variables = "TERM=xterm-256color LANG=C.UTF-8";
            let line = "show-qr alice --no-confirm";
            let terminal = Xterm::new(&display, &world, colours, size, variables, line);
            let found = terminal.read(&what);
            assert_eq!(secret(&found), secret(&expected), "{what}");
            assert_eq!(found == expected, size.0 > 40, "{what}: {found}");
        }
    }
}

#[test]
fn the_drawings_for_other_terminals_scan_in_xterm() {
    if !tools("scanning xterm") {
        return;
    }
    let (world, display) = (world(), Display::new());
    let expected = uri(&world, "alice");
    let (dark, light) = (Colours::Dark, Colours::Light);
    for (colours, variables, options) in [
        (dark, "TERM=xterm-256color", "--ascii"),
        (light, "TERM=xterm-256color", "--ascii"),
        (light, "TERM=xterm-256color", "--invert"),
        (light, "TERM=xterm-256color", "--ascii --invert"),
        (dark, "TERM=linux LANG=C", ""),
        (light, "TERM=linux LANG=C", ""),
        (light, "TERM=dumb LANG=C.UTF-8", "--invert"),
    ] {
        let what = format!("{colours:?} {variables} {options}");
        let line = format!("show-qr alice --no-confirm {options}");
        let terminal = Xterm::new(&display, &world, colours, (100, 60), variables, &line);
        let found = terminal.read(&what);
        assert_eq!(found, expected, "{what}");
    }
}
