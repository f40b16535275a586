//! A form that is filtered while it arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use claimgate_functions::{BrokenBody, RequestBody};
use http_body::{Body, Frame, SizeHint};

use super::FormFilter;

/// Breaks off where the form turns out to be malformed, so that the function never takes it for whole.
pub(super) struct FilteredStream {
    filter: FormFilter,
    /// `None` when all of it has arrived, or it has broken off.
    rest: Option<RequestBody>,
    /// How many bytes follow; `None` when that is not known. No more than these are kept.
    left: Option<u64>,
}

impl FilteredStream {
    /// Filters what follows, which leaves so many bytes, if that is known.
    pub(super) fn new(filter: FormFilter, rest: RequestBody, left: Option<u64>) -> Self {
        Self { filter, rest: Some(rest), left }
    }

    fn take(&mut self, frame: Option<Result<Frame<Bytes>, BrokenBody>>) -> Result<(), BrokenBody> {
        match frame {
            None => {
                self.rest = None;
                self.filter.finish_with(Bytes::new())?;
            }
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    self.filter.push(data)?;
                    self.filter.kept.flush();
                }
            }
        }
        Ok(())
    }

    /// What may be passed on. The last bytes may not before the form was found whole, since behind them the function
    /// would take it for that.
    fn next_piece(&mut self) -> Option<Bytes> {
        let pieces = &mut self.filter.kept.pieces;
        let length = pieces.front()?.len() as u64;
        if self.rest.is_some() && self.left.is_some_and(|left| left <= length) {
            return None;
        }
        self.left = self.left.map(|left| left.saturating_sub(length));
        pieces.pop_front()
    }
}

impl Body for FilteredStream {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        loop {
            if let Some(piece) = self.next_piece() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let Some(rest) = &mut self.rest else {
                return Poll::Ready(None);
            };
            let frame = ready!(Pin::new(rest).poll_frame(context));
            if let Err(error) = self.take(frame) {
                self.rest = None;
                self.left = None;
                self.filter.kept.pieces.clear();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.filter.kept.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
