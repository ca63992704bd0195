//! The files of the machine, below a folder that a test may hand in.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes; no file of a login service is as long.
const LONGEST: u64 = 1 << 20;

/// A machine: its files, and who may own its programs.
pub struct Machine {
    pub root: PathBuf,
    /// Whom a program has to belong to. Root; in tests, whoever runs them.
    pub owner: u32,
    /// Whether a verifier greets at a path.
    pub greets: fn(&Path) -> bool,
}

impl Machine {
    /// The machine that this program runs on.
    pub fn this(greets: fn(&Path) -> bool) -> Self {
        Self { root: PathBuf::from("/"), owner: 0, greets }
    }

    /// Where a path of the machine really is.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub fn metadata(&self, path: &Path) -> Option<Metadata> {
        self.place(path).metadata().ok()
    }

    pub fn is_there(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path.as_ref()).is_some()
    }

    /// The text of a regular file; `None` if it can't be read.
    pub fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        let place = self.place(path.as_ref());
        // A fifo would block.
        place.metadata().ok().filter(Metadata::is_file)?;
        let mut bytes = Vec::new();
        File::open(place).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The paths in a folder that end like this, by name; leaves out hidden files.
    pub fn list(&self, folder: impl AsRef<Path>, end: &str) -> Vec<PathBuf> {
        let folder = folder.as_ref();
        let entries = self.place(folder).read_dir().into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> =
            names.filter(|name| !name.starts_with('.') && name.ends_with(end)).collect();
        names.sort();
        names.into_iter().map(|name| folder.join(name)).collect()
    }

    /// Where the samples are that come with the program.
    pub fn sample(&self, name: &str) -> String {
        let installed = format!("/usr/share/doc/mfactl/examples/{name}");
        if self.is_there(&installed) { installed } else { format!("contrib/{name}") }
    }
}
