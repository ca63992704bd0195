//! How often a bypass code may be used.

use crate::env::Size;
use crate::testing::{CommandResult, World};

fn asked(line: &str, answers: &[&'static str]) -> (World, CommandResult) {
    let mut world = World::new();
    let _ = world.active("alice");
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.answers = Some(answers.to_vec());
    let ran = world.run(line);
    (world, ran)
}

#[test]
fn d10_a_person_is_asked_how_often_a_bypass_code_may_be_used() {
    for (answer, uses) in [("", "1 use"), ("1", "1 use"), (" 3 ", "3 uses"), ("20", "20 uses")] {
        let (_, ran) = asked("bypass alice --for 8h", &[answer, "y"]);
        let ran = ran.ok();
        assert_eq!(ran.prompts[0], "How many times may it be used? [1]");
        let question =
            format!("Make a bypass code for {uses} until 2026-01-01T08:00:00Z (in 8 hours)?");
        assert_eq!(ran.prompts[1], question, "{answer}");
        let said =
            format!("alice: a bypass code for {uses} until 2026-01-01T08:00:00Z (in 8 hours)");
        assert!(ran.out.contains(&said), "{ran:?}");
    }
}

#[test]
fn d10_another_answer_is_asked_again_and_no_makes_nothing() {
    let (world, ran) = asked("bypass alice --for 8h", &["0", "21", "many", "2", "n"]);
    let again = "Please answer 1 to 20 [1]";
    let questions: Vec<_> = ran.prompts.iter().map(String::as_str).collect();
    assert_eq!(questions[..4], ["How many times may it be used? [1]", again, again, again]);
    assert!(questions[4].starts_with("Make a bypass code for 2 uses"), "{questions:?}");
    assert_eq!(world.listed("alice")["bypass"], false);
}

#[test]
fn d10_scripts_options_and_dry_runs_are_not_asked_and_say_one_use() {
    let reveal = "bypass alice --for 8h --reveal-secrets";
    for line in [&format!("{reveal} --yes"), &format!("{reveal} --no-input")] {
        let (_, ran) = asked(line, &["7"]);
        let ran = ran.ok();
        let questions = ran.prompts.iter().filter(|asked| asked.contains("used"));
        assert_eq!(questions.count(), 0, "{ran:?}");
        assert!(ran.out.contains("a bypass code for 1 use"), "{ran:?}");
    }
    let (_, ran) = asked("bypass alice --for 8h --uses 3", &["y"]);
    assert!(ran.ok().prompts[0].starts_with("Make a bypass code for 3 uses"));
    let (_, ran) = asked("bypass alice --for 8h --dry-run", &[]);
    assert!(ran.ok().out.contains("would get a bypass code for 1 use until"));
}
