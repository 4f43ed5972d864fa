//! A body that may promise more than it gives, and the error that cuts a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The connection ends here, on purpose.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection cut")
    }
}

impl std::error::Error for Cut {}

/// A body that may promise more than it gives.
pub(crate) struct Payload {
    bytes: Bytes,
    promised: u64,
    torn: bool,
    flushed: bool,
}

impl Payload {
    /// A body of these bytes; a torn one promises them all, gives the first half and then fails.
    pub(crate) fn new(mut bytes: Bytes, torn: bool) -> Self {
        let promised = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if torn {
            bytes.truncate(bytes.len() / 2);
        }
        // A torn body must promise something that does not come, even when the right one was empty.
        let promised = if torn { promised.max(1) } else { promised };
        Self { bytes, promised, torn, flushed: false }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            self.promised = self.promised.saturating_sub(u64::try_from(bytes.len()).unwrap_or(0));
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.torn {
            return Poll::Ready(None);
        }
        if self.flushed {
            return Poll::Ready(Some(Err(Cut)));
        }
        // One pause lets hyper write out what it has before the error closes the connection.
        self.flushed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && !self.torn
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
