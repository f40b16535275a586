//! Why the head of a request is not read any further.

use http::StatusCode;

/// A head that is not read as a request. In HTTP/1.1 every one ends the connection, as nobody can say
/// where the next request would begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// RFC 9112, 3.
    #[error("the request line is not a method, a target and HTTP/1.1 with one space between them")]
    RequestLine,
    /// RFC 9110, 15.6.6.
    #[error("the version of HTTP is not 1.0 or 1.1")]
    Version,
    /// RFC 9112, 2.2.
    #[error("a line does not end with CR LF, or has a CR inside")]
    LineEnd,
    /// RFC 9112, 5 and 5.1; RFC 9110, 5.5.
    #[error(
        "a header line is not a name, a colon without a space before it, and a value without control characters"
    )]
    Field,
    /// RFC 9112, 5.2.
    #[error("a header line is folded")]
    Fold,
    /// RFC 9110, 8.6.
    #[error("Content-Length is not a number of 1 to 19 digits")]
    ContentLength,
    /// RFC 9112, 6.1.
    #[error("Transfer-Encoding is not `chunked` alone, or HTTP/1.0 does not know it")]
    TransferEncoding,
    /// RFC 9112, 6.3 and 11.2.
    #[error("the length of the body is given twice")]
    AmbiguousLength,
    /// The request line is longer than `limits.requestLineBytes`, or the target than a URI can be here.
    #[error("the request target is longer than {limit} bytes")]
    TargetTooLong {
        /// In bytes.
        limit: usize,
    },
    /// The header is larger than `limits.headerBytes` or has more fields than `limits.headerFields`.
    #[error("the header is larger than {bytes} bytes or has more than {fields} fields")]
    HeaderTooLarge {
        /// In bytes.
        bytes: usize,
        /// Number of fields.
        fields: usize,
    },
    /// The head was not there within `timeouts.headerReadSeconds`.
    #[error("the header did not arrive in time")]
    Late,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::TargetTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeaderTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The `Code` of the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::Version => "HTTPVersionNotSupported",
            Self::TargetTooLong { .. } => "URITooLong",
            Self::HeaderTooLarge { .. } => "RequestHeaderFieldsTooLarge",
            Self::Late => "RequestTimeout",
            _ => "InvalidArgument",
        }
    }

    /// A stable word for log and metric.
    pub fn reason(self) -> &'static str {
        match self {
            Self::RequestLine => "malformed_request_line",
            Self::Version => "unsupported_version",
            Self::LineEnd => "malformed_line_end",
            Self::Field => "malformed_header_field",
            Self::Fold => "folded_header_field",
            Self::ContentLength => "invalid_content_length",
            Self::TransferEncoding => "invalid_transfer_encoding",
            Self::AmbiguousLength => "ambiguous_length",
            Self::TargetTooLong { .. } => "target_too_long",
            Self::HeaderTooLarge { .. } => "header_too_large",
            Self::Late => "header_timeout",
        }
    }
}
