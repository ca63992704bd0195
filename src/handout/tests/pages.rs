//! look
use super::*;
#[test]
fn look() {
    let dir = std::path::Path::new("/tmp/page-look");
    std::fs::create_dir_all(dir).unwrap();
    let put = |name: &str, s: &Sample| {
        std::fs::write(dir.join(format!("{name}.html")), s.html()).unwrap();
        std::fs::write(dir.join(format!("{name}.txt")), s.text()).unwrap();
    };
    let mut en = Sample::new(ENGLISH);
    put("en", &en);
    en.recovery_codes = 10;
    put("en-rec", &en);
    let mut fr = Sample::new(FRENCH);
    fr.recovery_codes = 10;
    fr.app = HandoutApp::Duo;
    put("fr-rec", &fr);
    let mut both = Sample::new(BOTH);
    both.recovery_codes = 10;
    both.app = HandoutApp::Yubico;
    put("both-rec", &both);
    let mut list = Sample::new(FRENCH);
    list.has_key = false;
    list.device.factor = crate::domain::factor::Factor::Paper(crate::domain::factor::paper::List::UNKNOWN);
    list.paper_codes = 100;
    put("fr-list", &list);
    list.languages = BOTH;
    put("both-list", &list);
    let mut off = Sample::new(ENGLISH);
    off.device.state = fixture::active_state();
    off.device = off.device.disabled();
    put("off", &off);
}
