//! A disk that can be filled and made read-only.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::{World, has, is_root, leave_out};

/// A world with a small disk of its own in one of its folders.
pub struct Disk {
    world: World,
    pub at: PathBuf,
}

impl Deref for Disk {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Disk {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Unmount before the folder is removed.
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

impl Disk {
    /// A disk of this size in this folder; `None` where mounting is not permitted.
    pub fn new(world: World, folder: &str, mebibytes: u32, what: &str) -> Option<Self> {
        if !(is_root(what) && has("mount", what) && has("umount", what)) {
            return None;
        }
        let at = world.path(folder);
        fs::create_dir(&at).unwrap();
        let options = format!("size={mebibytes}m,mode=700");
        let words = ["-t", "tmpfs", "-o", &options, "mfactl-test"];
        let output = Command::new("mount").args(words).arg(&at).output().unwrap();
        if !output.status.success() {
            leave_out(String::from_utf8_lossy(&output.stderr).trim(), what);
            return None;
        }
        fs::set_permissions(&at, Permissions::from_mode(0o700)).unwrap();
        Some(Self { world, at })
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }

    /// Writes until nothing more fits.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).unwrap();
        while file.write_all(&[0x55; 4096]).is_ok() {}
    }

    pub fn empty(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    /// Remounts it with this option, `ro` or `rw`.
    pub fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        let done = Command::new("mount").args(["-o", &how]).arg(&self.at).status().unwrap();
        assert!(done.success(), "{how}");
    }
}
