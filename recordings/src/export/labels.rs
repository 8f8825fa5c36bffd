//! Names on tiles, as subtitles: libass takes a font that has the character for each of them, Chinese beside Latin, where
//! ffmpeg's `drawtext` knows one font only; and where there is no font it draws nothing. Knows no process.

use super::Canvas;
use super::scenes::{Shows, Tile};

/// Colours in hexadecimal RGB: behind all, and of a tile that is empty.
pub(super) const BACKGROUND: &str = "17191c";
pub(super) const EMPTY: &str = "26292e";
/// Of tiles of people without a picture.
const COLOURS: [&str; 8] = ["3b5b7a", "7a4b3b", "4b6b3b", "6b3b7a", "7a6b3b", "3b7a70", "7a3b55", "50507a"];

/// The colour of a person without a picture.
pub(super) fn colour(participant: u32) -> &'static str {
    COLOURS[participant as usize % COLOURS.len()]
}

/// A subtitle file with the labels of tiles, all the time; `None` where there is nothing to say.
pub(super) fn labels(tiles: &[Tile], canvas: &Canvas) -> Option<String> {
    let size = canvas.height / 32;
    let mut text = format!(
        "[Script Info]\nScriptType: v4.00+\nPlayResX: {}\nPlayResY: {}\nWrapStyle: 2\nScaledBorderAndShadow: yes\n\n\
         [V4+ Styles]\n\
         Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, Outline, Shadow, \
         Alignment, MarginL, MarginR, MarginV\n\
         Style: name,sans-serif,{size},&H00FFFFFF,&H60000000,&H60000000,3,{},0,1,0,0,0\n\
         Style: person,sans-serif,{},&H00FFFFFF,&H00000000,&H00000000,1,0,0,5,0,0,0\n\n\
         [Events]\nFormat: Layer, Start, End, Style, Text\n",
        canvas.width,
        canvas.height,
        size / 4,
        size * 3 / 2,
    );
    let before = text.len();
    for tile in tiles {
        let place = &tile.place;
        let (name, style, at) = match tile.shows {
            Shows::Picture { .. } => {
                let at = format!("\\pos({},{})", place.x + size / 2, place.y + place.height - size / 2);
                (fitting(&tile.name, place.width - size, size), "name", at)
            }
            Shows::Person(_) => (fitting(&tile.name, place.width - size, size * 3 / 2), "person", centre(tile)),
            Shows::Rest(rest) => (format!("+{rest}"), "person", centre(tile)),
        };
        if !name.is_empty() {
            let (right, bottom) = (place.x + place.width, place.y + place.height);
            let clip = format!("\\clip({},{},{right},{bottom})", place.x, place.y);
            text.push_str(&format!("Dialogue: 0,0:00:00.00,9:59:59.00,{style},{{{at}{clip}}}{name}\n"));
        }
    }
    (text.len() > before).then_some(text)
}

fn centre(tile: &Tile) -> String {
    let place = &tile.place;
    format!("\\pos({},{})", place.x + place.width / 2, place.y + place.height / 2)
}

/// A name without what subtitles would take for a command, as much of it as fits about.
fn fitting(name: &str, width: u32, size: u32) -> String {
    let clean = name.chars().filter(|c| !c.is_control()).map(|c| match c {
        '{' => '(',
        '}' => ')',
        '\\' => '/',
        c => c,
    });
    // Latin is half as wide as it is high, Chinese as wide.
    let mut room = f64::from(width) / f64::from(size.max(1));
    let mut text = String::new();
    let mut letters = clean.peekable();
    while let Some(letter) = letters.next() {
        let takes = if letter.is_ascii() { 0.55 } else { 1.0 };
        if room < takes + if letters.peek().is_some() { 0.6 } else { 0.0 } {
            text.push('…');
            break;
        }
        room -= takes;
        text.push(letter);
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Rect;

    #[test]
    fn a_name_is_text_and_fits() {
        assert_eq!(fitting("{\\pos(0,0)\\p1}m 0 0 \n\u{0}\r", 1000, 10), "(/pos(0,0)/p1)m 0 0");
        assert_eq!(fitting("王小明", 300, 20), "王小明");
        assert_eq!(fitting("一二三四五六七八九十", 100, 20), "一二三四…");
        assert_eq!(fitting("x", 2, 20), "…");
    }

    #[test]
    fn only_those_with_a_name_get_a_label() {
        let place = Rect { x: 0, y: 0, width: 320, height: 180 };
        let tile = |name: &str, shows| Tile { place, name: name.to_owned(), shows };
        assert_eq!(labels(&[tile("", Shows::Person(1))], &Canvas::default()), None);
        let text = labels(&[tile("Ana", Shows::Person(1)), tile("", Shows::Rest(7))], &Canvas::default());
        let lines: Vec<String> = text.unwrap_or_default().lines().rev().take(2).map(str::to_owned).collect();
        assert!(lines[0].ends_with("}+7") && lines[1].ends_with("}Ana"), "{lines:?}");
    }
}
