//! What monitoring systems are told by check, and by metrics.

use crate::testing::World;

#[test]
fn metrics_have_one_form_and_a_dash_is_standard_output() {
    let world = World::new();
    let page = world.run("metrics").ok().out;
    assert_eq!(world.run("metrics --output -").ok().out, page);
    assert!(!std::path::Path::new("-").exists());
    for form in ["--json", "--format json", "--format csv", "--format table"] {
        let ran = world.run(&format!("metrics {form}"));
        assert!(ran.code == 64 && ran.out.is_empty(), "{form}: {ran:?}");
        assert!(ran.err.contains("one form"), "{form}: {ran:?}");
    }
}
