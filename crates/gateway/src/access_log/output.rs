//! Where lines are written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Whole lines go to it.
#[derive(Debug)]
pub struct Output {
    file: File,
    /// `None` for a stream of the process, which cannot be opened anew.
    path: Option<PathBuf>,
    is_failing: bool,
}

impl Output {
    /// Standard output or standard error. Writing to it takes no lock, so that it holds up nobody else who
    /// writes there.
    pub fn stream(stream: impl AsFd) -> io::Result<Self> {
        Ok(Self { file: stream.as_fd().try_clone_to_owned()?.into(), path: None, is_failing: false })
    }

    /// The end of a file, which is made when it is not there, for the eyes of its owner and group.
    pub fn file(path: &Path) -> io::Result<Self> {
        Ok(Self { file: open(path)?, path: Some(path.to_owned()), is_failing: false })
    }

    /// Opens the file anew; the one that is open stays when that fails.
    pub(super) fn reopen(&mut self) {
        let Some(path) = &self.path else {
            return;
        };
        match open(path) {
            Ok(file) => {
                self.file = file;
                tracing::info!(file = %path.display(), "access log reopened");
            }
            Err(error) => tracing::error!(
                file = %path.display(),
                error = &error as &dyn std::error::Error,
                "cannot reopen the access log, the open file is written to"
            ),
        }
    }

    /// Writes lines, and gives how many of them were lost.
    pub(super) fn write(&mut self, lines: &[u8]) -> u64 {
        match self.file.write_all(lines) {
            Ok(()) => {
                self.is_failing = false;
                0
            }
            Err(error) => {
                // Once, and not for each batch that does not fit on a full disk.
                if !self.is_failing {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "cannot write the access log, lines are lost");
                }
                self.is_failing = true;
                u64::try_from(memchr::memchr_iter(b'\n', lines).count()).unwrap_or(u64::MAX)
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}
