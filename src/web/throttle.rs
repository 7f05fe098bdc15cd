//! Limits on login tries (to come).
