//! The example file is the manual of the settings: complete, true and explained.

use std::collections::BTreeSet;
use std::path::Path;
use symposia::config::{Config, parse};

const EXAMPLE: &str = include_str!("../symposia.example.toml");

#[test]
fn the_example_loads_and_equals_the_defaults() {
    let config = parse(EXAMPLE, Path::new("symposia.example.toml")).expect("the example is right");
    assert_eq!(config, Config::default());
}

/// `table.key` of every setting.
fn keys(table: &toml::Table, prefix: &str) -> BTreeSet<String> {
    let of = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(inner) => keys(inner, &format!("{prefix}{key}.")),
        _ => BTreeSet::from([format!("{prefix}{key}")]),
    };
    table.iter().flat_map(of).collect()
}

#[test]
fn the_example_shows_every_setting_and_no_other() {
    let known = keys(&toml::Table::try_from(Config::default()).expect("settings are a table"), "");
    let shown = keys(&EXAMPLE.parse().expect("the example is TOML"), "");
    assert!(known.len() > 30, "the settings were found");
    assert_eq!(shown, known);
}

#[test]
fn the_example_explains_every_setting() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for pair in lines.windows(2) {
        let [above, line] = pair else { continue };
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(above.starts_with("# "), "no comment above `{line}`");
        }
    }
}

/// The reader of offers takes no more; a larger setting would promise what is not kept.
#[test]
fn settings_do_not_promise_more_than_the_reader_of_offers_takes() {
    use symposia::session::sdp::{MAX_BYTES, MAX_SECTIONS};
    for (key, most) in [("sections", MAX_SECTIONS), ("offer_bytes", MAX_BYTES)] {
        let reads = |value: usize| parse(&format!("[limits]\n{key} = {value}\n"), Path::new("x.toml")).is_ok();
        assert!(reads(most) && !reads(most + 1), "{key}");
    }
}
