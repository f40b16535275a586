//! Bodies on their way through.

pub(crate) mod idle;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod upload;
