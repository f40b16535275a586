//! Form parameters, read as a function's own framework reads them.

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;

use super::Content;

/// The parameters of a form in the order in which they came; none when the body is no form, and those
/// before the fault when it is a broken one.
pub(super) async fn parse(content_type: &str, body: &Bytes) -> Vec<(String, Content)> {
    if is_urlencoded(content_type) {
        let parameters = form_urlencoded::parse(body).into_owned();
        return parameters.map(|(name, value)| (name, Content::Text(value))).collect();
    }
    match multer::parse_boundary(content_type) {
        Ok(boundary) => multipart(boundary, body.clone()).await,
        Err(_) => Vec::new(),
    }
}

fn is_urlencoded(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn multipart(boundary: String, body: Bytes) -> Vec<(String, Content)> {
    let mut parts = Multipart::new(BodyDataStream::new(Full::new(body)), boundary);
    let mut parameters = Vec::new();
    while let Ok(Some(part)) = parts.next_field().await {
        let name = part.name().unwrap_or_default().to_owned();
        let Ok(value) = part.bytes().await else {
            break;
        };
        parameters.push((name, Content::from(&value)));
    }
    parameters
}
