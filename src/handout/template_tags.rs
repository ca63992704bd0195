//! The tags of a template, `{{ … }}` and `{% … %}`, before the engine reads them.
//!
//! The engine calls itself once for each operator of a tag and for each `elif`, and a program whose stack is full is
//! killed. So both are counted first. What counts as the end of a tag is what the engine counts as one.

/// Longest tag, in bytes.
const LONGEST: usize = 4_000;
/// Most `elif` in a file.
const MOST_ALTERNATIVES: usize = 100;

/// A tag that the engine must not read.
#[derive(Debug, PartialEq, Eq)]
pub struct TagFault {
    /// Counted from 1.
    pub line: usize,
    pub problem: &'static str,
    pub hint: &'static str,
}

/// The first tag that the engine must not read.
pub fn first_fault(template: &str) -> Option<TagFault> {
    let mut alternatives = 0;
    let mut at = 0;
    while let Some((kind, start)) = next_tag(template, at) {
        let inside = &template[start + 2..];
        let length = match kind {
            TagKind::Comment => inside.find("#}").map_or(inside.len(), |end| end + 2),
            TagKind::Raw(opening) => {
                let raw = &inside[opening..];
                opening + raw_length(raw).unwrap_or(raw.len())
            }
            TagKind::Print => length(inside, "}}"),
            TagKind::Statement => length(inside, "%}"),
        };
        let is_tag = matches!(kind, TagKind::Print | TagKind::Statement);
        let fault = |problem, hint| {
            let line = 1 + template[..start].matches('\n').count();
            Some(TagFault { line, problem, hint })
        };
        if is_tag && length + 2 > LONGEST {
            let problem = "a tag, {{ … }} or {% … %}, is longer than 4,000 bytes";
            return fault(problem, "make it shorter, with {% set … %} for its parts");
        }
        let words = inside.trim_start_matches(['-', '+']).trim_start();
        alternatives += usize::from(kind == TagKind::Statement && words.starts_with("elif"));
        if alternatives > MOST_ALTERNATIVES {
            return fault("there are more than 100 {% elif … %}", "split it into several files");
        }
        at = start + 2 + length;
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TagKind {
    Print,
    Statement,
    Comment,
    /// Text that is printed as it stands, with the length of the rest of its first tag.
    Raw(usize),
}

/// The next tag and where it begins.
fn next_tag(template: &str, from: usize) -> Option<(TagKind, usize)> {
    let begins = |(at, _): (usize, &str)| {
        let start = from + at;
        let inside = template.get(start + 2..)?;
        let kind = match template.as_bytes().get(start + 1)? {
            b'{' => TagKind::Print,
            b'#' => TagKind::Comment,
            b'%' => {
                let after = inside.strip_prefix(['-', '+']).unwrap_or(inside);
                let sign = inside.len() - after.len();
                named_tag(after, "raw").map_or(TagKind::Statement, |end| TagKind::Raw(sign + end))
            }
            _ => return None,
        };
        Some((kind, start))
    };
    template.get(from..)?.match_indices('{').find_map(begins)
}

/// The length of the rest of a tag that has this name alone.
fn named_tag(inside: &str, name: &str) -> Option<usize> {
    let after = inside.trim_start_matches(|c: char| c.is_ascii_whitespace()).strip_prefix(name)?;
    let after = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let after = after.strip_prefix(['-', '+']).unwrap_or(after).strip_prefix("%}")?;
    Some(inside.len() - after.len())
}

/// The length of a raw text with its closing tag.
fn raw_length(raw: &str) -> Option<usize> {
    raw.match_indices("{%").find_map(|(at, _)| {
        let inside = &raw[at + 2..];
        let after = inside.strip_prefix(['-', '+']).unwrap_or(inside);
        let end = named_tag(after, "endraw")?;
        Some(raw.len() - after.len() + end)
    })
}

/// The length of a tag behind its opening, with its end. An end in a string or in brackets is none.
fn length(inside: &str, end: &str) -> usize {
    let mut open_brackets = 0_isize;
    let mut string = None;
    let mut is_escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        if let Some(quote) = string {
            if is_escaped {
                is_escaped = false;
            } else if byte == b'\\' {
                is_escaped = true;
            } else if byte == quote {
                string = None;
            }
            continue;
        }
        if open_brackets == 0 && inside.as_bytes()[at..].starts_with(end.as_bytes()) {
            return at + end.len();
        }
        match byte {
            b'"' | b'\'' => string = Some(byte),
            b'(' | b'[' | b'{' => open_brackets += 1,
            b')' | b']' | b'}' => open_brackets -= 1,
            _ => (),
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(template: &str) -> Option<usize> {
        first_fault(template).map(|fault| fault.line)
    }

    #[test]
    fn a_tag_ends_where_the_engine_ends_it() {
        let long = "x".repeat(LONGEST);
        for ends in
            ["{{ a }}", "{{ {'a': {'b': 1}} }}", "{{ '}}' }}", "{{ \"\\\"}}\" }}", "{%- if a -%}"]
        {
            assert_eq!(line(&format!("{ends}{long}")), None, "{ends}");
            assert_eq!(line(&format!("{ends}\n{{{{ {long} }}}}")), Some(2), "{ends}");
        }
        for goes_on in ["{{ '}}' ~ ", "{{ {'a': {'b': 1}} ~ ", "{% if '%}' == ", "{{ \"\\\"}}\" ~ "]
        {
            assert_eq!(line(&format!("\n\n{goes_on}{long} }}}} %}}")), Some(3), "{goes_on}");
        }
        assert_eq!(line(&format!("{{{{ {} }}}}", "x".repeat(LONGEST - 6))), None);
        assert_eq!(line(&format!("{{{{ {} }}}}", "x".repeat(LONGEST - 5))), Some(1));
        assert_eq!(line(&format!("{{{{ {long}")), Some(1), "one without an end");
    }

    #[test]
    fn text_comments_and_raw_text_may_be_long() {
        let long = "{{ it's '".repeat(LONGEST);
        for whole in [
            format!("{{# {long} #}}"),
            format!("{{% raw %}}{long}{{% endraw %}}"),
            format!("{{%- raw -%}}{long}{{%- endraw -%}}"),
            "é{ % }".repeat(LONGEST),
        ] {
            assert_eq!(line(&whole), None);
            let after = format!("{whole}\n{{{{ {} }}}}", "x".repeat(LONGEST));
            assert_eq!(line(&after), Some(2), "what follows it is read");
        }
    }

    #[test]
    fn alternatives_are_counted() {
        let template = |count: usize| {
            format!("{{% if a %}}\n{}{{% endif %}}", "{%- elif a %}\n".repeat(count))
        };
        assert_eq!(line(&template(MOST_ALTERNATIVES)), None);
        assert_eq!(line(&template(MOST_ALTERNATIVES + 1)), Some(MOST_ALTERNATIVES + 2));
    }
}
