//! An allocator that ends the process where a few bytes of input ask for many of memory: a length prefix that is
//! believed, say. libFuzzer's own `-malloc_limit_mb` needs a sanitizer, and what is never touched is in no RSS.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::Write,
    process::abort,
    sync::atomic::{AtomicUsize, Ordering},
};

/// In one piece. No input is a thousandth of that.
const ONE: usize = 16 << 20;
/// At a time.
const ALL: usize = 256 << 20;

struct Bounded {
    live: AtomicUsize,
}

#[global_allocator]
static BOUNDED: Bounded = Bounded { live: AtomicUsize::new(0) };

impl Bounded {
    fn more(&self, size: usize) {
        if size > ONE || self.live.fetch_add(size, Ordering::Relaxed).saturating_add(size) > ALL {
            let _ = std::io::stderr().write_all(b"more memory than any input is worth\n");
            abort();
        }
    }
}

// SAFETY: all of it is the system's allocator; beside it there is a number.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.live.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}
