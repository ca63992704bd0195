//! Transcripts of whole runs: arguments, both streams and the exit code, one file a story.
//!
//! `TRYCMD=overwrite cargo test --test transcripts` renews them; read the difference before you
//! commit it.

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .env("HOME", "/nonexistent")
        .env("LANG", "C")
        .env("COLUMNS", "100")
        .env("RUST_BACKTRACE", "0")
        .case("tests/cmd/help/*.trycmd")
        .case("tests/cmd/runs/*.trycmd");
}
