//! What the other factors cost: `add-tokens` and `list-tokens` of a large inventory, and a `verify` of each kind.
//!
//! `cargo bench -- tokens [TOKENS]`, 100 000 where nothing is said. Needs the sqlite3 shell and GNU time, and valgrind
//! for instructions.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::Value;

use crate::shared::measure::{Task, Walls, highest};
use crate::shared::people;
use crate::shared::programs::MFACTL;
use crate::verify::counted;

const ROUNDS: u32 = 11;
const PERIOD: u64 = 30;

pub fn run(args: &[String]) -> Result<()> {
    let tokens: u32 = crate::number(args, 0, 100_000)?;
    add(tokens)?;
    list(tokens)?;
    kinds()
}

/// A store of its own, and how it is called.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Result<Self> {
        let world = Self(tempfile::tempdir()?);
        world.task("init --no-input").wall()?;
        Ok(world)
    }

    fn task(&self, line: &str) -> Task {
        let folder = self.0.path();
        let [store, key] = ["store.db", "key"].map(|file| folder.join(file).into_os_string());
        let mut task = Task::new(MFACTL, ["--store".into(), store, "--key-file".into(), key]);
        task.args.extend(line.split(' ').map(Into::into));
        task
    }

    /// What a call writes as JSON.
    fn json(&self, line: &str) -> Result<Value> {
        let task = self.task(line);
        let output = Command::new(&task.program).args(&task.args).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Writes a list of so many tokens in privacyIDEA's layout, half of each kind.
    fn file(&self, tokens: u32) -> Result<String> {
        let mut lines = String::new();
        for n in 0..tokens {
            let secret = HEXLOWER.encode(&people::bytes::<20>("token", n));
            let kind = if n % 2 == 0 { "totp, 6, 30" } else { "hotp, 6" };
            writeln!(lines, "GALT{n:08}, {secret}, {kind}")?;
        }
        let path = self.0.path().join("tokens.csv");
        std::fs::write(&path, lines)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

fn add(tokens: u32) -> Result<()> {
    println!(
        "\n## add-tokens\n\n| tokens | s | tokens a second | peak MiB |\n| --- | --- | --- | --- |"
    );
    for tokens in [tokens / 10, tokens] {
        let (mut walls, mut peaks) = (Walls::default(), Vec::new());
        for _ in 0..3 {
            let world = World::new()?;
            let add = format!("add-tokens {} --yes", world.file(tokens)?);
            walls.push(world.task(&add).wall()?);
            let other = World::new()?;
            let add = format!("add-tokens {} --yes", other.file(tokens)?);
            peaks.push(other.task(&add).peak()?);
        }
        let seconds = walls.median() / 1000.0;
        let rate = f64::from(tokens) / seconds;
        println!("| {tokens} | {seconds:.2} | {rate:.0} | {} |", highest(&peaks));
    }
    Ok(())
}

fn list(tokens: u32) -> Result<()> {
    let world = World::new()?;
    world.task(&format!("add-tokens {} --yes", world.file(tokens)?)).wall()?;
    let store = world.0.path().join("store.db");
    let sql = "SELECT t.serial, t.kind, t.added_at, t.model, u.name, d.state FROM tokens t \
               LEFT JOIN users u ON u.id = t.holder LEFT JOIN devices d ON d.\"user\" = u.n AND d.serial = t.serial \
               ORDER BY t.folded";
    println!(
        "\n## list-tokens of {tokens}\n\n| form | sqlite3, ms | mfactl, ms | x sqlite3, least / median | peak MiB |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for form in ["json", "csv"] {
        let theirs_form = format!("-{form}");
        let query = Task::new("sqlite3", [theirs_form.as_ref(), store.as_os_str(), sql.as_ref()]);
        let list = world.task(&format!("list-tokens --format {form}"));
        let (mut theirs, mut ours) = (Walls::default(), Walls::default());
        for _ in 0..ROUNDS {
            theirs.push(query.wall()?);
            ours.push(list.wall()?);
        }
        let ratios = (ours.least() / theirs.least(), ours.median() / theirs.median());
        print!("| {form} | {:.0} | {:.0} | ", theirs.median(), ours.median());
        println!("{:.2} / {:.2} | {} |", ratios.0, ratios.1, highest(&[list.peak()?]));
    }
    Ok(())
}

/// The samples' YubiKey, with two of its codes.
const YUBIKEY: &str =
    "12345678,ccccccnrhbfu,010203040506,00112233445566778899aabbccddeeff,,2024-01-02T03:04:05,\n";
const TOUCHES: [&str; 2] = [
    "ccccccnrhbfukgehjkbcgkjchnrntruvnrkkfiejnvhv",
    "ccccccnrhbfukhhftknhcteblfngfekrdnvjidcfjflf",
];

/// Thousands of instructions of one accepted code of each kind.
fn kinds() -> Result<()> {
    println!(
        "\n## One verification of each kind\n\n| kind | instructions | x app |\n| --- | --- | --- |"
    );
    let world = World::new()?;
    world.task(&format!("add-tokens {} --yes", world.file(2)?)).wall()?;
    let keys = world.0.path().join("yubikeys.csv");
    std::fs::write(&keys, YUBIKEY)?;
    world.task(&format!("add-tokens {} --yes", keys.display())).wall()?;
    let phone = world.json("enrol phone --create --no-confirm --reveal-secrets --json")?;
    let secret = phone["secret"].as_str().context("no secret")?;
    let phone = BASE32_NOPAD.decode(secret.as_bytes())?;
    let list =
        world.json("enrol paper --create --kind paper --no-confirm --reveal-secrets --json")?;
    let codes: Vec<&str> =
        list["codes"].as_array().context("no codes")?.iter().filter_map(Value::as_str).collect();
    for (user, serial) in
        [("clock", "GALT00000000"), ("counter", "GALT00000001"), ("yubikey", "12345678")]
    {
        world.task(&format!("add-user {user}")).wall()?;
        world.task(&format!("assign {serial} {user} --no-confirm --yes")).wall()?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / PERIOD;
    let token = |n| people::bytes::<20>("token", n);
    let by_time = |key: &[u8], step| code(key, PERIOD, step * PERIOD);
    let by_counter = |counter| code(&token(1), 1, counter);
    let all = [
        ("phone", [by_time(&phone, now), by_time(&phone, now + 1)]),
        ("clock", [by_time(&token(0), now), by_time(&token(0), now + 1)]),
        ("counter", [by_counter(0), by_counter(1)]),
        ("yubikey", TOUCHES.map(str::to_owned)),
        ("paper", [codes[0].to_owned(), codes[1].to_owned()]),
    ];
    let mut first = None;
    for (user, [confirming, accepted]) in all {
        let verify = |input: &str| Task {
            input: format!("{input}\n"),
            ..world.task(&format!("verify {user}"))
        };
        verify(&confirming).wall()?;
        settle(world.0.path())?;
        let count = counted(&verify(&accepted))?;
        let number: Option<f64> = count.split_whitespace().next().and_then(|n| n.parse().ok());
        let base = *first.get_or_insert(number.unwrap_or(f64::NAN));
        println!("| {user} | {count} | {:.3} |", number.unwrap_or(f64::NAN) / base);
    }
    Ok(())
}

/// Empties the write-ahead log, which every start reads.
fn settle(folder: &Path) -> Result<()> {
    let store = rusqlite::Connection::open(folder.join("store.db"))?;
    store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    Ok(())
}

/// The code of a secret at a time.
fn code(secret: &[u8], period: u64, time: u64) -> String {
    let codes =
        totp_rs::Builder::new().with_step_duration(period).with_secret(secret).build_noncompliant();
    codes.generate(time).to_string()
}
