//! Licences, bans and sources of all dependencies, judged by `deny.toml`. It is what `cargo deny check
//! licenses bans sources` does, without building cargo-deny (minutes on a small machine) in every CI run.

use crate::tree::root;
use serde_json::Value;
use std::process::Command;

struct Rules {
    allowed: Vec<String>,
    banned: Vec<String>,
}

fn rules() -> Rules {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let file: toml::Table = text.parse().expect("deny.toml is TOML");
    let texts = |table: &str, key: &str, inner: Option<&str>| -> Vec<String> {
        let list = file.get(table).and_then(|table| table.get(key)).and_then(toml::Value::as_array).expect("a list");
        let text = |value: &toml::Value| match inner {
            Some(inner) => value.get(inner).and_then(toml::Value::as_str).map(str::to_owned),
            None => value.as_str().map(str::to_owned),
        };
        list.iter().filter_map(text).collect()
    };
    Rules { allowed: texts("licenses", "allow", None), banned: texts("bans", "deny", Some("crate")) }
}

/// Every dependency that `deny.toml` does not allow. Only those for Linux are looked at: it is what we build for,
/// and others need not be fetched.
pub fn violations() -> Vec<(String, String)> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    assert!(packages.len() > 50, "the dependencies were found");
    let rules = rules();
    let mut found = Vec::new();
    let mut sources = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none said");
        if !allows(licence, &rules.allowed) {
            found.push((name.to_owned(), format!("licence `{licence}` is not allowed by deny.toml")));
        }
        if rules.banned.iter().any(|banned| banned == name) {
            found.push((name.to_owned(), "is banned by deny.toml".to_owned()));
        }
        if let Some(source) = package["source"].as_str() {
            sources.push(source);
            if !source.starts_with("registry+") {
                found.push((name.to_owned(), format!("comes from {source}, no registry")));
            }
        }
    }
    sources.dedup();
    assert_eq!(sources.len(), 1, "one registry: {sources:?}");
    found
}

/// Whether an SPDX expression can be satisfied with the allowed licences. `/` is the old way to write `OR`.
fn allows(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "+WITH+");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    either(&mut rest, allowed) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut fits = both(rest, allowed);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        fits |= both(rest, allowed);
    }
    fits
}

fn both(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut fits = one(rest, allowed);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        fits &= one(rest, allowed);
    }
    fits
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let fits = either(rest, allowed);
            if let [")", after @ ..] = *rest {
                *rest = after;
            }
            fits
        }
        [licence, after @ ..] => {
            *rest = after;
            allowed.iter().any(|allowed| *allowed == licence.replace("+WITH+", " WITH "))
        }
        [] => false,
    }
}

#[test]
fn expressions_are_judged_as_spdx_says() {
    let allowed = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned);
    for right in
        ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "Apache-2.0 AND ISC", "(MIT OR X) AND ISC", "X OR MIT AND ISC"]
    {
        assert!(allows(right, &allowed), "{right}");
    }
    for wrong in
        ["GPL-3.0", "MIT AND GPL-3.0", "(X OR Y) AND MIT", "Apache-2.0 WITH LLVM-exception", "", "MIT MIT", "none said"]
    {
        assert!(!allows(wrong, &allowed), "{wrong}");
    }
}
