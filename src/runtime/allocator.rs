//! A setting of the system's allocator.

/// Blocks from this size on are given back to the system as soon as they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVEN_BACK: libc::c_int = 1 << 20;

/// Has large blocks given back when they are freed. glibc raises that bound by itself whenever such a block is freed
/// (mallopt(3), `M_MMAP_THRESHOLD`), and after the lexicon was read some 20 MB stayed with the process for good. To be
/// called first of all, before there is another thread; elsewhere than on glibc it does nothing.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two numbers and returns one; it reads and writes nothing but the allocator's own parameters,
    // under the allocator's lock, and the value is within its documented range (0 to half of HEAP_MAX, 32 MB). What it
    // refuses it leaves as it was, so its answer is of no matter.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK);
    }
}
