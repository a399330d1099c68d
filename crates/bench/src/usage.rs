//! What the process took from the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks at the memory: often enough to see a flush, and too seldom to cost anything.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks at the process's own memory now and then. Pages of mapped files are not counted: they are the operating system's cache,
/// which it takes back when it needs the memory.
pub struct MemoryWatch {
    is_over: Arc<AtomicBool>,
    watcher: JoinHandle<u64>,
}

impl MemoryWatch {
    /// Begins to look.
    pub fn begin() -> MemoryWatch {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = is_over.clone();
        let watcher = std::thread::spawn(move || {
            let mut most_bytes = 0;
            while !until.load(Ordering::Relaxed) {
                most_bytes = most_bytes.max(status_kib("RssAnon:") * 1024);
                std::thread::sleep(LOOK_EVERY);
            }
            most_bytes
        });
        MemoryWatch { is_over, watcher }
    }

    /// The most that was seen, in bytes.
    pub fn most_bytes(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.watcher.join().unwrap_or(0)
    }
}

/// Bytes this process made the kernel send to the disk.
pub fn written_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// Processor time of all threads so far in seconds.
pub fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn status_kib(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
