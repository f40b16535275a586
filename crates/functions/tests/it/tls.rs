//! Functions behind `https`.

use std::sync::Arc;

use claimgate_functions::{CertificateDer, ProcessFunctions};
use http::{Request, Version};
use hyper::body::Incoming;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::grpc::{describe, expect_grpc};
use crate::support::{Answer, Functions, Server, full, get, patient, serve, status, text, url_function};

/// A function at `https://localhost` and the certificate that it shows.
async fn start() -> (Server, CertificateDer<'static>) {
    let key = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let certificate = key.cert.der().clone();
    let private = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], private)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::raw(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                serve(stream, move |request| answer(request, http2)).await;
            }
        }
    })
    .await;
    (server, certificate)
}

/// What is spoken must be what was agreed on.
async fn answer(request: Request<Incoming>, http2: bool) -> Answer {
    match (request.version(), http2) {
        (Version::HTTP_2, true) => describe(request).await,
        (Version::HTTP_11, false) => full("HTTP/1.1"),
        _ => status(500),
    }
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name() {
    let (server, certificate) = start().await;
    let functions = Functions(claimgate_functions::Functions::with_root_certificates([certificate]).unwrap());
    assert_eq!(functions.0.root_certificates(), 1);
    let function = url_function(&format!("https://localhost:{}/", server.address.port()), "");
    for _ in 0..2 {
        let answer =
            functions.invoke(&function, &ProcessFunctions::default(), get("/"), &patient()).await.unwrap();
        assert_eq!(text(answer).await, "HTTP/1.1");
    }
    assert_eq!(server.connections(), 1);
    expect_grpc(&functions, &function).await;
}

#[tokio::test]
async fn certificates_that_prove_nothing() {
    let (server, certificate) = start().await;
    let other = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap().cert.der().clone();
    let port = server.address.port();
    let cases = [
        ("issuer not trusted", vec![other], "localhost", "tls"),
        ("for another name", vec![certificate], "127.0.0.1", "tls"),
        ("no roots", vec![], "localhost", "no_root_certificates"),
        ("roots that are none", vec![CertificateDer::from_slice(b"x")], "localhost", "no_root_certificates"),
    ];
    for (case, roots, host, reason) in cases {
        let functions = Functions(claimgate_functions::Functions::with_root_certificates(roots).unwrap());
        let function = url_function(&format!("https://{host}:{port}/"), "");
        for content_type in ["text/plain", "application/grpc"] {
            let mut request = get("/");
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
            let error = functions
                .invoke(&function, &ProcessFunctions::default(), request, &patient())
                .await
                .unwrap_err();
            assert_eq!(error.reason(), reason, "{case}, {content_type}: {error:?}");
        }
    }
}

#[tokio::test]
async fn the_systems_roots_do_not_make_the_start_fail() {
    claimgate_functions::Functions::new().unwrap();
}
