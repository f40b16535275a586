//! How real libraries read parameters: small readers that share no code with the gateway.
//!
//! Each is compared with its library by tests/frameworks/test_models.py. A model never reads less than
//! its library. Where it reads more, its description says so.

mod chars;
mod http_cookies;
mod multipart;
mod php;
mod plain;
mod qs;
mod rack;
pub(crate) mod text;
mod webob;
mod werkzeug;

/// What an application reads: names of the top level as it sees them, each with text of its value. A name
/// that is sent more than once is listed more than once, although most libraries keep only one value.
pub type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// One library, with a reader for every position that it reads.
pub struct Model {
    /// The library, with the version where versions differ.
    pub name: &'static str,
    /// Reads what is behind the `?` of a request target.
    pub query: Option<fn(&[u8]) -> Parameters>,
    /// Reads a body with this Content-Type.
    pub body: Option<fn(Option<&[u8]>, &[u8]) -> Parameters>,
    /// Whether that may be a multipart body.
    pub reads_multipart: bool,
    /// Reads a Cookie field.
    pub cookies: Option<fn(&[u8]) -> Parameters>,
}

/// Every model.
pub const MODELS: [Model; 11] = [
    Model { query: Some(qs::query), body: Some(qs::body_parser), ..named("qs") },
    Model { body: Some(qs::body_parser_simple), ..named("qs depth 0") },
    Model { body: Some(qs::co_body), ..named("co-body") },
    Model {
        query: Some(plain::query),
        body: Some(plain::body),
        cookies: Some(plain::cookies),
        ..named("plain")
    },
    whole("Rack 2", rack::query_2, rack::body_2, rack::cookies),
    whole("Rack 3", rack::query_3, rack::body_3, rack::cookies),
    whole("PHP", php::query, php::body, php::cookies),
    whole("Werkzeug 2", werkzeug::query, werkzeug::body_2, werkzeug::cookies_2),
    whole("Werkzeug 3", werkzeug::query, werkzeug::body_3, werkzeug::cookies_3),
    whole("WebOb", webob::query, webob::body, webob::cookies),
    Model { cookies: Some(http_cookies::cookies), ..named("http.cookies") },
];

const fn named(name: &'static str) -> Model {
    Model { name, query: None, body: None, reads_multipart: false, cookies: None }
}

const fn whole(
    name: &'static str,
    query: fn(&[u8]) -> Parameters,
    body: fn(Option<&[u8]>, &[u8]) -> Parameters,
    cookies: fn(&[u8]) -> Parameters,
) -> Model {
    Model { name, query: Some(query), body: Some(body), reads_multipart: true, cookies: Some(cookies) }
}
