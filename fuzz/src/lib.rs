//! The classifier as the fuzz targets see it: the same source files as in the program, built with
//! coverage counted and overflow checked.
//!
//! The two layers are taken in by path, since they name nothing but each other: so the targets
//! build in a minute, without the server, the database and the typesetter.
//!
//! ```text
//! cargo install cargo-fuzz
//! cargo fuzz run --sanitizer none text fuzz/corpus/text fixtures/fuzz/text
//! ```
//!
//! Targets: `text` (through the whole classifier), `rules` (rule files through parser and
//! compiler), `compiled` (the kept form of a lexicon). There is no `unsafe` in either layer, so no
//! sanitizer is needed. `bash tests/run --long` runs each for an hour, or for as many seconds as
//! `UPPSIKT_FUZZ_SECONDS` says; what it finds lies under `fuzz/artifacts`.

#[path = "../../src/classify/mod.rs"]
pub mod classify;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
