//! The integration tests: one binary, so that the library is linked once.

mod dictionary;
mod duties;
mod fixtures;
mod layers;
mod platforms;
mod real;
mod suites;
mod transitions;
mod web;
