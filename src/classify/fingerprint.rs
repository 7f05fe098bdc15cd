//! The build script: gives the program a hash over all that decides what a lexicon becomes when it is compiled: the
//! code of the classifier and of the domain, and the versions of all dependencies. A compiled
//! lexicon that was kept by a program with another hash is not used.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher as _;
use std::path::Path;

fn main() {
    // Always the same keys, so that the same code has the same hash.
    let mut hasher = DefaultHasher::new();
    for path in ["Cargo.lock", "src/classify", "src/domain"] {
        println!("cargo::rerun-if-changed={path}");
        add(Path::new(path), &mut hasher);
    }
    println!("cargo::rustc-env=UPPSIKT_CLASSIFIER={:016x}", hasher.finish());
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder of the source tree");
        let mut paths: Vec<_> =
            entries.map(|entry| entry.expect("an entry of the source tree").path()).collect();
        paths.sort();
        paths.iter().for_each(|path| add(path, hasher));
    } else {
        hasher.write(path.to_string_lossy().as_bytes());
        hasher.write(&fs::read(path).expect("a file of the source tree"));
    }
}
