//! The PAM sample under the real sudo and su.

use super::support::has;
use crate::operators::on_a_machine;

#[test]
fn sudo_asks_again_after_a_wrong_code_and_su_takes_a_right_one() {
    let what = "codes for sudo and su";
    if !has("oathtool", what) || !has("su", what) {
        return;
    }
    on_a_machine(
        what,
        concat!(
            "cat >/etc/pam.d/mfactl <<'END'\n",
            include_str!("../../../contrib/pam.d/mfactl"),
            r#"END
sed -i 's,/usr/bin/mfactl,/usr/local/bin/mfactl,' /etc/pam.d/mfactl
for service in sudo su; do
    printf '@include mfactl\naccount required pam_permit.so\nsession required pam_permit.so\n' \
        >/etc/pam.d/$service
done
printf 'Defaults passprompt="Code of your app: "\nhana ALL=(ALL) ALL\n' >>/etc/sudoers
mfactl init >/dev/null
step=$(($(date +%s) / 30))
code() { # user, steps from now
    local secret
    secret=$(mfactl enrol "$1" --create --no-confirm --json --reveal-secrets |
        sed -n 's/.*"secret":"\([A-Z2-7]*\)".*/\1/p')
    oathtool --totp -b -N "@$(((step + $2) * 30))" "$secret"
}
fail() { echo "$*"; exit 1; }
code=$(code hana 0)
output=$(printf '000000\n%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1)
case $output in
    *'Code of your app: '*'Sorry, try again.'*root) ;;
    *) fail "sudo: $output" ;;
esac
output=$(printf '%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1) && fail "replayed: $output"
code=$(code ivan 0)
output=$(printf '%s\n' "$code" | runuser -u hana -- su ivan -c 'id -un' 2>&1) || fail "su: $output"
case $output in *'authenticator app'*ivan) ;; *) fail "su: $output" ;; esac
output=$(printf '%s\n' "$code" | runuser -u hana -- su ivan -c 'id -un' 2>&1) && fail "su: $output"
rm /usr/local/bin/mfactl
output=$(printf '%s\n' "$code" | runuser -u hana -- sudo -S -k id -un 2>&1) && fail "no mfactl: $output"
true
"#
        ),
    );
}
