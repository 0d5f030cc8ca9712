//! A call at the door as it was understood.

use streamgate_values::subject::SubjectKey;

/// An exception that is to be set, once its body is there.
#[derive(Debug)]
pub struct PendingOperation(pub(super) UnderstoodOperation);

/// A call as it was understood.
#[derive(Debug, Clone)]
pub(crate) struct UnderstoodOperation {
    pub(super) subject: SubjectKey,
    /// Which of the keys was given.
    pub(super) key: usize,
    pub(super) logged_path: String,
}
