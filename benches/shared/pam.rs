//! Services of PAM, for root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;
use data_encoding::BASE32_NOPAD;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::codes::code;
use super::measure::Task;
use super::people;

/// Services with one module each, gone when dropped.
pub struct PamServices {
    tag: String,
    count: usize,
}

impl PamServices {
    pub fn new(modules: &[String]) -> Result<Self> {
        let tag = format!("mfactl-bench-{}", std::process::id());
        let services = Self { tag, count: modules.len() };
        for (n, module) in modules.iter().enumerate() {
            fs::write(services.file(n), format!("auth required {module}\n"))?;
        }
        Ok(services)
    }

    /// A login of the nth user, by the service of this number.
    pub fn login(&self, at: usize, n: u32) -> Result<Task> {
        let words = ["--".to_owned(), self.name(at), people::name(n), "authenticate".to_owned()];
        Ok(Task { input: code(n, 0)?, ..Task::new("pamtester", words) })
    }

    fn name(&self, at: usize) -> String {
        format!("{}-{at}", self.tag)
    }

    fn file(&self, at: usize) -> String {
        format!("/etc/pam.d/{}", self.name(at))
    }
}

impl Drop for PamServices {
    fn drop(&mut self) {
        for at in 0..self.count {
            let _ = fs::remove_file(self.file(at));
        }
    }
}

/// Descriptors as login services have them: `pam_exec` closes every one that there may be.
pub fn limit_descriptors() -> Result<()> {
    let usual = Rlimit { current: Some(1024), maximum: getrlimit(Resource::Nofile).maximum };
    Ok(setrlimit(Resource::Nofile, usual)?)
}

/// The module that reads a file a user from a folder.
pub fn google_authenticator(folder: &Path) -> String {
    format!("pam_google_authenticator.so user=root secret={}/${{USER}}", folder.display())
}

/// The file of the nth user for it.
pub fn google_file(folder: &Path, n: u32) -> Result<()> {
    let secret = BASE32_NOPAD.encode(&people::bytes::<20>("secret", n));
    private(&folder.join(people::name(n)), &format!("{secret}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n"))
}

pub fn private(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}
