//! The integration tests, in one binary.

mod platforms;
mod real;
