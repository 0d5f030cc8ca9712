//! The session API, as an application uses it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::{Answer, Client, IDP, Request};

/// An application on one connection.
#[derive(Debug, Clone)]
pub struct App {
    client: Client,
    authorization: String,
}

/// A create call about to be made.
#[derive(Debug, Clone)]
#[must_use]
pub struct Creation {
    app: App,
    request: Request,
}

/// A stream created through the API.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Its path.
    pub url: String,
    /// What to put in front of paths to play under it.
    pub playback_prefix: String,
    app: App,
}

impl App {
    pub(crate) fn new(client: Client, application: &str) -> Self {
        let credentials = STANDARD.encode(format!("{application}:"));
        Self {
            client,
            authorization: format!("Basic {credentials}"),
        }
    }

    /// The same application on another connection.
    #[must_use]
    pub fn on(&self, client: &Client) -> Self {
        Self {
            client: client.clone(),
            ..self.clone()
        }
    }

    /// Any call.
    pub fn call(&self, method: &str, path: &str) -> Request {
        let request = self.client.request(method, path);
        request.header("authorization", &self.authorization)
    }

    /// A stream for an account.
    pub fn create(&self, account: &str) -> Creation {
        Creation {
            request: self.call("POST", &format!("/v2/sessions/{IDP}/{account}")),
            app: self.clone(),
        }
    }

    /// A stream for an account that has to be allowed.
    #[must_use]
    #[track_caller]
    pub fn start(&self, account: &str) -> Session {
        self.create(account).start()
    }

    /// The stream that a create call was answered with.
    #[must_use]
    #[track_caller]
    pub fn session(&self, answer: &Answer) -> Session {
        let body = answer.json();
        let text = |name: &str| {
            let text = body["session"][name].as_str();
            text.unwrap_or_else(|| panic!("no {name} in {body}"))
                .to_owned()
        };
        Session {
            id: text("id"),
            url: text("url"),
            playback_prefix: text("playbackPrefix"),
            app: self.clone(),
        }
    }

    /// The call for the running streams of an account.
    #[must_use]
    pub fn list(&self, account: &str) -> Answer {
        self.call("GET", &format!("/v2/runningStreams/{IDP}/{account}"))
            .send()
    }

    /// The running streams of an account.
    #[must_use]
    #[track_caller]
    pub fn running(&self, account: &str) -> Vec<Value> {
        let body = self.list(account).expect(200).json();
        let streams = body["runningStreams"].as_array();
        streams.expect("a list of streams").clone()
    }

    /// How many streams of an account run, those included that an answer has no room for. All
    /// of them are to be this application's to see.
    #[must_use]
    #[track_caller]
    pub fn count_running(&self, account: &str) -> usize {
        let body = self.list(account).expect(200).json();
        let listed = body["runningStreams"]
            .as_array()
            .expect("a list of streams");
        let others = body["otherStreams"].as_u64().expect("a number of streams");
        listed.len() + usize::try_from(others).expect("few streams")
    }

    /// A heartbeat for an id of whatever origin.
    #[must_use]
    pub fn heartbeat(&self, account: &str, id: &str) -> Answer {
        self.call("POST", &format!("/v2/sessions/{IDP}/{account}/{id}"))
            .send()
    }
}

impl Creation {
    /// With attributes in the query.
    pub fn query(mut self, query: &str) -> Self {
        self.request = self.request.query(query);
        self
    }

    /// With attributes in the body.
    pub fn form(mut self, form: &str) -> Self {
        self.request = self.request.form(form);
        self
    }

    /// In the place of other streams, named by their codes. Each call adds a header.
    pub fn terminate(mut self, codes: &str) -> Self {
        self.request = self.request.header("x-terminate", codes);
        self
    }

    /// Makes the call.
    #[must_use]
    pub fn send(self) -> Answer {
        self.request.send()
    }

    /// Makes the call, which has to be allowed.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Session {
        let answer = self.request.send().expect(202);
        self.app.session(&answer)
    }
}

impl Session {
    /// A heartbeat.
    #[must_use]
    pub fn heartbeat(&self) -> Answer {
        self.heartbeat_with("")
    }

    /// A heartbeat that brings attributes.
    #[must_use]
    pub fn heartbeat_with(&self, form: &str) -> Answer {
        self.app.call("POST", &self.url).form(form).send()
    }

    /// The end.
    #[must_use]
    pub fn stop(&self) -> Answer {
        self.app.call("DELETE", &self.url).send()
    }

    /// The same session on another connection.
    #[must_use]
    pub fn on(&self, client: &Client) -> Self {
        Self {
            app: self.app.on(client),
            ..self.clone()
        }
    }

    /// What the list of running streams says about it.
    #[must_use]
    #[track_caller]
    pub fn listed(&self) -> Option<Value> {
        let account = self.url.rsplit('/').nth(1).expect("an account");
        let streams = self.app.running(account);
        streams.into_iter().find(|one| one["sessionId"] == self.id)
    }

    /// The code by which a viewer picks it to be stopped.
    #[must_use]
    #[track_caller]
    pub fn termination_code(&self) -> String {
        let listed = self.listed().expect("a live session");
        listed["terminationCode"]
            .as_str()
            .expect("a code")
            .to_owned()
    }
}
