//! One node of the store, and what it is told.

use super::figures::Figures;
use super::ms_at;
use super::post::{Letter, Post};
use crate::store::{Asked, Node};

/// What a node held at some moment, and what it was told and answered after that.
#[derive(Debug, Default)]
pub struct Recording {
    /// Keys with their values and how much longer they are kept, in milliseconds.
    pub held: Vec<(Vec<u8>, Vec<u8>, u64)>,
    /// Calls and answers in their order.
    pub calls: Vec<(Vec<u8>, Vec<u8>)>,
    /// Records written or compared in these calls.
    pub swaps: u64,
}

/// One node.
#[derive(Debug)]
pub(super) struct StoreNode {
    number: u32,
    node: Node,
    before: Asked,
    recording: Option<Recording>,
}

impl StoreNode {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            node: Node::new(),
            before: Asked::default(),
            recording: None,
        }
    }

    pub(super) const fn begin_counting(&mut self) {
        self.before = self.node.asked();
    }

    /// The first node is recorded from now on.
    pub(super) fn begin_recording(&mut self, slice: u64) {
        if self.number == 0 {
            let held = self.node.held(ms_at(slice));
            self.recording = Some(Recording {
                held: held
                    .map(|kept| (kept.key, kept.value.to_vec(), kept.for_ms))
                    .collect(),
                ..Recording::default()
            });
        }
    }

    pub(super) fn step(&mut self, slice: u64, post: &Post) {
        for letter in post.for_node(self.number) {
            let before = self.node.asked().swaps;
            let said = self.node.answer(&letter.bytes, ms_at(slice));
            if let Some(recording) = &mut self.recording {
                recording.swaps += self.node.asked().swaps - before;
                recording.calls.push((letter.bytes, said.clone()));
            }
            post.reply(Letter {
                bytes: said,
                edge: letter.edge,
                worker: letter.worker,
                call: letter.call,
            });
        }
    }

    pub(super) fn report(&self, ends_at: u64, figures: &mut Figures) {
        let (now, before) = (self.node.asked(), self.before);
        figures.asked.calls += now.calls - before.calls;
        figures.asked.swaps += now.swaps - before.swaps;
        figures.asked.overtaken += now.overtaken - before.overtaken;
        figures.asked.bytes_in += now.bytes_in - before.bytes_in;
        figures.asked.bytes_out += now.bytes_out - before.bytes_out;
        for kept in self.node.held(ms_at(ends_at)) {
            figures.records += 1;
            figures.record_bytes += kept.value.len() as u64;
        }
    }

    pub(super) fn recorded(self) -> Option<Recording> {
        self.recording
    }
}
