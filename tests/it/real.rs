//! Against servers that other people wrote, started by `bash tests/run`. Without them these tests
//! fail and say so: a test that skips itself shows nothing.

mod mastodon;
mod oidc;
mod wordpress;
