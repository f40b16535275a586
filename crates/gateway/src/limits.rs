//! Sizes of a request's head in HTTP/2. hyper has limits of its own, a little wider, whose answers have no
//! body. In HTTP/1.1 they were judged while the head arrived.

use claimgate_config::snapshot::Limits;
use claimgate_functions::Request;
use http::Version;

use crate::refusal::Refusal;

/// Refuses a head that is larger than the configuration allows.
pub fn check(request: &Request, limits: &Limits) -> Result<(), Refusal> {
    if request.version < Version::HTTP_2 {
        return Ok(());
    }
    let target = request.uri.path_and_query().map_or(0, |target| target.as_str().len());
    // The method, two spaces and the version.
    let request_line = request.method.as_str().len() + target + " ".len() * 2 + "HTTP/1.1".len();
    if request_line > limits.request_line_bytes {
        return Err(Refusal::TargetTooLong { limit: limits.request_line_bytes });
    }
    // As HTTP/1.1 writes them.
    if request.fields.lines_length() > limits.header_bytes || request.fields.len() > limits.header_fields {
        return Err(Refusal::HeaderTooLarge { bytes: limits.header_bytes, fields: limits.header_fields });
    }
    Ok(())
}
