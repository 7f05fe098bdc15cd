//! A setting of the system's allocator.

/// Blocks from this size on are given back to the system as soon as they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVEN_BACK: libc::c_int = 1 << 20;

/// So many arenas at the most. glibc makes up to eight a core, one for each thread that meets another one asking, and what
/// is freed stays with the arena that it came from.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 2;

/// Has large blocks given back when they are freed, and small ones shared between threads. glibc raises that bound by itself whenever such a block is freed
/// (mallopt(3), `M_MMAP_THRESHOLD`), and after the lexicon was read some 20 MB stayed with the process for good; with arenas of their own for all threads 20 editors at
/// work left 420 MB behind, with two 260 (1,000,000 cases, `tests/e2e/load.py`). To be
/// called first of all, before there is another thread; elsewhere than on glibc it does nothing.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two numbers and returns one; it reads and writes nothing but the allocator's own parameters,
    // under the allocator's lock, and the values are within their documented ranges (0 to half of HEAP_MAX, 32 MB; 1 and up). What it
    // refuses it leaves as it was, so its answer is of no matter.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, GIVEN_BACK);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}
