//! An account, as an application that uses the session API sees it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use streamgate_tests::{Answer, Client};

use crate::stage::{Unexpected, answered, waiting};

pub(crate) struct Account<'a> {
    client: &'a Client,
    subject: &'a str,
    authorization: String,
}

impl<'a> Account<'a> {
    pub(crate) fn new(client: &'a Client, application: &str, subject: &'a str) -> Self {
        Self {
            client,
            subject,
            authorization: format!("Basic {}", STANDARD.encode(format!("{application}:"))),
        }
    }

    /// Create, perhaps stopping another stream for it.
    pub(crate) fn create(
        &self,
        attributes: &str,
        terminate: Option<&str>,
    ) -> Result<Answer, Unexpected> {
        let path = format!("/v2/sessions/demo/{}", self.subject);
        let mut request = self.client.request("POST", &path).form(attributes);
        if let Some(code) = terminate {
            request = request.header("x-terminate", code);
        }
        answered(
            request
                .header("authorization", &self.authorization)
                .try_send(),
        )
    }

    /// Heartbeat.
    pub(crate) fn heartbeat(&self, url: &str) -> Result<Answer, Unexpected> {
        let request = self.client.request("POST", url);
        answered(
            request
                .header("authorization", &self.authorization)
                .try_send(),
        )
    }

    /// Stops a session; the answer's status.
    pub(crate) fn stop(&self, session: &str) -> Result<u16, Unexpected> {
        let path = format!("/v2/sessions/demo/{}/{session}", self.subject);
        let request = self.client.request("DELETE", &path);
        let answer = answered(
            request
                .header("authorization", &self.authorization)
                .try_send(),
        )?;
        Ok(answer.status)
    }

    /// How many live streams the account has.
    pub(crate) fn streams(&self) -> Result<usize, Unexpected> {
        Ok(self.running()?.len())
    }

    /// Waits until the account has `n` live streams, which is how it shows that `what`.
    pub(crate) fn wait_for_streams(&self, what: &str, n: usize) -> Result<(), Unexpected> {
        let text = format!("{what}; streams on record: {n}");
        waiting(&text, Duration::from_secs(15), || Ok(self.streams()? == n))
    }

    /// The session id of the stream that has played longest.
    pub(crate) fn oldest_session(&self) -> Result<String, Unexpected> {
        let running = self.running()?;
        let id = running
            .first()
            .and_then(|stream| stream["sessionId"].as_str());
        id.map(str::to_owned)
            .ok_or_else(|| Unexpected("no stream is running".to_owned()))
    }

    fn running(&self) -> Result<Vec<Value>, Unexpected> {
        let path = format!("/v2/runningStreams/demo/{}", self.subject);
        let request = self.client.get(&path);
        let answer = answered(
            request
                .header("authorization", &self.authorization)
                .try_send(),
        )?;
        let streams = answer.json()["runningStreams"].as_array().cloned();
        streams.ok_or_else(|| Unexpected(format!("no running streams in {}", answer.text())))
    }
}
