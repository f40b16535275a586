//! Functions that are processes of this machine: started by the first request, more of them when one has
//! no room, stopped when nobody needs them.
//!
//! Every worker thread asks [`Instances`] for a [`Place`] on an instance; processes are started, watched and
//! ended on one thread of their own ([`Supervisor`]), so that starting one or reading its output holds up
//! no request of another.

mod back_off;
mod child;
mod environment;
mod folders;
mod instance;
mod instances;
mod machine;
mod metrics;
mod output;
mod output_limit;
mod place;
mod ports;
mod privileges;
mod recent;
mod state;
mod supervisor;
mod user;

use std::collections::HashMap;
use std::sync::Arc;

use claimgate_config::snapshot::{Function, FunctionTarget, ProcessSettings};
use http::{HeaderName, HeaderValue};

use crate::fields::Fields;

pub use instances::NoInstance;
pub use machine::{warnings, warnings_as_root};
pub use metrics::ProcessMetrics;
pub(crate) use place::Place;
pub use recent::{InstanceEnd, OutputLine};
pub use state::{InstanceState, ProcessState};
pub use user::{UserError, can_run};

use instances::Instances;
use supervisor::Supervisor;
use user::User;

static FUNCTION_NAME: HeaderName = HeaderName::from_static("x-fc-function-name");
static CONTROL_PATH: HeaderName = HeaderName::from_static("x-fc-control-path");
static QUALIFIER: HeaderName = HeaderName::from_static("x-fc-qualifier");

/// The process functions of a configuration.
///
/// No process is started before a request needs one. When the last copy of a function's entry is gone, its
/// instances end, each after the requests that it is working on.
#[derive(Debug)]
pub struct ProcessFunctions {
    by_name: HashMap<String, Entry>,
    supervisor: Supervisor,
}

/// No functions, and none to come.
impl Default for ProcessFunctions {
    fn default() -> Self {
        Self::new(&ProcessMetrics::default())
    }
}

/// Why a configuration's processes cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The user of a function's processes.
    #[error("the function {function}: process.user: {error}")]
    User {
        /// The function's name.
        function: String,
        /// What is wrong with it.
        error: UserError,
    },
    /// The system gives no thread.
    #[error("cannot start the thread that watches the processes of functions: {0}")]
    Thread(std::io::Error),
}

impl ProcessFunctions {
    /// No functions yet.
    pub fn new(metrics: &ProcessMetrics) -> Self {
        Self { by_name: HashMap::new(), supervisor: Supervisor::new(metrics.clone()) }
    }

    /// Those of the next configuration: functions whose definition stays the same keep their instances,
    /// others start anew.
    ///
    /// # Errors
    /// [`ProcessError`], when a function could not be run at all.
    pub fn next(&self, functions: &HashMap<String, Arc<Function>>) -> Result<Self, ProcessError> {
        // At once, though nobody may need it: a thread that a reload starts would inherit its low priority.
        let runtime = self.supervisor.runtime().map_err(ProcessError::Thread)?;
        let mut by_name = HashMap::new();
        for (name, settings) in processes(functions) {
            let entry = match self.by_name.get(name) {
                Some(entry) if entry.0.settings() == settings => entry.clone(),
                _ => {
                    let user = settings.user.as_deref().map(User::may_run_as).transpose();
                    let user =
                        user.map_err(|error| ProcessError::User { function: name.to_owned(), error })?;
                    let instances = Instances::new(
                        name,
                        Arc::clone(settings),
                        user,
                        self.supervisor.clone(),
                        runtime.clone(),
                    );
                    Entry(Arc::new(Closing(Arc::new(instances))))
                }
            };
            by_name.insert(name.to_owned(), entry);
        }
        Ok(Self { by_name, supervisor: self.supervisor.clone() })
    }

    /// Ends every instance, those of earlier configurations included, and starts none any more.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// A place on an instance of a function, which is started when there is none.
    pub(crate) async fn place(&self, function: &str) -> Result<Place, NoInstance> {
        match self.by_name.get(function) {
            Some(entry) => entry.0.0.place().await,
            None => Err(NoInstance::Stopping),
        }
    }
}

/// A function's instances, as long as a configuration needs them.
#[derive(Debug, Clone)]
struct Entry(Arc<Closing>);

#[derive(Debug)]
struct Closing(Arc<Instances>);

impl Closing {
    fn settings(&self) -> &Arc<ProcessSettings> {
        &self.0.settings
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The headers that Function Compute gives to each request beside the request's id.
pub(crate) fn set_fields(fields: &mut Fields, function: &str) {
    // A function's name is letters, digits, _ and -.
    if let Ok(name) = HeaderValue::from_str(function) {
        fields.insert(&FUNCTION_NAME, &name);
    }
    fields.insert(&CONTROL_PATH, &HeaderValue::from_static("/http-invoke"));
    fields.insert(&QUALIFIER, &HeaderValue::from_static("LATEST"));
}

fn processes(
    functions: &HashMap<String, Arc<Function>>,
) -> impl Iterator<Item = (&str, &Arc<ProcessSettings>)> {
    functions.values().filter_map(|function| match &function.target {
        FunctionTarget::Process(settings) => Some((function.name.as_str(), settings)),
        _ => None,
    })
}
