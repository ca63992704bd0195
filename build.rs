//! What a process costs before `main` is most of what one verification costs. Two things are taken off
//! that where the system can do without them; where it can't, or can't be asked, nothing is changed.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which talks to cargo")]

use std::path::Path;
use std::process::Command;

/// The first glibc that loads packed relocations.
const PACKED: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let is_for_here = std::env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if !is_for_here || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    // Twenty thousand relocations are otherwise read, 24 bytes each.
    if glibc().is_some_and(|version| version >= PACKED) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // The unwinder linked in: libgcc_s.so asks the processor what it can do whenever it is loaded, and in
    // a virtual machine each such question is a trap to the host.
    if told("cc", &["-print-file-name=libgcc_eh.a"]).is_some_and(|f| Path::new(&f).is_absolute()) {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

fn glibc() -> Option<(u32, u32)> {
    let text = told("getconf", &["GNU_LIBC_VERSION"])?;
    let (major, minor) = text.strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// What a program says, in one line.
fn told(program: &str, args: &[&str]) -> Option<String> {
    let ran = Command::new(program).args(args).output().ok().filter(|ran| ran.status.success())?;
    Some(String::from_utf8(ran.stdout).ok()?.trim().to_owned())
}
