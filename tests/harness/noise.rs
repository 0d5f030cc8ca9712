//! Numbers and bytes by chance, from a seed.

use std::time::SystemTime;

/// Numbers by chance: the same ones from the same seed.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// From the seed in `STREAMGATE_SEED`, or from the time; either is printed.
    ///
    /// # Panics
    ///
    /// If the variable holds no number.
    #[must_use]
    pub fn seeded() -> Self {
        let seed = match std::env::var("STREAMGATE_SEED") {
            Ok(seed) => seed.parse().expect("a number in STREAMGATE_SEED"),
            Err(_) => {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                now.map_or(1, |now| now.as_nanos() as u64)
            }
        };
        println!("STREAMGATE_SEED={seed}");
        Self(seed | 1)
    }

    /// Another source of numbers, for another thread.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.number() | 1)
    }

    /// A number.
    pub fn number(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// One of these.
    pub fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// Up to so many bytes.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.number() as u8).collect()
    }

    /// The same bytes with something wrong: cut, longer, turned round, with bytes changed,
    /// taken out, put in, or said twice. Sometimes with nothing wrong.
    pub fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(damaged.len() + 1);
            match self.below(8) {
                0 => damaged.truncate(at),
                1 => damaged.extend(self.bytes(40)),
                2 => damaged.reverse(),
                3 => drop(damaged.drain(..at)),
                4 => damaged.insert(at, self.number() as u8),
                5 if at < damaged.len() => drop(damaged.remove(at)),
                6 if at < damaged.len() => damaged[at] ^= self.number() as u8,
                _ => damaged.extend_from_within(at..),
            }
        }
        damaged
    }
}
