//! Gives the classifier the name of the program that compiled a lexicon, as the main build does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=UPPSIKT_CLASSIFIER=fuzz");
}
