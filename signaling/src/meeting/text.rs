//! What people type, made fit to be shown to others. Knows characters only.

/// The longest name, in characters.
pub const NAME_MAX: usize = 64;
/// The longest name of a mark, in characters.
pub const MARK_MAX: usize = 80;
/// The longest chat message, in characters, where the settings say nothing else.
pub const CHAT_MAX: usize = 4_000;

/// A name as it may be shown: trimmed, white space runs become one space, no control characters and
/// none that turn the writing direction. `None` where nothing visible is left or it is too long.
pub(super) fn clean_name(given: &str) -> Option<String> {
    clean_line(given, NAME_MAX)
}

/// The same for other texts of one line, of at most so many characters.
#[must_use]
pub fn clean_line(given: &str, max: usize) -> Option<String> {
    let mut name = String::new();
    let mut count = 0;
    let mut gap = false;
    for character in given.chars() {
        if character.is_whitespace() {
            gap = count > 0;
        } else if !hidden(character) {
            if gap {
                name.push(' ');
                count += 1;
                gap = false;
            }
            name.push(character);
            count += 1;
            if count > max {
                return None;
            }
        }
    }
    name.chars().any(visible).then_some(name)
}

/// A chat message as it may be shown: no control characters but the newline. `None` where nothing
/// visible is left or it is too long.
pub(super) fn clean_chat(given: &str, max: usize) -> Option<String> {
    let mut text = String::new();
    for (count, character) in
        given.chars().filter(|character| *character == '\n' || !character.is_control()).enumerate()
    {
        if count == max {
            return None;
        }
        text.push(character);
    }
    text.chars().any(visible).then_some(text)
}

/// Characters that have no place in a name: controls, those that turn or hide text.
fn hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' // soft hyphen
            | '\u{061C}' | '\u{200E}' | '\u{200F}' // direction marks
            | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' // of no width
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' // direction embeddings, overrides, isolates
            | '\u{FFF9}'..='\u{FFFB}' // annotations
            | '\u{E0000}'..='\u{E001F}')
}

/// Whether one sees anything. Joiners are legitimate in names (emoji, Persian), but not alone.
fn visible(character: char) -> bool {
    !character.is_whitespace()
        && !hidden(character)
        && !matches!(character,
            '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0020}'..='\u{E01EF}'
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}' // fillers and blanks
            | '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded_in_characters() {
        assert_eq!(clean_name("  Ana \t  María\n").as_deref(), Some("Ana María"));
        assert_eq!(clean_name("李雷").as_deref(), Some("李雷"));
        assert_eq!(clean_name(&"雷".repeat(NAME_MAX)).map(|name| name.chars().count()), Some(NAME_MAX));
        assert_eq!(clean_name(&"雷".repeat(NAME_MAX + 1)), None);
    }

    #[test]
    fn names_that_show_nothing_or_turn_the_text_are_not_taken() {
        for nothing in ["", "   ", "\u{200B}\u{200D}", "\u{3164}", "\u{2800} \u{FE0F}", "\u{202E}", "\0\u{7}"] {
            assert_eq!(clean_name(nothing), None, "{nothing:?}");
        }
        assert_eq!(clean_name("\u{202E}tsoH\u{202C}\u{0}").as_deref(), Some("tsoH"));
        assert_eq!(clean_name("👩‍💻 Zoë").as_deref(), Some("👩‍💻 Zoë"));
    }

    #[test]
    fn chat_keeps_newlines_and_loses_other_controls() {
        assert_eq!(clean_chat("one\r\ntwo\u{1b}[31m\u{0}", CHAT_MAX).as_deref(), Some("one\ntwo[31m"));
        assert_eq!(clean_chat("<script>alert(1)</script>", CHAT_MAX).as_deref(), Some("<script>alert(1)</script>"));
        assert_eq!(clean_chat(" \n\u{200B}", CHAT_MAX), None);
        assert!(clean_chat(&"é".repeat(CHAT_MAX), CHAT_MAX).is_some());
        assert_eq!(clean_chat(&"é".repeat(CHAT_MAX + 1), CHAT_MAX), None);
    }
}
