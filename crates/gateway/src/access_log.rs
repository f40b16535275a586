//! The access log: one line for each request.
//!
//! Threads that serve requests put lines into buffers of their own, which a thread beside empties. So a disk
//! or a reader that is slow, or stops, holds up no request: when a buffer is full, lines are dropped and
//! counted.

mod line;
mod output;

pub use line::Format;
pub(crate) use line::Line;
pub use output::Output;

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::metrics::AccessLogMetrics;

/// How many bytes wait for each thread before lines are dropped, but for the last line that begins below.
const BUFFER: usize = 1024 * 1024;

/// How long lines gather before they are written: one system call for many of them.
const GATHER: Duration = Duration::from_millis(5);

/// How long the end waits for the last lines to be written.
const END: Duration = Duration::from_secs(2);

/// Where requests are logged.
#[derive(Debug)]
pub struct AccessLog(Option<Running>);

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    writer: Thread,
    ended: Mutex<Receiver<()>>,
}

#[derive(Debug)]
struct Shared {
    format: Format,
    metrics: AccessLogMetrics,
    buffers: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
    /// The writer waits for lines.
    idle: AtomicBool,
    reopen: AtomicBool,
    end: AtomicBool,
}

impl AccessLog {
    /// Logs nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Starts a thread that writes to an output.
    pub fn start(output: Output, format: Format, metrics: AccessLogMetrics) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            format,
            metrics,
            buffers: Mutex::default(),
            idle: AtomicBool::new(false),
            reopen: AtomicBool::new(false),
            end: AtomicBool::new(false),
        });
        let (sender, ended) = channel();
        let writer = Writer { shared: Arc::clone(&shared), output };
        let thread = thread::Builder::new().name("claimgate-access".to_owned());
        let writer = thread.spawn(move || writer.run(&sender))?.thread().clone();
        Ok(Self(Some(Running { shared, writer, ended: Mutex::new(ended) })))
    }

    /// What one thread logs its requests with.
    pub(crate) fn lines(&self) -> Lines {
        Lines(self.0.as_ref().map(|running| {
            let buffer = Arc::<Mutex<Vec<u8>>>::default();
            lock(&running.shared.buffers).push(Arc::clone(&buffer));
            Buffer { buffer, shared: Arc::clone(&running.shared), writer: running.writer.clone() }
        }))
    }

    /// Opens a file anew, after it was moved away.
    pub fn reopen(&self) {
        if let Some(running) = &self.0 {
            running.shared.reopen.store(true, Ordering::SeqCst);
            running.writer.unpark();
        }
    }

    /// Writes what there is, and ends; lines that come later are lost.
    pub fn finish(&self) {
        if let Some(running) = &self.0 {
            running.shared.end.store(true, Ordering::SeqCst);
            running.writer.unpark();
            if lock(&running.ended).recv_timeout(END).is_err() {
                tracing::warn!("the last lines of the access log could not be written in time");
            }
        }
    }
}

/// What one thread logs its requests with.
#[derive(Debug)]
pub(crate) struct Lines(Option<Buffer>);

#[derive(Debug)]
struct Buffer {
    buffer: Arc<Mutex<Vec<u8>>>,
    shared: Arc<Shared>,
    writer: Thread,
}

impl Lines {
    /// Logs a request.
    pub(crate) fn log(&self, line: &Line<'_>) {
        let Some(Buffer { buffer, shared, writer }) = &self.0 else {
            return;
        };
        let mut buffer = lock(buffer);
        if buffer.len() >= BUFFER {
            shared.metrics.count_dropped(1);
            return;
        }
        line.write(shared.format, &mut buffer);
        drop(buffer);
        // The writer says that it is idle before it looks into the buffers for the last time.
        if shared.idle.load(Ordering::SeqCst) {
            writer.unpark();
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    output: Output,
}

impl Writer {
    fn run(mut self, ended: &Sender<()>) {
        let mut lines = Vec::new();
        loop {
            if self.shared.reopen.swap(false, Ordering::SeqCst) {
                self.output.reopen();
            }
            // Before the buffers are looked at, so that nothing is left in them at the end.
            let is_end = self.shared.end.load(Ordering::SeqCst);
            if self.write(&mut lines) {
                continue;
            }
            if is_end {
                // Nobody listens when the end was not waited for.
                let _ = ended.send(());
                return;
            }
            self.shared.idle.store(true, Ordering::SeqCst);
            if self.shared.is_empty() {
                thread::park();
            }
            self.shared.idle.store(false, Ordering::SeqCst);
            thread::sleep(GATHER);
        }
    }

    /// Writes what is in the buffers, and tells whether there was anything.
    fn write(&mut self, lines: &mut Vec<u8>) -> bool {
        let buffers = lock(&self.shared.buffers).clone();
        let mut wrote = false;
        for buffer in buffers {
            lines.clear();
            mem::swap(&mut *lock(&buffer), lines);
            if !lines.is_empty() {
                wrote = true;
                let lost = self.output.write(lines);
                self.shared.metrics.count_dropped(lost);
            }
        }
        wrote
    }
}

impl Shared {
    fn is_empty(&self) -> bool {
        lock(&self.buffers).iter().all(|buffer| lock(buffer).is_empty())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
