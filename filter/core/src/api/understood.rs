//! A call as it was understood.

use std::sync::Arc;

use streamgate_policy::Application;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::respond::{Caller, Wish};
use crate::config::Config;
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
    /// Who calls, to be answered now.
    pub(crate) fn caller<'a>(&'a self, config: &'a Config, now: Moment) -> Caller<'a> {
        Caller {
            config,
            wish: self.wish,
            logged_path: &self.logged_path,
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
