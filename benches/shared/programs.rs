//! The programs beside `mfactl` that the benchmarks run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::measure::Task;

/// The program that is measured, built in the same profile as this one.
pub const MFACTL: &str = env!("CARGO_BIN_EXE_mfactl");

/// Fills a folder with `store.db` and `key`: this program once more, with the command `seed`.
pub fn seed(folder: &Path, users: u32, events: Option<u64>) -> Result<Task> {
    let mut words: Vec<OsString> = vec!["seed".into(), folder.into(), users.to_string().into()];
    words.extend(events.map(|events| events.to_string().into()));
    Ok(Task::new(std::env::current_exe()?, words))
}

/// Builds the floor and says where it is. Cargo tells a benchmark where the programs of the package are,
/// but not where other benchmarks are.
pub fn floor() -> Result<PathBuf> {
    const NAME: &str = "floor";
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // With what the outer cargo sets about this package, build scripts would take it for a changed one,
    // and everything would be built again.
    for (name, _) in std::env::vars_os() {
        let about_us = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if about_us {
            command.env_remove(name);
        }
    }
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["bench", "--quiet", "--no-run", "--message-format", "json", "--bench", NAME])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "cargo could not build {NAME}");
    output
        .stdout
        .split(|b| *b == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo does not say where {NAME} is"))
}
