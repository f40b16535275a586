//! Where lines are written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// pipe(7): what Linux writes to a pipe in one piece, in bytes.
const PIPE_BUF: usize = 4096;

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
    pub(super) fn write(&mut self, mut lines: &[u8]) -> u64 {
        while !lines.is_empty() {
            let (piece, rest) = if self.path.is_some() { (lines, &[][..]) } else { split(lines) };
            if let Err(error) = self.file.write_all(piece) {
                // Once, and not for each batch that does not fit on a full disk.
                if !self.is_failing {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "cannot write the access log, lines are lost");
                }
                self.is_failing = true;
                return u64::try_from(memchr::memchr_iter(b'\n', lines).count()).unwrap_or(u64::MAX);
            }
            lines = rest;
        }
        self.is_failing = false;
        0
    }
}

/// As many whole lines as a pipe takes in one piece, into which nobody else's lines come, and the rest. A
/// line that is longer stands alone.
fn split(lines: &[u8]) -> (&[u8], &[u8]) {
    let last = match lines.get(..PIPE_BUF) {
        None => None,
        Some(fitting) => memchr::memrchr(b'\n', fitting).or_else(|| memchr::memchr(b'\n', lines)),
    };
    lines.split_at(last.map_or(lines.len(), |newline| newline + 1))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{BufRead, BufReader, Write};

    use super::*;

    #[test]
    fn lines_of_others_come_between_lines_only() {
        let (reader, mut others) = io::pipe().unwrap();
        let mut output = Output::stream(&others).unwrap();
        let ours = format!("{}\n", "a".repeat(999));
        let batch = ours.repeat(300).into_bytes();
        let other = format!("{}\n", "b".repeat(99));
        let expected = [ours.trim_end().to_owned(), other.trim_end().to_owned()];
        let read = std::thread::scope(|scope| {
            scope.spawn(move || assert_eq!(output.write(&batch), 0));
            scope.spawn(move || (0..300).for_each(|_| others.write_all(other.as_bytes()).unwrap()));
            BufReader::new(reader).lines().map(Result::unwrap).collect::<Vec<_>>()
        });
        assert_eq!(read.len(), 600);
        assert!(read.iter().all(|line| expected.contains(line)));
    }

    #[test]
    fn pieces_are_whole_lines() {
        let (short, long) = ("s".repeat(1999) + "\n", "l".repeat(9999) + "\n");
        let lines = format!("{short}{short}{short}{long}{short}");
        let mut rest = lines.as_bytes();
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, after) = split(rest);
            pieces.push(piece.len());
            rest = after;
        }
        assert_eq!(pieces, [4000, 2000, 10_000, 2000]);
    }
}
