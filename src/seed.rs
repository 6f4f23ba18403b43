//! Where every dice throw comes from: one seed, split into named streams, so that no thread can change another's draws.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The seed of a run. Everything random in the run is a pure function of it and of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed nobody has chosen, for runs whose scenario names none. It is printed, so that the run can be repeated.
    pub fn fresh() -> Seed {
        Seed(rand::random::<u64>() >> 12)
    }

    /// A generator of its own for a named purpose, e.g. `stream("arrivals", 0)`. Portable between releases.
    pub fn stream(self, name: &str, index: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.draw(name, index))
    }

    /// One well-mixed number for a named purpose; cheaper than a stream where one draw is enough.
    pub fn draw(self, name: &str, index: u64) -> u64 {
        self.keyed(name, &[index])
    }

    /// One well-mixed number for a named purpose and a key of several parts, whose order counts.
    pub fn keyed(self, name: &str, key: &[u64]) -> u64 {
        let named = name.bytes().fold(mix(self.0), |state, byte| mix(state ^ u64::from(byte)));
        key.iter().fold(named, |state, part| mix(state ^ mix(*part)))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014) with its increment: a bijection that mixes all bits.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn same_seed_and_name_draw_the_same() {
        let draws = |seed: u64, name: &str| Seed(seed).stream(name, 3).random::<u64>();
        assert_eq!(draws(7, "arrivals"), draws(7, "arrivals"));
        assert_ne!(draws(7, "arrivals"), draws(7, "faults"));
        assert_ne!(draws(7, "arrivals"), draws(8, "arrivals"));
    }

    #[test]
    fn every_part_of_a_key_counts_and_so_does_their_order() {
        let keys: [&[u64]; 6] = [&[1, 2], &[2, 1], &[1], &[1, 2, 0], &[1, 3], &[]];
        let draws = keys.map(|key| Seed(7).keyed("faults", key));
        for (at, draw) in draws.iter().enumerate() {
            assert!(!draws[..at].contains(draw), "{:?}", keys[at]);
        }
        assert_eq!(Seed(7).keyed("faults", &[3]), Seed(7).draw("faults", 3));
    }
}
