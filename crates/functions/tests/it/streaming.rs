//! Bodies that flow while the other side is still sending.

use http::Response;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, front, patient, read_until};

#[tokio::test]
async fn both_bodies_flow_at_once() {
    // A function that sends back every piece as it comes.
    let server = Server::start(|request| async {
        let pieces = request.into_body().map_err(|_| unreachable!("the client sends a whole body"));
        Response::new(pieces.boxed())
    })
    .await;
    let gateway = front(server.function(), patient()).await;
    let mut client = TcpStream::connect(gateway).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    for piece in ["one", "two", "three"] {
        // The next piece is only sent after this one has come back.
        client.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await.unwrap();
        read_until(&mut client, piece).await;
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut client, "0\r\n\r\n").await;
}
