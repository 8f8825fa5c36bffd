//! Tells cargo that a new migration means a new build; the compiler sees only those that it read before.
#![expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
