//! The PAM sample under the real sudo and su, and in a program without rights, as a screen locker is.

use super::support::has;
use crate::operators::on_a_machine;

/// Puts the sample into the files of services, and makes codes.
const SERVICES: &str = concat!(
    "cat >/etc/pam.d/mfactl <<'END'\n",
    include_str!("../../../contrib/pam.d/mfactl"),
    r#"END
sed -i 's,/usr/bin/mfactl,/usr/local/bin/mfactl,' /etc/pam.d/mfactl
for service in sudo su locker; do
    printf '@include mfactl\naccount required pam_permit.so\nsession required pam_permit.so\n' \
        >/etc/pam.d/$service
done
printf 'Defaults passprompt="Code of your app: "\nhana ALL=(ALL) ALL\n' >>/etc/sudoers
step=$(($(date +%s) / 30))
enrol() { # user; prints the secret
    mfactl enrol "$1" --create --no-confirm --json --reveal-secrets |
        sed -n 's/.*"secret":"\([A-Z2-7]*\)".*/\1/p'
}
code_of() { oathtool --totp -b -N "@$(((step + $2) * 30))" "$1"; } # secret, steps from now
fail() { echo "$*"; exit 1; }
"#
);

fn with_services(what: &str, commands: &str) {
    if has("oathtool", what) && has("su", what) {
        on_a_machine(what, &format!("{SERVICES}{commands}"));
    }
}

#[test]
fn sudo_asks_again_after_a_wrong_code_and_su_takes_a_right_one() {
    with_services(
        "codes for sudo and su",
        r#"
mfactl init >/dev/null
code=$(code_of "$(enrol hana)" 0)
output=$(printf '000000\n%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1)
case $output in
    *'Code of your app: '*'Sorry, try again.'*root) ;;
    *) fail "sudo: $output" ;;
esac
output=$(printf '%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1) && fail "replayed: $output"
code=$(code_of "$(enrol ivan)" 0)
output=$(printf '%s\n' "$code" | runuser -u hana -- su ivan -c 'id -un' 2>&1) || fail "su: $output"
case $output in *'authenticator app'*ivan) ;; *) fail "su: $output" ;; esac
output=$(printf '%s\n' "$code" | runuser -u hana -- su ivan -c 'id -un' 2>&1) && fail "su: $output"
rm /usr/local/bin/mfactl
output=$(printf '%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1) && fail "no mfactl: $output"
true
"#,
    );
}

/// The key is moved away once the verifier has it, so that nobody else can decide.
#[test]
fn sudo_su_and_a_locker_ask_the_verifier_and_need_no_key() {
    let what = "sudo, su and a locker through the verifier";
    if !has("pamtester", what) {
        return;
    }
    with_services(
        what,
        r#"
mount -t tmpfs none /run
install -d -o mfactl -g mfactl -m 0755 /run/mfactl
$admin init >/dev/null
hana=$(enrol hana) ivan=$(enrol ivan)
setpriv --reuid mfactl --regid mfactl --clear-groups mfactl serve &
verifier=$!
trap 'kill -KILL $verifier' EXIT
for _ in $(seq 100); do [ -S /run/mfactl/verify ] && break; sleep 0.1; done
locker() { # who runs it, user, code
    printf '%s\n' "$3" | runuser -u "$1" -- pamtester locker "$2" authenticate acct_mgmt 2>&1
}
output=$(locker hana hana 000000) && fail "locker: $output"
# Its answer shows that it has read the key.
mv /etc/mfactl/mfactl.key /etc/mfactl/away
output=$(locker hana hana "$(code_of "$hana" -1)") || fail "locker: $output"
output=$(locker hana hana "$(code_of "$hana" -1)") && fail "locker, replayed: $output"
for name in ivan IVAN root; do
    output=$(locker hana "$name" "$(code_of "$ivan" -1)") && fail "locker of another: $output"
done
output=$(printf '%s\n' "$(code_of "$hana" 0)" | runuser -u hana -- sudo -S -k id -un 2>&1)
case $output in *root) ;; *) fail "sudo: $output" ;; esac
output=$(printf '%s\n' "$(code_of "$ivan" -1)" | runuser -u hana -- su ivan -c 'id -un' 2>&1) || fail "su: $output"
kill -STOP $verifier
output=$(printf '%s\n' "$(code_of "$ivan" 0)" | runuser -u hana -- su ivan -c 'id -un' 2>&1) && fail "no key: $output"
# Root opens the store where the verifier hangs.
mv /etc/mfactl/away /etc/mfactl/mfactl.key
output=$(printf '%s\n' "$(code_of "$ivan" 0)" | runuser -u hana -- su ivan -c 'id -un' 2>&1) || fail "hangs: $output"
output=$(locker ivan ivan "$(code_of "$ivan" 1)") && fail "without rights and verifier: $output"
kill -CONT $verifier
output=$(locker ivan ivan "$(code_of "$ivan" 1)") || fail "goes on: $output"
for service in locker:hana sudo:hana su:ivan; do
    $admin log --service "${service%:*}" | grep -q "${service#*:}" || fail "no event of $service"
done
"#,
    );
}
