//! A request's place on an instance.

use std::sync::Arc;

use http::Uri;

use super::instance::Instance;
use super::instances::Instances;

/// A request's place on an instance, held until its answer has ended.
#[derive(Debug)]
pub(crate) struct Place {
    instances: Arc<Instances>,
    instance: Arc<Instance>,
    is_held: bool,
}

impl Place {
    pub(super) fn new(instances: Arc<Instances>, instance: Arc<Instance>) -> Self {
        Self { instances, instance, is_held: true }
    }

    /// Where the instance listens.
    pub(crate) fn origin(&self) -> &Uri {
        &self.instance.origin
    }

    /// To be called when the head of an answer has come.
    pub(crate) fn note_answer(&self) {
        if self.instance.note_answer() {
            self.instances.note_success();
        }
    }

    /// To be called when the instance closed the connection though it owed an answer.
    pub(crate) fn doubt(&self) {
        self.instances.doubt(&self.instance);
    }

    /// The instance, whose place somebody else gives back.
    pub(super) fn abandon(mut self) -> Arc<Instance> {
        self.is_held = false;
        Arc::clone(&self.instance)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_held {
            self.instances.release(&self.instance);
        }
    }
}
