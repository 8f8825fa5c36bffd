//! Tells cargo that a new migration means a new build; the compiler sees only those that it read before.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
