//! Linker options that shorten the time before `main`, which is most of the time of one verification.
//! Each is set only where the system is known to support it.

#![expect(clippy::disallowed_macros, reason = "a build script talks to cargo on standard output")]

use std::path::Path;
use std::process::Command;

/// The first glibc that loads packed relocations (`DT_RELR`).
const FIRST_WITH_RELR: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|actual| actual == value);
    let is_native = std::env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if !is_native || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    // Otherwise the loader reads twenty thousand relocations of 24 bytes.
    if glibc().is_some_and(|version| version >= FIRST_WITH_RELR) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Link the unwinder statically: libgcc_s.so runs CPUID whenever it is loaded, and in a virtual
    // machine each CPUID is a trap to the host.
    if output_of("cc", &["-print-file-name=libgcc_eh.a"])
        .is_some_and(|f| Path::new(&f).is_absolute())
    {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

fn glibc() -> Option<(u32, u32)> {
    let text = output_of("getconf", &["GNU_LIBC_VERSION"])?;
    let (major, minor) = text.strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// The output of a program, trimmed; `None` where it fails.
fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
