//! The sequence of messages that a client sends on one connection: what of its bytes may be read as
//! requests.

use claimgate_config::snapshot::Limits;

use super::chunked::Chunked;
use super::head::{Body, Head, Trailers};
use crate::refusal::Refusal;

/// What a client that knows beforehand to speak HTTP/2 sends first (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What may be done with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// So many of them, at least one, are sound and may be handed on.
    Pass(usize),
    /// Nothing before more of them arrive.
    More,
    /// Nothing before the request that asked for another protocol is answered.
    Hold,
    /// They are no request; nothing that follows is one.
    Refuse(Refusal),
    /// They are no part of the body that they should be part of.
    Break,
    /// Nothing: they come behind what was refused.
    Nothing,
    /// Nothing: the connection has ended.
    End,
}

/// Judges all bytes of a connection in their order.
#[derive(Debug)]
pub struct Messages {
    limits: Limits,
    stage: Stage,
    heads: u64,
    /// Whether the last head asked for another protocol, and it is open what the answer was.
    upgrade: bool,
}

#[derive(Debug)]
enum Stage {
    /// Before anything else.
    Preface,
    Head(Head),
    Length(u64),
    Chunked(Chunked),
    Trailers(Trailers),
    /// Behind a request that asked for another protocol.
    Hold,
    /// Another protocol is spoken.
    Through,
    Broken,
    Refused,
    Ended,
}

impl Messages {
    pub fn new(limits: Limits) -> Self {
        Self { limits, stage: Stage::Preface, heads: 0, upgrade: false }
    }

    /// Judges the next bytes: those behind what passed before.
    pub fn judge(&mut self, bytes: &[u8]) -> Verdict {
        if bytes.is_empty() {
            return match self.stage {
                Stage::Broken => Verdict::Break,
                Stage::Refused => Verdict::Nothing,
                Stage::Ended => Verdict::End,
                Stage::Hold => Verdict::Hold,
                _ => Verdict::More,
            };
        }
        match &mut self.stage {
            Stage::Preface => {
                if bytes.starts_with(HTTP2_PREFACE) {
                    self.stage = Stage::Through;
                } else if HTTP2_PREFACE.starts_with(bytes) {
                    return Verdict::More;
                } else {
                    self.stage = Stage::Head(Head::default());
                }
                self.judge(bytes)
            }
            Stage::Head(head) => match head.read(bytes, &self.limits) {
                Ok(None) => Verdict::More,
                Ok(Some(head)) => {
                    self.heads += 1;
                    self.upgrade = head.upgrade;
                    match head.body {
                        Body::Length(0) => self.end_message(),
                        Body::Length(length) => self.stage = Stage::Length(length),
                        Body::Chunked => self.stage = Stage::Chunked(Chunked::default()),
                    }
                    Verdict::Pass(head.length)
                }
                Err(refusal) => {
                    self.refuse();
                    Verdict::Refuse(refusal)
                }
            },
            Stage::Length(left) => {
                let length = bytes.len() as u64;
                if length < *left {
                    *left -= length;
                    Verdict::Pass(bytes.len())
                } else {
                    // Not larger than a slice that is there.
                    let last = usize::try_from(*left).unwrap_or(bytes.len());
                    self.end_message();
                    Verdict::Pass(last)
                }
            }
            Stage::Chunked(chunked) => {
                let sound = chunked.read(bytes);
                match chunked {
                    Chunked::Last => self.stage = Stage::Trailers(Trailers::default()),
                    Chunked::Malformed => self.stage = Stage::Broken,
                    _ => {}
                }
                if sound == 0 { Verdict::Break } else { Verdict::Pass(sound) }
            }
            Stage::Trailers(trailers) => match trailers.read(bytes, &self.limits) {
                Ok(None) => Verdict::More,
                Ok(Some(length)) => {
                    self.end_message();
                    Verdict::Pass(length)
                }
                Err(_) => {
                    self.stage = Stage::Broken;
                    Verdict::Break
                }
            },
            Stage::Hold => Verdict::Hold,
            Stage::Through => Verdict::Pass(bytes.len()),
            Stage::Broken => Verdict::Break,
            Stage::Refused => Verdict::Nothing,
            Stage::Ended => Verdict::End,
        }
    }

    /// Reads nothing that comes as a request any more.
    pub fn refuse(&mut self) {
        self.stage = Stage::Refused;
    }

    /// Reads nothing more at all.
    pub fn end(&mut self) {
        self.stage = Stage::Ended;
    }

    /// The number of the request, counted from 1, that asked for another protocol and may have got it.
    pub fn asked_to_switch(&self) -> Option<u64> {
        self.upgrade.then_some(self.heads)
    }

    /// What the answer was to the request that asked for another protocol.
    pub fn answered(&mut self, switched: bool) {
        self.upgrade = false;
        if switched {
            self.stage = Stage::Through;
        } else if matches!(self.stage, Stage::Hold) {
            self.stage = Stage::Head(Head::default());
        }
    }

    /// Number of heads that passed.
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether most of what comes next will pass, and at once.
    pub fn is_streaming(&self) -> bool {
        matches!(self.stage, Stage::Length(_) | Stage::Chunked(_) | Stage::Through)
    }

    /// Whether the client now speaks another protocol.
    pub fn is_through(&self) -> bool {
        matches!(self.stage, Stage::Through)
    }

    /// Whether no message has begun, except perhaps its head.
    pub fn is_between(&self) -> bool {
        matches!(self.stage, Stage::Preface | Stage::Head(_) | Stage::Ended)
    }

    fn end_message(&mut self) {
        self.stage = if self.upgrade { Stage::Hold } else { Stage::Head(Head::default()) };
    }
}
