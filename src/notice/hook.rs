//! Notices by the site's own program: one run for each, with a JSON document on its standard input.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::fs::{MemfdFlags, OFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;
use tokio::time::Instant;
use uzers::os::unix::UserExt as _;

use super::{Delivery, Notice};
use crate::config::Hook;
use crate::domain::causes::with_causes;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::files::file_trust::{FileKind, FilePolicy, display_path, system_uid};
use crate::notice::deadline::Deadline;

/// The hook's PATH; the caller's is not trusted.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The document on standard input.
#[derive(Serialize)]
struct HookInput<'a> {
    schema: &'static str,
    event: &'static str,
    user: &'a str,
    display_name: Option<&'a str>,
    email: Option<&'a str>,
    language: &'static str,
    device: Option<&'a str>,
    at: Timestamp,
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    self_service: bool,
}

impl<'a> HookInput<'a> {
    fn of(notice: &'a Notice) -> Self {
        Self {
            schema: "mfactl.notice/1",
            event: notice.kind.word(),
            user: &notice.user,
            display_name: notice.display_name.as_deref(),
            email: notice.email.as_deref(),
            language: notice.language.code(),
            device: notice.device.as_deref(),
            at: notice.at,
            ticket: notice.ticket.as_deref(),
            self_service: notice.is_self_service,
        }
    }
}

/// Runs the hook once for each notice; after a timeout it is not run again.
pub fn run(
    hook: &Hook,
    file_policy: &FilePolicy,
    notices: &[Notice],
    deadline: Deadline,
) -> Vec<Delivery> {
    let mut gave_up = check_program(hook, file_policy).err().map(|error| error_text(&error));
    let mut one = |notice| {
        if let Some(why) = &gave_up {
            return Delivery::Failed(why.clone());
        }
        let ended = match deadline.remaining() {
            Some(time_left) => run_once(hook, file_policy, notice, time_left),
            None => Ok(None),
        };
        match ended {
            Ok(Some(status)) if status.success() => Delivery::Sent,
            Ok(Some(status)) => Delivery::Failed(format!("it ended with {status}")),
            Ok(None) => Delivery::Failed(gave_up.insert(deadline.timeout_message()).clone()),
            Err(error) => Delivery::Failed(error_text(&error)),
        }
    };
    notices.iter().map(&mut one).collect()
}

fn error_text(error: &anyhow::Error) -> String {
    shown(&with_causes(error.chain())).into_owned()
}

/// Whoever can change the program can run anything with mfactl's rights.
fn check_program(hook: &Hook, file_policy: &FilePolicy) -> Result<()> {
    if file_policy.check(&hook.program, FileKind::Hook)? {
        return Ok(());
    }
    let message = format!("there is no program {}", display_path(&hook.program));
    Err(Refusal::new(ErrorCode::Config, message).into())
}

/// Runs the hook; `None` if it did not end in time.
fn run_once(
    hook: &Hook,
    file_policy: &FilePolicy,
    notice: &Notice,
    time_left: Duration,
) -> Result<Option<ExitStatus>> {
    // A file in memory, because a write to a pipe blocks until it is read and fails if nobody reads.
    let document = memfd_create(c"notice", MemfdFlags::CLOEXEC).context("keeping the notice")?;
    let mut document = File::from(document);
    serde_json::to_writer(&document, &HookInput::of(notice))?;
    document.write_all(b"\n")?;
    document.rewind()?;
    let mut command = Command::new(&hook.program);
    command
        .args(&hook.arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C")
        .current_dir("/")
        .stdin(document)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    // The system user may write the configuration, and must not become root through a hook in it.
    let uid = system_uid().filter(|_| file_policy.euid == 0).unwrap_or(file_policy.euid);
    let user = uzers::get_user_by_uid(uid);
    if let (true, Some(user)) = (uid != file_policy.euid, &user) {
        command.uid(uid).gid(user.primary_group_id());
    }
    let home = user.map_or_else(|| "/".into(), |user| user.home_dir().to_owned());
    command.env("HOME", home);
    close_inherited();
    let child =
        command.spawn().with_context(|| format!("starting {}", display_path(&hook.program)))?;
    wait_for(child, time_left)
}

/// Closes descriptors inherited from the caller, so that the hook does not get them. Our own are
/// close-on-exec, so the others are the caller's; by now we have read those meant for us.
fn close_inherited() {
    let Ok(open) = std::fs::read_dir("/proc/self/fdinfo") else { return };
    let numbers = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.filter(|number| *number > 2).collect();
    for number in numbers {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
        let flags = info.ok().and_then(|info| {
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            u32::from_str_radix(flags.trim(), 8).ok()
        });
        if flags.is_some_and(|flags| flags & OFlags::CLOEXEC.bits() == 0) {
            let _ = nix::unistd::close(number);
        }
    }
}

fn wait_for(mut child: Child, time_left: Duration) -> Result<Option<ExitStatus>> {
    let (until, mut pause) = (Instant::now() + time_left, Duration::from_millis(1));
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    // Kills what the hook has started, too. It is not reaped yet, so its PID can't be reused.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.wait()?;
    Ok(None)
}
