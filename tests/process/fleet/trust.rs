//! How a server and the program authenticate to each other.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::*;

fn openssl(folder: &Path, args: &str) {
    let ran = Command::new("openssl").args(args.split(' ')).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{args}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// A server certificate for `localhost` only, and its authority.
pub fn certify(folder: &Path) {
    let names = "subjectAltName=DNS:localhost\nkeyUsage=digitalSignature\n\
                 extendedKeyUsage=serverAuth\n";
    std::fs::write(folder.join("names"), names).unwrap();
    for name in ["ca", "stranger"] {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key \
                 -out {name}.pem -addext basicConstraints=critical,CA:TRUE"
            ),
        );
    }
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout s.key -out s.csr");
    openssl(
        folder,
        "x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out s.pem",
    );
}

#[test]
fn a_server_proves_its_name_and_the_program_its_password() {
    if !has("openssl", "TLS to PostgreSQL") {
        return;
    }
    let Some((cluster, world)) = fleet("TLS to PostgreSQL") else { return };
    let mut seed = world.active("alice");
    certify(&world.path("."));
    let certificate = cluster.put("s.pem", &std::fs::read(world.path("s.pem")).unwrap());
    let key = cluster.put("s.key", &std::fs::read(world.path("s.key")).unwrap());
    let rules = b"local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    let rules = cluster.put("hba", rules);
    cluster.sql("postgres", "CREATE ROLE svc LOGIN SUPERUSER PASSWORD 'hunter2'");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    cluster.off();
    cluster.on_with(&format!(
        "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file={} \
         -c ssl_key_file={} -c hba_file={}",
        certificate.display(),
        key.display(),
        rules.display()
    ));
    let file = |name: &str, content: String| {
        let path = world.path(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let passwords = file("pgpass", format!("*:{port}:mfactl:svc:hunter2\n"));
    let wrong = file("wrong", format!("*:{port}:mfactl:svc:hunter3\n"));
    let (ca, stranger) = (world.path("ca.pem"), world.path("stranger.pem"));
    let at = |host: &str, roots: &Path, rest: &str| {
        let mut there = world.copy();
        there.address = Some(format!(
            "postgres://svc@{host}:{port}/mfactl?sslmode=verify-full&sslrootcert={}{rest}",
            roots.display()
        ));
        there
    };
    let with = format!("&passfile={passwords}");
    let code = world.next(&mut seed);
    for (host, roots, rest, words) in [
        ("127.0.0.1", &ca, &with, "certificate is not valid"),
        ("localhost", &stranger, &with, "certificate is not valid"),
        ("localhost", &ca, &format!("&passfile={wrong}"), "does not let this user in"),
        ("localhost", &ca, &String::new(), "does not let this user in"),
    ] {
        let ran = at(host, roots, rest).verify("alice", &code).expect(NOT_PERMITTED);
        assert!(ran.err.contains(words) && !ran.err.contains("hunter"), "{host}: {ran:?}");
        assert_soon(&ran);
    }
    let ran = at("localhost", &ca, &with).verify("alice", &code).expect(0);
    assert_eq!(ran.outcome(), "accepted");

    // The same with the password file of the configuration.
    let no_file = at("localhost", &ca, "");
    let address = no_file.address.clone().unwrap();
    let configured = file(
        "config.toml",
        format!("[store]\nlocation = \"{address}\"\npassword_file = \"{passwords}\"\n"),
    );
    let bare = |args: &[&str]| world.bare(args.iter().copied()).run();
    let key = world.key();
    let key = key.to_str().unwrap();
    let ran = bare(&["--config", &configured, "--key-file", key, "list-status", "--format", "csv"]);
    assert_eq!(ran.expect(0).out.lines().count(), 2);
}
