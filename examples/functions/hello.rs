//! Greets the caller by the claim that claimgate hands over as `x-name`.
use axum::{Router, http::HeaderMap};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let hello = async |headers: HeaderMap| {
        let name = headers.get("x-name").map_or(&b""[..], |name| name.as_bytes());
        [b"Hello, ", name, b", from Rust\n"].concat()
    };
    let port = std::env::var("PORT").unwrap_or("9000".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, Router::new().fallback(hello)).await
}
