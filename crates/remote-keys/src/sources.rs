//! All sources of a configuration.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claimgate_config::FileVersion;
use claimgate_config::snapshot::{RemoteJwksSettings, RemoteKeySource};

use crate::disk::KeyFile;
use crate::error::StartError;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::remote_keys::{Beginning, FirstFetch, RemoteKeys, Task};

/// How much longer a wait is than the fetch, so that it learns why that failed.
const GRACE: Duration = Duration::from_secs(1);

/// The keys of all sources of a configuration, in the order of its sources.
#[derive(Debug, Default)]
pub struct RemoteKeySources {
    list: Vec<Arc<RemoteKeys>>,
    terms: Option<Terms>,
}

/// What a task is started with; another one is started when it changes.
#[derive(Debug, PartialEq, Eq)]
struct Terms {
    settings: RemoteJwksSettings,
    ca_file: Option<FileVersion>,
}

impl RemoteKeySources {
    /// Begins to fetch from each source, in tasks on the runtime that this is called on, and to keep what
    /// is fetched in a folder.
    ///
    /// Of `previous`, sources that stay keep their tasks, or at least their keys when the settings have
    /// changed. Those that are not taken over end when `previous` and all requests that use it have.
    ///
    /// # Errors
    ///
    /// When the settings cannot be used.
    pub fn start(
        sources: &[RemoteKeySource],
        settings: &RemoteJwksSettings,
        folder: Option<&Path>,
        previous: &RemoteKeySources,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let wanted: HashSet<&RemoteKeySource> = sources.iter().collect();
        for dropped in previous.list.iter().filter(|keys| !wanted.contains(keys.source())) {
            metrics.forget(&dropped.source().to_string());
        }
        if sources.is_empty() {
            return Ok(Self::default());
        }
        let ca_file = settings.ca_file.as_deref().map(FileVersion::of);
        let terms = Terms { settings: settings.clone(), ca_file };
        let is_unchanged = previous.terms.as_ref() == Some(&terms);
        let earlier: HashMap<&RemoteKeySource, &Arc<RemoteKeys>> =
            previous.list.iter().map(|keys| (keys.source(), keys)).collect();
        let fetcher = Arc::new(Fetcher::new(settings)?);
        let start = |source: &RemoteKeySource| {
            let earlier = earlier.get(source).copied();
            if let Some(earlier) = earlier.filter(|_| is_unchanged) {
                return Arc::clone(earlier);
            }
            let file = folder.map(|folder| KeyFile::new(folder, source, settings.max_bytes));
            let beginning = match (earlier, &file) {
                (Some(earlier), _) => earlier.kept(),
                (None, Some(file)) => Beginning::from_file(file, &source.to_string()),
                (None, None) => Beginning::default(),
            };
            let (source, fetcher) = (source.clone(), Arc::clone(&fetcher));
            let task = Task::new(source, fetcher, settings, file, beginning, metrics.clone());
            Arc::new(task.start(FirstFetch::AtOnce))
        };
        Ok(Self { list: sources.iter().map(start).collect(), terms: Some(terms) })
    }

    /// Fetches from a source when its keys are asked for, and keeps nothing: for a command that looks at
    /// one request, which waits for the fetch as long as the fetch may take.
    ///
    /// # Errors
    ///
    /// When the settings cannot be used.
    pub fn on_demand(sources: &[RemoteKeySource], settings: &RemoteJwksSettings) -> Result<Self, StartError> {
        if sources.is_empty() {
            return Ok(Self::default());
        }
        let settings = RemoteJwksSettings { wait: settings.timeout + GRACE, ..settings.clone() };
        let fetcher = Arc::new(Fetcher::new(&settings)?);
        let start = |source: &RemoteKeySource| {
            let (source, fetcher) = (source.clone(), Arc::clone(&fetcher));
            let (beginning, metrics) = (Beginning::default(), Metrics::default());
            let task = Task::new(source, fetcher, &settings, None, beginning, metrics);
            Arc::new(task.start(FirstFetch::WhenAsked))
        };
        Ok(Self { list: sources.iter().map(start).collect(), terms: None })
    }

    /// The keys of a source by its number.
    pub fn get(&self, number: usize) -> Option<&RemoteKeys> {
        self.list.get(number).map(Arc::as_ref)
    }
}
