//! Memory for forms: counted as it is taken, and bounded for the whole process.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// What all buffers of the process have room for, in bytes.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What a byte of room counts: the allocator keeps what a growing buffer had before, for the next one.
const COUNTED_PER_BYTE: usize = 2;

/// The least room that a buffer takes, in bytes.
const LEAST: usize = 64;

/// How much memory all forms together may take: `limits.formMemoryBytes`.
#[derive(Debug, Clone, Copy)]
pub struct FormMemory {
    limit: usize,
}

/// There is no memory for another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the forms that are held in memory leave no room for this one")]
pub struct NoFormMemory;

/// Bytes of a form, in one piece. Its room is counted until it is dropped, or the [`Bytes`] made of it are.
#[derive(Debug)]
pub struct Buffer {
    memory: FormMemory,
    bytes: Vec<u8>,
    counted: usize,
}

impl FormMemory {
    /// So many bytes for all forms of the process.
    pub fn new(limit: usize) -> Self {
        Self { limit }
    }

    /// A buffer that takes nothing yet.
    pub fn buffer(self) -> Buffer {
        Buffer { memory: self, bytes: Vec::new(), counted: 0 }
    }
}

impl Buffer {
    /// Adds bytes, or gives an error and stays as it is.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), NoFormMemory> {
        let needed = self.bytes.len() + bytes.len();
        if needed > self.bytes.capacity() {
            // While it moves, there are both.
            let room = needed.max(self.bytes.capacity() * 2).max(LEAST);
            let counted = room * COUNTED_PER_BYTE;
            take(counted, self.memory.limit)?;
            let mut moved = Vec::with_capacity(room);
            moved.extend_from_slice(&self.bytes);
            self.bytes = moved;
            give_back(std::mem::replace(&mut self.counted, counted));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// What it holds.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets what it holds, and keeps its room.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What it holds, and an empty buffer in its place.
    pub fn take(&mut self) -> Bytes {
        let taken = std::mem::replace(self, self.memory.buffer());
        if taken.is_empty() { Bytes::new() } else { Bytes::from_owner(taken) }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give_back(self.counted);
    }
}

fn take(bytes: usize, limit: usize) -> Result<(), NoFormMemory> {
    let add = |taken: usize| taken.checked_add(bytes).filter(|&sum| sum <= limit);
    TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).map(drop).map_err(|_| NoFormMemory)
}

fn give_back(bytes: usize) {
    TAKEN.fetch_sub(bytes, Ordering::Relaxed);
}
