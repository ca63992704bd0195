//! The Debian package: built, checked by `lintian`, and then installed, upgraded and purged on a copy of
//! this machine that only the test sees.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::support::{MFACTL, has, is_root, leave_out};

/// A copy of the machine in memory, which is discarded after the test.
const MACHINE: &str = r#"
exec 2>&1
work=$1
mount --make-rprivate /
mount -t tmpfs none "$work"
mkdir "$work/upper" "$work/lower" "$work/root"
mount -t overlay none -o "lowerdir=/,upperdir=$work/upper,workdir=$work/lower" "$work/root"
cp "$2" "$work/root/old.deb"
cp "$3" "$work/root/new.deb"
for place in dev proc; do mount --rbind "/$place" "$work/root/$place"; done
mount -t tmpfs none "$work/root/run"
exec chroot "$work/root" bash -euc "$4"
"#;

/// The steps of an administrator, with checks of the result.
const LIFE: &str = r#"
export DEBIAN_FRONTEND=noninteractive
# A machine that never had it.
dpkg --purge mfactl >/dev/null 2>&1 || true
sed -i -E '/^(mfactl|mfaservice|radiusd|stranger):/d' /etc/passwd /etc/shadow /etc/group /etc/gshadow
rm -rf /var/lib/mfactl /etc/mfactl
fail() { echo "$*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "wanted $2, got $1"; }
state() { dpkg-query -W -f '${db:Status-Status} ${Version}' mfactl; }
owners() { stat -c '%n %a %U %G' "$@"; }
as() { runuser -u "$@"; }

dpkg --install /old.deb | tee /output
is "$(state)" 'installed 0.1.0-1'
grep -q 'mfactl init' /output || fail 'nothing says what to do next'
is "$(dpkg --verify mfactl)" ''
is "$(owners /var/lib/mfactl /etc/mfactl)" "/var/lib/mfactl 700 mfactl mfactl
/etc/mfactl 750 mfactl mfactl"
for file in /usr/share/man/man1/mfactl-verify.1.gz /usr/share/man/man1/mfa.1.gz /usr/lib/systemd/system/mfactl-watch.timer \
    /usr/share/bash-completion/completions/mfactl /usr/share/zsh/vendor-completions/_mfactl \
    /usr/share/fish/vendor_completions.d/mfactl.fish /usr/share/fish/vendor_completions.d/mfa.fish \
    /usr/share/bash-completion/completions/mfa /usr/share/zsh/vendor-completions/_mfa \
    /usr/share/doc/mfactl/examples/pam.d/mfactl; do
    [ -s "$file" ] || fail "$file is missing"
done
is "$(grep -ro '/[a-z/]*/bin/mfactl' -h /usr/share/doc/mfactl/examples | sort -u)" /usr/bin/mfactl
bash -nc '. /usr/share/bash-completion/completions/mfactl'

as mfactl -- mfa init >/dev/null
is "$(owners /var/lib/mfactl/mfactl.db /etc/mfactl/mfactl.key)" \
    "/var/lib/mfactl/mfactl.db 600 mfactl mfactl
/etc/mfactl/mfactl.key 600 mfactl mfactl"
secret=$(as mfactl -- mfactl enrol alice --create --no-confirm --json --reveal-secrets |
    sed -n 's/.*"secret":"\([A-Z2-7]*\)".*/\1/p')
step=$(($(date +%s) / 30))
code() { oathtool --totp -b -N "@$(((step + $1) * 30))" "$secret"; }
# A login service asks, as a user of its own.
useradd --system -G mfaservice radiusd
useradd --system stranger
answer() { # user of the system, code
    local got=0
    as "$1" -- env -i USER_NAME='"alice"' "USER_PASSWORD=\"$2\"" \
        /usr/bin/mfactl --config /etc/mfactl/config.toml verify --from radius >/dev/null || got=$?
    echo "$got"
}
# As systemd would, with the first question.
grep -qx 'ListenSequentialPacket=/run/mfactl/verify' /usr/lib/systemd/system/mfactl-verify.socket
serve() {
    install -d -o mfactl /run/mfactl
    runuser -u mfactl -- mfactl serve &
    verifier=$!
    for _ in $(seq 100); do [ -S /run/mfactl/verify ] && break; sleep 0.1; done
}
stop() { pkill -P "$verifier" || true; wait "$verifier" || true; }
is "$(answer radiusd "$(code 0)")" 77
serve
is "$(answer stranger "$(code 0)")" 77
as radiusd -- cat /etc/mfactl/mfactl.key 2>/dev/null && fail 'a service reads the key'
is "$(answer radiusd "$(code 0)")" 0
is "$(answer radiusd "$(code 0)")" 1
stop
# Root and the system user work on what the service has written.
mfactl unlock alice --dry-run >/dev/null
as mfactl -- mfactl verify-log >/dev/null

echo '# ours' >>/etc/mfactl/config.toml
# As services shared the key before there was a verifier.
chgrp mfaservice /etc/mfactl/mfactl.key
chmod 640 /etc/mfactl/mfactl.key
dpkg --install /new.deb >/output
is "$(state)" 'installed 0.1.1-1'
grep -q 'mfactl init' /output && fail 'an upgrade speaks as an installation does'
is "$(tail -n 1 /etc/mfactl/config.toml)" '# ours'
is "$(owners /var/lib/mfactl /etc/mfactl)" "/var/lib/mfactl 700 mfactl mfactl
/etc/mfactl 750 mfactl mfactl"
is "$(owners /etc/mfactl/mfactl.key)" '/etc/mfactl/mfactl.key 600 mfactl mfactl'
serve
is "$(answer radiusd "$(code 1)")" 0
stop

dpkg --remove mfactl >/dev/null
[ ! -e /usr/bin/mfactl ] && [ ! -e /usr/bin/mfa ] || fail 'the program is still there'
[ -s /etc/mfactl/config.toml ] || fail 'the configuration went without a purge'
dpkg --purge mfactl | tee /output
grep -q '/etc/mfactl was kept' /output || fail 'nothing says what was kept'
[ ! -e /etc/mfactl/config.toml ] || fail 'the configuration outlived a purge'
[ -s /var/lib/mfactl/mfactl.db ] && [ -s /etc/mfactl/mfactl.key ] || fail 'a purge took the store'
is "$(find / -xdev -path '/usr/*mfactl*' ! -path '*/share/doc/*' 2>/dev/null)" ''
# It is all there again, and where there is no store nothing stays.
dpkg --install /new.deb >/dev/null
as mfactl -- mfactl show-user alice >/dev/null
rm /var/lib/mfactl/* /etc/mfactl/mfactl.key
dpkg --purge mfactl >/dev/null
[ ! -e /var/lib/mfactl ] && [ ! -e /etc/mfactl ] || fail 'empty folders stay'
echo done
"#;

/// The package, with the program under test in place of a release.
#[track_caller]
fn made(folder: &Path, version: &str) -> PathBuf {
    let package = folder.join(format!("mfactl_{version}.deb"));
    let release = folder.join("release");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::copy(MFACTL, release.join("mfactl")).unwrap();
    let output = Command::new("cargo")
        .args([
            "deb",
            "--locked",
            "--no-build",
            "--fast",
            "--strip",
            "--deb-version",
            version,
            "--output",
        ])
        .arg(&package)
        .env("CARGO_TARGET_DIR", folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output_of(&output));
    package
}

fn output_of(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

#[test]
fn upgrading_and_purging_the_package_keeps_the_store() {
    let what = "the Debian package";
    let programs =
        ["cargo-deb", "dpkg", "lintian", "unshare", "systemd-sysusers", "systemd-tmpfiles"];
    if !is_root(what) || !has("oathtool", what) || !programs.iter().all(|p| has(p, what)) {
        return;
    }
    let folder = tempfile::Builder::new().prefix("mfactl-package").tempdir().unwrap();
    let (old, new) = (made(folder.path(), "0.1.0-1"), made(folder.path(), "0.1.1-1"));

    let looked = Command::new("lintian")
        // There is no request for this package in Debian.
        .args(["--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs"])
        .arg(&old)
        .output()
        .unwrap();
    assert!(looked.status.success(), "{}", output_of(&looked));

    let work = folder.path().join("machine");
    std::fs::create_dir(&work).unwrap();
    let probe = format!(
        "mount -t tmpfs none {0} && mkdir {0}/u {0}/w {0}/r && mount -t overlay none \
         -o lowerdir=/,upperdir={0}/u,workdir={0}/w {0}/r",
        work.display()
    );
    let probed = Command::new("unshare").args(["-m", "sh", "-c", &probe]).output();
    if !probed.is_ok_and(|output| output.status.success()) {
        return leave_out("no overlay of one's own", what);
    }
    let lived = Command::new("unshare")
        .args(["-m", "bash", "-euc", MACHINE, "machine"])
        .arg(&work)
        .args([&old, &new])
        .arg(LIFE)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    let out = output_of(&lived);
    assert!(lived.status.success() && out.ends_with("done\n"), "{out}");
}
