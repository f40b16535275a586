//! The data plane: verifies every request to a custom domain, forwards the verified claims, and
//! reaches the function.
//!
//! `request_path` is the way of a request from top to bottom; each other module is one stage of it.

pub mod access_log;
mod authenticate;
mod authority;
mod byte_set;
mod claims;
mod client;
mod cors;
mod exchange;
mod gateway;
mod headers;
mod limits;
mod listen;
mod metrics;
pub mod parameters;
pub mod path;
mod reasons;
mod refusal;
mod rejection;
mod request;
mod request_id;
mod request_path;
mod respond;
mod rewrite;
mod slow_signatures;
pub mod spans;
mod step;
pub mod times;
pub mod trace;
mod transport;
mod try_request;
mod tunnel;
mod verified_tokens;
mod verify;

pub use authority::{AuthorityError, requested_host};
pub use client::{Sender, is_in};
pub use gateway::{Counted, Gateway, Serving};
pub use listen::{Drained, Listeners, Phase, ServeError, serve};
pub use metrics::{Metrics, Refused, RefusedAt, RowLabels, RowTraffic, Total};
pub use reasons::{Explanation, explain};
pub use rejection::Rejection;
pub use request_id::RequestId;
pub use respond::error_body;
pub use slow_signatures::SlowSignatures;
pub use trace::Trace;
pub use try_request::{TryRequest, try_request};
pub use verify::verify;
