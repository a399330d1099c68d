//! What the process took from the machine.

/// Largest resident memory so far in bytes.
pub fn peak_memory_bytes() -> u64 {
    status_kib("VmHWM:") * 1024
}

/// Forgets the largest resident memory so far, so that the next answer is about what follows.
pub fn forget_peak_memory() {
    // Where the kernel refuses it, the figure includes the preparation: larger, never smaller.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
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
