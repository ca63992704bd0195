//! A real terminal in tmux: type into it, and read its screen.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Pid;

use super::support::{MFACTL, World, children};

/// How often a screen is read before the test fails: ten seconds.
const LOOKS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// A terminal with a shell in it that has run a few commands.
pub struct Screen {
    name: String,
}

impl Screen {
    /// A shell in a terminal of this size, with `mfactl` as the program on this world's store.
    pub fn new(world: &World, columns: u16, rows: u16) -> Self {
        let mut files = format!("--store {} --key-file {}", world.place(), world.key().display());
        if world.configuration().exists() {
            let _ = write!(files, " --config {}", world.configuration().display());
        }
        let shell = format!(
            "env -i TERM=screen-256color PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/nonexistent \
             M='{MFACTL} {files}' PS1='$ ' sh"
        );
        Self::with(&shell, columns, rows)
    }

    /// A terminal in which this command starts a shell whose prompt is `$`.
    pub fn with(shell: &str, columns: u16, rows: u16) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mfactl-test-{}-{count}", std::process::id());
        let screen = Self { name };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        screen.tmux(&["new-session", "-d", "-x", &columns, "-y", &rows, shell]);
        screen.until("$");
        screen
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-L", &self.name, "-f", "/dev/null"])
            .args(args)
            .env_remove("TMUX")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a line and the end of it.
    pub fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.key("Enter");
    }

    /// Types without the end of a line.
    pub fn type_in(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// Presses a key by its name.
    pub fn key(&self, name: &str) {
        self.tmux(&["send-keys", name]);
    }

    /// What the terminal shows, and what has scrolled off it.
    pub fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-200"])
    }

    /// All that the terminal keeps: what is in view, and the whole scrollback.
    pub fn everything(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    /// Waits until the alternate screen is in view, or isn't any more.
    pub fn until_page(&self, is_open: bool) {
        for _ in 0..LOOKS {
            let flag = self.tmux(&["display-message", "-p", "#{alternate_on}"]);
            if (flag.trim() == "1") == is_open {
                return;
            }
            sleep(PAUSE);
        }
        panic!("the page never came or went:\n{}", self.text());
    }

    /// What is in view, with its colours.
    pub fn coloured(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Waits for these words.
    #[track_caller]
    pub fn until(&self, words: &str) -> String {
        for _ in 0..LOOKS {
            let text = self.text();
            if text.contains(words) {
                return text;
            }
            sleep(PAUSE);
        }
        panic!("{words:?} never came:\n{}", self.text());
    }

    /// Waits for a prompt that has no answer yet. What is typed before it is there may be thrown away.
    pub fn until_asked(&self, prompt: &str) {
        for _ in 0..LOOKS {
            let text = self.text();
            let last = text.trim_end().lines().last().unwrap_or_default();
            if last.contains(prompt) && !last.contains("[hidden]") {
                return;
            }
            sleep(PAUSE);
        }
        panic!("{prompt:?} was never asked:\n{}", self.text());
    }

    /// The process that the shell waits for.
    pub fn child(&self) -> Pid {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell: u32 = shell.trim().parse().unwrap();
        *children(shell).first().unwrap()
    }

    /// The terminal's modes, as the shell and its children find them.
    pub fn modes(&self) -> String {
        self.told("$(stty -g)")
    }

    /// Is the cursor in view?
    pub fn has_cursor(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{cursor_flag}"]).trim() == "1"
    }

    pub fn until_prompt(&self) {
        for _ in 0..LOOKS {
            if self.text().trim_end().ends_with('$') {
                return;
            }
            sleep(PAUSE);
        }
        panic!("the prompt never came back:\n{}", self.text());
    }

    /// The exit code of the last command, and whether the terminal echoes again.
    pub fn left(&self) -> (String, bool) {
        let told = self.told("$? $(stty -a | grep -o ' -\\?echo ')");
        let (code, echo) = told.split_once(' ').unwrap();
        (code.to_owned(), echo.trim() == "echo")
    }

    /// What the shell says to these words. Each answer has a number, so that no earlier one is taken for it.
    fn told(&self, words: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let start = format!("told {}: ", COUNT.fetch_add(1, Ordering::Relaxed));
        // What is typed before the prompt is back may be read by the program that ends.
        self.until_prompt();
        self.line(&format!("echo to''{} {words}", &start[2..].trim_end()));
        let text = self.until(&start);
        let line = text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned();
        self.until_prompt();
        line
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let server = ["-L", &self.name, "kill-server"];
        let _ = Command::new("tmux").args(server).output();
    }
}
