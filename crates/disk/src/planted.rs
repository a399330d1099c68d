//! One-line faults that are there on purpose, so that a test can show that it catches them.
//!
//! Where a rule is kept, [`is_planted`] asks whether the fault of that name is to break it. With the feature
//! `planted-faults` a test chooses one for its own thread ([`assert_caught`]), so one build serves all of them, and a
//! test that chooses none tests what is sound. Without the feature the answer is a constant: nothing of a fault is in
//! the program.

/// Whether this fault is planted; never, in this build.
#[cfg(not(feature = "planted-faults"))]
#[inline(always)]
pub const fn is_planted(_fault: &str) -> bool {
    false
}

#[cfg(feature = "planted-faults")]
pub use planting::{assert_caught, is_planted};

#[cfg(feature = "planted-faults")]
mod planting {
    use std::cell::Cell;
    use std::fmt::Debug;
    use std::panic::{UnwindSafe, catch_unwind};

    #[cfg(not(debug_assertions))]
    compile_error!("planted faults must never be in a build without debug assertions");

    thread_local! {
        static PLANTED: Cell<&'static str> = const { Cell::new("") };
    }

    /// Whether this fault is planted in the current thread.
    pub fn is_planted(fault: &str) -> bool {
        PLANTED.get() == fault
    }

    /// Plants a fault in this thread while something runs, which must say that a promise was broken. A panic is an
    /// assertion of what runs, and a catch as well.
    ///
    /// # Panics
    /// Nothing was noticed.
    pub fn assert_caught<T: Debug>(
        fault: &'static str,
        run: impl FnOnce() -> Result<T, String> + UnwindSafe,
    ) {
        PLANTED.set(fault);
        let ran = catch_unwind(run);
        PLANTED.set("");
        match ran {
            Ok(Ok(done)) => panic!("{fault} was not noticed: {done:?}"),
            Ok(Err(broken)) => println!("{fault} is caught: {broken}"),
            Err(_) => println!("{fault} is caught by an assertion of the run"),
        }
    }
}
