//! Auditors, cron jobs and monitoring: other programs that read the log, metrics and reports.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{MFACTL, USAGE, World, has};

const CONTRIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib");

fn tools() -> bool {
    has("oathtool", "everything that needs a code") && has("sqlite3", "looking into the store")
}

/// A child that does not outlive the test.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prometheus_parses_the_metrics_and_node_exporter_reads_them() {
    let what = "metrics, checked by promtool and read by node_exporter";
    if !tools() || !has("promtool", what) || !has("prometheus-node-exporter", what) {
        return;
    }
    let world = World::new();
    world.active("alice");
    let page = world.run("metrics").expect(0).out;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}");

    let folder = world.path("textfile");
    fs::create_dir(&folder).unwrap();
    world.run(&format!("metrics --output {}", folder.join("mfactl.prom").display())).expect(0);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let exporter = Command::new("prometheus-node-exporter")
        .arg("--collector.disable-defaults")
        .arg("--collector.textfile")
        .arg(format!("--collector.textfile.directory={}", folder.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _exporter = Background(exporter);
    let scraped = scrape(port);
    for line in [
        "mfactl_users{state=\"enabled\"} 1",
        "mfactl_audit_chain_ok 1",
        "mfactl_coverage_ratio 1",
        "node_textfile_scrape_error 0",
    ] {
        assert!(scraped.lines().any(|l| l.trim_end() == line), "{line} is not in {scraped}");
    }
}

fn scrape(port: u16) -> String {
    const TRIES: u32 = 400;
    for tried in 0.. {
        let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
            let mut page = String::new();
            stream.read_to_string(&mut page)?;
            Ok(page)
        });
        match asked {
            Ok(page) => return page,
            Err(e) => assert!(tried < TRIES, "node_exporter: {e}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    unreachable!("it is tried until it answers or the test fails")
}

#[test]
fn systemd_accepts_the_units() {
    if !has("systemd-analyze", "the units for systemd") {
        return;
    }
    let folder = World::empty();
    let mut units = Vec::new();
    for entry in fs::read_dir(format!("{CONTRIB}/systemd")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().replace("/usr/bin/mfactl", MFACTL);
        let unit = folder.path(path.file_name().unwrap().to_str().unwrap());
        fs::write(&unit, text).unwrap();
        units.push(unit);
    }
    assert!(units.len() >= 4);
    let checked =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    // The machine's own units, which it also checks, may have faults of their own.
    let ours: Vec<_> = said.lines().filter(|line| line.contains("mfactl")).collect();
    assert!(checked.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn a_cron_job_needs_no_path_no_locale_and_no_home() {
    if !tools() {
        return;
    }
    let world = World::new();
    world.active("alice");
    let crontab = fs::read_to_string(format!("{CONTRIB}/cron/mfactl")).unwrap();
    let lines = crontab.lines().filter(|l| l.contains("/usr/bin/mfactl"));
    let mut jobs = 0;
    for line in lines.filter(|l| !l.contains("logger")) {
        assert!(!line.contains('%'), "cron takes it for a line end: {line}");
        let (_, job) = line.split_once("/usr/bin/mfactl ").unwrap();
        let job = job.replace("/var/lib/mfactl", &world.path(".").display().to_string());
        for _ in 0..2 {
            let ran = Command::new("env")
                .arg("-i")
                .arg(MFACTL)
                .args(["--store", world.store().to_str().unwrap()])
                .args(["--key-file", world.key().to_str().unwrap()])
                .args(job.split_whitespace())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(ran.status.success(), "{job}: {ran:?}");
            assert!(ran.stdout.is_empty() && ran.stderr.is_empty(), "{job}: {ran:?}");
        }
        jobs += 1;
    }
    assert!(jobs >= 4);
}

#[test]
fn simultaneous_jobs_do_not_disturb_each_other() {
    if !tools() {
        return;
    }
    let world = World::new();
    world.active("alice");
    let state = world.path("state");
    let lines = [
        format!("changes --state {}", state.display()),
        format!("metrics --output {}", world.path("m.prom").display()),
        format!("report --output {}", world.path("r.html").display()),
        format!("verify-log --quiet --save-anchor {}", world.path("anchors").display()),
    ];
    world.run(&lines[0]).expect(0);
    world.run("disable alice --yes").expect(0);
    let started: Vec<_> =
        (0..6).flat_map(|_| lines.iter()).map(|line| world.call(line).start()).collect();
    for job in started {
        let ran = job.finish().expect(0);
        assert_eq!(ran.err, "");
    }
    assert_eq!(world.run(&lines[0]).expect(0).out, "", "the change was reported before");
    let anchors = fs::read_to_string(world.path("anchors")).unwrap();
    assert_eq!(anchors.lines().count(), 6);
    world.run(&format!("verify-log --anchor {}", world.path("anchors").display())).expect(0);
    let page = fs::read_to_string(world.path("r.html")).unwrap();
    assert!(page.ends_with("</html>\n"));
    let drafts = fs::read_dir(world.path(".")).unwrap().flatten();
    let drafts = drafts.filter(|e| e.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(drafts, 0, "no temporary file is left");
}

#[test]
fn the_log_is_followed_as_it_grows() {
    if !tools() {
        return;
    }
    let world = World::new();
    world.active("alice");
    let mut follower = world.call("log --follow").command();
    let follower = follower.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut follower = Background(follower);
    let mut lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    let mut until = |word: &str| {
        lines.by_ref().map(Result::unwrap).find(|line| line.contains(word)).expect("a line")
    };
    assert!(until("confirmed").contains("alice: "));
    world.run("disable alice --yes --ticket T-5").expect(0);
    assert!(until("disable").contains(", T-5, consequences: can sign in"));
    world.run("enable alice").expect(0);
    until("enable");
}

#[test]
fn check_called_by_a_login_service_is_misuse() {
    let world = World::new();
    for service in ["PAM_TYPE", "PAM_USER", "script_type", "USER_NAME"] {
        let ran = world.call("check locked").with(service, "auth").run().expect(USAGE);
        assert!(ran.err.contains("verify --from"), "{ran:?}");
    }
    world.run("check locked").expect(0);
}

#[test]
fn a_browser_shows_the_report() {
    let what = "the report, drawn by a browser";
    if !tools() || !has("chromium", what) {
        return;
    }
    let world = World::new();
    world.active("alice");
    world.run("add-user bob --display-name <script>alert(1)</script>").expect(0);
    let page = world.path("r.html");
    world.run(&format!("report --output {}", page.display())).expect(0);
    let drawn = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", world.path("chromium").display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", world.path("."))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&drawn.stdout).into_owned();
    assert!(drawn.status.success(), "{drawn:?}");
    for there in ["<h1>MFA report</h1>", "coverage</span>", "<circle", "&lt;script&gt;alert"] {
        assert!(dom.contains(there), "{there} is not in {dom}");
    }
    assert!(!dom.contains("<script"), "{dom}");
}
