//! Where the layers meet.
