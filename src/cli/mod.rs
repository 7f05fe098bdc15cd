//! The command line: one file per command, data on stdout, progress on stderr.

pub mod bench;
pub mod classify;
pub mod explain;
pub mod input;
pub mod lexicon;
