//! A call as it was understood, and its answer.

use std::sync::Arc;

use streamgate_policy::{Application, Verdict};
use streamgate_record::Unavailable;
use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::respond::{Answered, Caller, Wish};
use crate::config::Config;
use crate::exchange::Reply;
use crate::request::viewer::Proof;

/// A call as it was understood.
#[derive(Debug, Clone)]
pub(crate) struct Understood {
    pub(super) wish: Wish,
    pub(super) application: Arc<Application>,
    pub(super) account_path: String,
    pub(super) subject: SubjectKey,
    /// What the application calls the device.
    pub(super) device: Option<String>,
    pub(super) proof: Proof,
    pub(super) logged_path: String,
    pub(super) languages: String,
}

impl Understood {
    /// The reply to a call that was decided, or could not be.
    pub(crate) fn decided(
        &self,
        config: &Config,
        host: &impl Host,
        verdict: Result<Verdict, Unavailable>,
        now: Moment,
    ) -> Reply {
        let caller = self.caller(config, now);
        self.reply(caller.answer(host, self.wish, verdict))
    }

    /// The reply that lists the streams of the subject.
    pub(crate) fn listing(&self, config: &Config, host: &impl Host, now: Moment) -> Reply {
        let answer = self.caller(config, now).running_streams(host);
        self.reply((answer, None))
    }

    pub(super) fn reply(&self, (answer, record): Answered) -> Reply {
        Reply {
            answer,
            logged_path: Some(self.logged_path.clone().into_bytes()),
            record,
        }
    }

    pub(super) fn caller<'a>(&'a self, config: &'a Config, now: Moment) -> Caller<'a> {
        Caller {
            config,
            application: &self.application,
            account_path: &self.account_path,
            languages: &self.languages,
            subject: &self.subject,
            device: self.device.as_deref(),
            proof: &self.proof,
            now,
        }
    }
}
