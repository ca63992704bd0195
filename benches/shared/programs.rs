//! The programs beside `mfactl` that the benchmarks run.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// A benchmark target of this package, built in the same profile as `mfactl`. Cargo tells a
/// benchmark where the programs of the package are, but not where other benchmarks are.
pub fn built(name: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Of what the outer cargo sets about this package, build scripts would think that it is new, and
    // build everything again.
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
        .args(["bench", "--quiet", "--no-run", "--message-format", "json", "--bench", name])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "cargo could not build {name}");
    output
        .stdout
        .split(|b| *b == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo does not say where {name} is"))
}
