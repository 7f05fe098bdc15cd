//! The allocator, time, addresses, networks and names, stopping, supervision of loops, and secrets in memory.

pub mod address;
pub mod allocator;
pub mod chance;
pub mod clock;
pub mod disk;
pub mod names;
pub mod network;
pub mod private;
pub mod secret;
pub mod shutdown;
pub mod supervise;
pub mod vault;
