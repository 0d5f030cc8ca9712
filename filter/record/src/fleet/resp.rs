//! RESP, the language of Valkey and Redis: commands out, replies in.

use redis_protocol::resp2::decode::decode_range;
use redis_protocol::resp2::encode::encode_borrowed;
use redis_protocol::resp2::types::{BorrowedFrame, RangeFrame};

/// Commands to be sent in one piece.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    bytes: Vec<u8>,
}

impl Pipeline {
    /// Adds a command.
    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let parts: Vec<_> = parts
            .iter()
            .copied()
            .map(BorrowedFrame::BulkString)
            .collect();
        let command = BorrowedFrame::Array(&parts);
        let start = self.bytes.len();
        let end = start.saturating_add(command.encode_len(false));
        self.bytes.resize(end, 0);
        if let Some(room) = self.bytes.get_mut(start..) {
            // It fails only where there is too little room.
            let _ = encode_borrowed(room, &command, false);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What a command is answered with. The scripts answer with nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreReply<'a> {
    /// A number.
    Number(i64),
    /// Bytes, or a status line.
    Bytes(&'a [u8]),
    /// A failure: a word in capitals, then text.
    Error(&'a [u8]),
}

/// Why there is no further reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoReply {
    /// The bytes end before it does.
    Cut,
    /// The bytes are no RESP, or none that a script would answer with.
    Garbled,
}

/// Reads one reply after the other.
#[derive(Debug)]
pub(super) struct Replies<'a>(&'a [u8]);

impl<'a> Replies<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn next(&mut self) -> Result<StoreReply<'a>, NoReply> {
        // Arrays nest as deeply as whoever answers likes, and reading them takes as much
        // stack. No command here is answered with one.
        if self.0.first() == Some(&b'*') {
            return Err(NoReply::Garbled);
        }
        let (frame, length) = match decode_range(self.0) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(NoReply::Cut),
            Err(_) => return Err(NoReply::Garbled),
        };
        let bytes = |(from, to): (usize, usize)| self.0.get(from..to).unwrap_or_default();
        let reply = match frame {
            RangeFrame::Integer(number) => StoreReply::Number(number),
            RangeFrame::SimpleString(range) | RangeFrame::BulkString(range) => {
                StoreReply::Bytes(bytes(range))
            }
            RangeFrame::Error(range) => StoreReply::Error(bytes(range)),
            RangeFrame::Null | RangeFrame::Array(_) => return Err(NoReply::Garbled),
        };
        self.0 = self.0.get(length..).unwrap_or_default();
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn commands_are_arrays_of_bytes() {
        let mut pipeline = Pipeline::default();
        pipeline.push(&[b"GET", b"\r\n\0"]);
        pipeline.push(&[b"QUIT"]);
        let expected = b"*2\r\n$3\r\nGET\r\n$3\r\n\r\n\0\r\n*1\r\n$4\r\nQUIT\r\n";
        assert_eq!(pipeline.into_bytes(), expected);
    }

    #[test]
    fn replies_are_read_one_after_the_other() {
        let mut replies = Replies::new(b"+OK\r\n:1\r\n$3\r\n\r\n\0\r\n$0\r\n\r\n-OOM no\r\n:2");
        assert_eq!(replies.next(), Ok(StoreReply::Bytes(b"OK")));
        assert_eq!(replies.next(), Ok(StoreReply::Number(1)));
        assert_eq!(replies.next(), Ok(StoreReply::Bytes(b"\r\n\0")));
        assert_eq!(replies.next(), Ok(StoreReply::Bytes(b"")));
        assert_eq!(replies.next(), Ok(StoreReply::Error(b"OOM no")));
        assert_eq!(replies.next(), Err(NoReply::Cut));
        assert_eq!(replies.next(), Err(NoReply::Cut));
    }

    #[test]
    fn what_is_no_reply_is_garbled_and_never_a_trap() {
        let deep = b"*1\r\n".repeat(100_000);
        for bytes in [
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            b"\xff\xfe",
            b"$-2\r\n",
            b"$-1\r\n",
            b"$x\r\n",
            b":1x\r\n",
            b"$99999999999999999999\r\nx",
            b"*1\r\n:1\r\n",
            &deep,
        ] {
            let shown = String::from_utf8_lossy(bytes.get(..20).unwrap_or(bytes));
            assert_eq!(
                Replies::new(bytes).next(),
                Err(NoReply::Garbled),
                "{shown:?}"
            );
        }
        // The longest that fits into memory where addresses have 32 bits: no sum overflows.
        let longest = format!("${}\r\nx", i32::MAX);
        for bytes in [
            b"".as_slice(),
            b"$",
            b"$5\r\nabc",
            longest.as_bytes(),
            b"+O",
        ] {
            assert_eq!(Replies::new(bytes).next(), Err(NoReply::Cut));
        }
    }

    #[test]
    fn a_pipeline_is_as_long_as_its_commands() {
        let mut pipeline = Pipeline::default();
        assert_eq!(pipeline.len(), 0);
        pipeline.push(&[b"PING"]);
        assert_eq!(pipeline.len(), b"*1\r\n$4\r\nPING\r\n".len());
        pipeline.push(&[b"PING"]);
        assert_eq!(pipeline.len(), pipeline.into_bytes().len());
    }
}
