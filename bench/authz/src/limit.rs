//! The limit, kept in Redis.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::Script;
use redis::aio::MultiplexedConnection;

/// How many streams an account plays at once.
const STREAMS_MAX: u32 = 3;

/// How long a stream lives without a request, in seconds: longer than any measurement,
/// as in the filter's configuration beside it.
const TIMEOUT_S: u32 = 3_600;

/// Where stream and account stand in a path token, in bytes.
const STREAM: std::ops::Range<usize> = 9..25;
const ACCOUNT: std::ops::Range<usize> = 25..41;

/// Redis, and what it is asked.
#[derive(Clone)]
pub(crate) struct Limit {
    redis: MultiplexedConnection,
    script: Arc<Script>,
}

/// Whose request it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    account: Vec<u8>,
    stream: Vec<u8>,
}

impl Limit {
    /// Connects to the Redis at a port of this machine, once for all requests.
    pub(crate) async fn connect(port: u16) -> redis::RedisResult<Self> {
        let client = redis::Client::open(("127.0.0.1", port))?;
        Ok(Self {
            redis: client.get_multiplexed_async_connection().await?,
            script: Arc::new(Script::new(include_str!("admit.lua"))),
        })
    }

    /// Whether the request for a path may pass. Who cannot be made out may not, and where
    /// Redis fails nobody may: a measurement is to notice.
    pub(crate) async fn admits(&self, path: &str) -> bool {
        let Some(viewer) = Viewer::of(path) else {
            return false;
        };
        let admitted = self
            .script
            .key(viewer.account)
            .arg(viewer.stream)
            .arg(STREAMS_MAX)
            .arg(TIMEOUT_S)
            .invoke_async::<u32>(&mut self.redis.clone())
            .await;
        admitted == Ok(1)
    }
}

impl Viewer {
    /// Reads the token in front of a path. Its signature is let be: that makes this
    /// service cheaper than one that anybody could run.
    fn of(path: &str) -> Option<Self> {
        let (token, _) = path.strip_prefix("/~")?.split_once('/')?;
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        Some(Self {
            stream: bytes.get(STREAM)?.to_vec(),
            account: bytes.get(ACCOUNT)?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_stream_are_read_from_a_token() {
        let bytes: Vec<u8> = (0..60).collect();
        let path = format!("/~{}/vod/1.m4s", URL_SAFE_NO_PAD.encode(&bytes));
        let viewer = Viewer::of(&path).expect("a viewer");
        assert_eq!(viewer.stream, bytes[9..25]);
        assert_eq!(viewer.account, bytes[25..41]);
        assert_eq!(Viewer::of("/vod/1.m4s"), None);
        assert_eq!(Viewer::of("/~AAAA/vod/1.m4s"), None);
    }
}
