//! Estimate against link rate, as SVG. Knows nothing of how they came about.

use crate::bottleneck::Shape;
use crate::sender::Sender;
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 30.0;

/// One panel per run, below each other: what the link leaves (grey), what arrived (green), the estimate (blue).
pub fn draw(runs: &[(&str, &Shape, &Sender)]) -> String {
    let (width, height) = (WIDTH + LEFT + 20.0, runs.len() as f64 * (HEIGHT + TOP + 20.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (place, (name, shape, sender)) in runs.iter().enumerate() {
        let top = place as f64 * (HEIGHT + TOP + 20.0) + TOP;
        let seconds = sender.seconds.len().saturating_sub(1);
        let links: Vec<f64> = (0..seconds as u64).map(|second| shape.left(second)).collect();
        let most = links.iter().copied().fold(1.0, f64::max) * 1.15;
        let line = |values: &mut dyn Iterator<Item = f64>| {
            let points = values.enumerate().map(|(second, value)| {
                let x = LEFT + (second as f64 + 0.5) / seconds as f64 * WIDTH;
                format!("{x:.1},{:.1}", top + HEIGHT - (value / most).min(1.0) * HEIGHT)
            });
            points.collect::<Vec<_>>().join(" ")
        };
        // Writing to a text does not fail.
        let _ = writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"{:.0}\">{name}: what the link leaves (grey), estimate (blue), pictures and sound that \
             arrived (green), Mbit/s over {seconds} s</text>",
            top - 8.0
        );
        for mark in 0..=(most / 1e6) as u32 {
            let y = top + HEIGHT - f64::from(mark) * 1e6 / most * HEIGHT;
            let _ = writeln!(
                out,
                "<path d=\"M{LEFT} {y:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{mark}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        for (values, colour, thick) in [
            (line(&mut links.iter().copied()), "#999", 3),
            (line(&mut sender.seconds.iter().take(seconds).map(|second| second.arrived)), "#2a2", 1),
            (line(&mut sender.seconds.iter().take(seconds).map(|second| second.estimate)), "#24c", 2),
        ] {
            let _ = writeln!(
                out,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\" points=\"{values}\"/>"
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
