//! A value that is not made for threads, which several may use one after the other.

// One value is called fit for threads; see there.
#![allow(unsafe_code)]

use core::fmt;
use std::sync::{Mutex, MutexGuard};

/// A value behind a lock that nothing of it leaves: an edge counts references to what it holds
/// without regard to threads (`Rc`), and a worker and the ticker both use it.
pub(crate) struct Confined<T>(Mutex<Unshared<T>>);

struct Unshared<T>(T);

// SAFETY: the value is made in the lock (`Confined::of`) and used in the lock (`Confined::with`), by
// functions that can take along only what may go to another thread (`Send`), and whose result may, too.
// So all there is of it, each `Rc` with all its clones, is in there, and one thread at a time has it.
// It leaves with the lock itself, as a whole.
unsafe impl<T> Send for Unshared<T> {}

impl<T> fmt::Debug for Confined<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Confined").finish_non_exhaustive()
    }
}

impl<T> Confined<T> {
    /// Locks up what `make` makes; `None` if it makes nothing.
    pub(crate) fn of(make: impl FnOnce() -> Option<T> + Send) -> Option<Self> {
        make().map(|value| Self(Mutex::new(Unshared(value))))
    }

    /// Does something with the value. Where a thread panicked while it had it, it is mended
    /// first.
    pub(crate) fn with<R: Send>(
        &self,
        mend: impl FnOnce(&mut T) + Send,
        act: impl FnOnce(&mut T) -> R + Send,
    ) -> R {
        let mut value = self.0.lock().unwrap_or_else(|poisoned| {
            let mut value: MutexGuard<'_, Unshared<T>> = poisoned.into_inner();
            // Should this panic, too, the lock stays as it is.
            mend(&mut value.0);
            self.0.clear_poison();
            value
        });
        act(&mut value.0)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use super::*;

    #[test]
    fn threads_use_it_one_after_the_other() {
        let counts = Confined::of(|| Some(Rc::new(Cell::new(0_u32)))).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        counts.with(
                            |_| panic!("nobody panicked"),
                            |count| {
                                let another = Rc::clone(count);
                                another.set(another.get() + 1);
                            },
                        );
                    }
                });
            }
        });
        let (count, references) =
            counts.with(|_| {}, |count| (count.get(), Rc::strong_count(count)));
        assert_eq!((count, references), (4_000, 1));
    }

    #[test]
    fn what_a_panic_left_behind_is_mended_once() {
        let confined = Confined::of(|| Some(1)).unwrap();
        let panicking = || confined.with(|_| {}, |_| panic!("as it should"));
        let _ = catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
        assert_eq!(confined.with(|value| *value = 5, |value| *value), 5);
        assert_eq!(confined.with(|value| *value = 7, |value| *value), 5);
    }
}
