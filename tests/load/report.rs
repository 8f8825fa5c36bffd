//! How results are written: Markdown tables, as they go to `docs/benchmarks.md`.

/// Prints a table.
pub fn table(headers: &[&str], rows: &[Vec<String>]) {
    println!("\n| {} |", headers.join(" | "));
    println!("|{}", "---|".repeat(headers.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Prints a heading.
pub fn heading(text: &str) {
    println!("\n### {text}");
}
