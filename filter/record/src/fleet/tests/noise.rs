//! Replies by chance, a great many of them: none is a trap, whatever it is, and none is kept.

use super::*;
use crate::testing::test;

const REPLIES: usize = 10_000;

/// How many accounts one worker asks about before another takes its place.
const ROUNDS: usize = 50;

/// Numbers by chance, from a seed.
struct Noise(u64);

impl Noise {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end as u64).unwrap()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length)
            .map(|_| self.number().to_le_bytes()[0])
            .collect()
    }

    /// A reply that the store might have given, with something wrong.
    fn reply(&mut self, call: &StoreCall) -> Vec<u8> {
        let record = another(&Activity::default());
        let one: Vec<Vec<u8>> = swaps(call)
            .iter()
            .map(|_| match self.below(6) {
                0 => done(),
                1 => record.clone(),
                2 => bulk(&self.bytes(200)),
                3 => format!(":{}\r\n", self.number().cast_signed()).into_bytes(),
                4 => b"-ERR by chance\r\n".to_vec(),
                _ => self.bytes(40),
            })
            .collect();
        let mut said = match self.below(4) {
            0 => self.bytes(300),
            1 => {
                let told = subject(u8::try_from(self.below(8)).unwrap(), 1);
                answer_with_feed(call, &[told; 3], &one)
            }
            _ => answer(call, &one),
        };
        for _ in 0..self.below(4) {
            let at = self.below(said.len() + 1);
            match self.below(5) {
                0 => said.truncate(at),
                1 => said.extend(self.bytes(30)),
                2 if at < said.len() => said[at] ^= self.number().to_le_bytes()[0],
                3 => said.insert(at, self.number().to_le_bytes()[0]),
                _ => said.extend_from_within(at..),
            }
        }
        said
    }
}

#[test]
fn no_reply_by_chance_is_a_trap_and_who_asked_is_answered() {
    let seed = 0x5eed_0013;
    let mut noise = Noise(seed);
    let mut heard = 0;
    while heard < REPLIES {
        let mut worker = Worker::acquainted();
        for round in 0..ROUNDS {
            let shard = u8::try_from(round % 8).unwrap();
            worker.asks(subject(shard, u8::try_from(round).unwrap()), 7);
            let mut calls = worker.calls();
            calls.extend(worker.tick());
            for call in calls {
                let said = noise.reply(&call);
                worker.hears(&call, Ok(&said));
                heard += 1;
            }
            let _ = worker.fleet.settled();
        }
        // Nobody waits for longer than a start may, whatever came back.
        for _ in 0..6 {
            for call in worker.tick() {
                worker.hears(&call, Err(CallFailure));
            }
        }
        let _ = worker.fleet.settled();
        let _ = worker.tick();
        assert!(worker.fleet.settled().is_empty(), "seed {seed:#x}");
    }
}
