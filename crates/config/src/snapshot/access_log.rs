//! The access log.
use std::path::{Path, PathBuf};

/// `gateway.accessLog`: where requests are logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessLogSettings {
    /// Where lines are written to.
    pub output: AccessLogOutput,
    /// How lines are written.
    pub format: AccessLogFormat,
}

/// Where lines are written to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AccessLogOutput {
    /// Beside the other lines of the log, on standard error.
    #[default]
    Log,
    /// Standard output.
    Stdout,
    /// The end of a file.
    File(PathBuf),
    /// Nowhere.
    None,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// As the other lines of the log where they go to standard error, else JSON.
    #[default]
    Default,
    /// One JSON object a line.
    Json,
    /// `name=value`, for people.
    Text,
}

impl AccessLogSettings {
    /// Takes a relative path as beginning at a folder.
    pub(crate) fn resolve_paths(&mut self, folder: &Path) {
        if let AccessLogOutput::File(path) = &mut self.output {
            *path = folder.join(&path);
        }
    }
}
