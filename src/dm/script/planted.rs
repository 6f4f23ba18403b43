//! The switch of the faults that tests plant: at most one, for the whole process, and only with the feature `planted`.
//!
//! A place that can be faulty asks `planted!(Name)`. Without the feature that is the constant `false`, and nothing of it
//! is left in the program. The faults have their names and meanings one floor up, in `delegation::planted`; a name that
//! is not there is never planted.

/// Whether this fault is planted.
#[cfg(feature = "planted")]
macro_rules! planted {
    ($bug:ident) => {
        $crate::dm::script::planted::is_planted(const { $crate::dm::script::planted::mark(stringify!($bug)) })
    };
}

/// Whether this fault is planted: never.
#[cfg(not(feature = "planted"))]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
}

pub(crate) use planted;

#[cfg(feature = "planted")]
mod switch {
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The mark of the fault that is planted; 0, which no name has, for none.
    static PLANTED: AtomicU64 = AtomicU64::new(0);

    /// Plants the fault of this name in place of the one before, or none.
    pub(crate) fn plant(name: Option<&str>) {
        PLANTED.store(name.map_or(0, mark), Ordering::SeqCst);
    }

    pub(crate) fn is_planted(mark: u64) -> bool {
        PLANTED.load(Ordering::Relaxed) == mark
    }

    /// A number for a name (FNV-1a), so that asking compares two numbers.
    pub(crate) const fn mark(name: &str) -> u64 {
        let (name, mut mark, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while at < name.len() {
            mark = (mark ^ name[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        mark
    }
}

#[cfg(feature = "planted")]
pub(crate) use switch::{is_planted, mark, plant};
