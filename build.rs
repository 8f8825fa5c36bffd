//! Tells cargo what the compiler cannot see: new migrations, and a web app that was built anew.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    // A debug build reads the web app from its folder when it runs, so it need not be built again for it.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=web/dist");
    }
}
