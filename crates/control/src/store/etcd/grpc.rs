//! Calls of gRPC on a connection of HTTP/2, as far as etcd needs it: without compression.
//!
//! A message is a byte 0, its length in four bytes, and the message; the trailers have the status.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, TE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use prost::Message;
use tokio::sync::mpsc;

/// No answer comes near it: etcd takes no request of more than 1.5 MiB, and lists are read in pages.
const MAX_MESSAGE: usize = 512 * 1024 * 1024;

/// Has etcd end a call while its member knows no leader, rather than wait.
const HAS_LEADER: HeaderName = HeaderName::from_static("hasleader");

pub(super) const UNAVAILABLE: u32 = 14;

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// The connection broke or went wrong; what was asked for may have been done.
    Broken(String),
    /// The server says so: `grpc-status` and `grpc-message`.
    Refused { code: u32, message: String },
}

/// Makes calls on a connection.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    sender: SendRequest<Outgoing>,
    /// Scheme and authority of the server.
    base: Uri,
    token: Option<HeaderValue>,
}

impl Caller {
    pub(super) fn new(sender: SendRequest<Outgoing>, base: Uri) -> Self {
        Self { sender, base, token: None }
    }

    /// Shows etcd this token with each call.
    pub(super) fn sign_in(&mut self, token: HeaderValue) {
        self.token = Some(token);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Asks for one answer.
    pub(super) async fn call<Answer: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Answer, CallError> {
        let (sender, mut answers) = self.open(method, request).await?;
        drop(sender);
        let answer = answers.next().await?.ok_or_else(|| broken("no answer"))?;
        match answers.next().await? {
            None => Ok(answer),
            Some(_) => Err(broken("more than one answer")),
        }
    }

    /// Begins a call with a first message. It ends when either part is dropped.
    pub(super) async fn open<Question: Message, Answer: Message + Default>(
        &self,
        method: &str,
        first: &Question,
    ) -> Result<(Questions<Question>, Answers<Answer>), CallError> {
        let (questions, outgoing) = mpsc::unbounded_channel();
        let questions = Questions { outgoing: questions, question: PhantomData };
        questions.send(first);
        let request = self.request(method, Outgoing(outgoing)).map_err(broken)?;
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(with_causes)?;
        let answer = sender.send_request(request).await.map_err(with_causes)?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(CallError::Broken(format!("it answers HTTP status {}", head.status.as_u16())));
        }
        if let Some(status) = status(&head.headers) {
            status?;
        }
        Ok((questions, Answers { body, read: BytesMut::new(), answer: PhantomData }))
    }

    fn request(&self, method: &str, body: Outgoing) -> Result<Request<Outgoing>, axum::http::Error> {
        let mut base = self.base.clone().into_parts();
        base.path_and_query = Some(method.try_into()?);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(Uri::from_parts(base)?)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/grpc"))
            .header(TE, HeaderValue::from_static("trailers"))
            .header(HAS_LEADER, HeaderValue::from_static("true"))
            .body(body)?;
        if let Some(token) = &self.token {
            // Both names are in use, depending on etcd's version.
            request.headers_mut().insert(AUTHORIZATION, token.clone());
            request.headers_mut().insert("token", token.clone());
        }
        Ok(request)
    }
}

/// What a call is still asked.
#[derive(Debug)]
pub(super) struct Questions<Question> {
    outgoing: mpsc::UnboundedSender<Bytes>,
    question: PhantomData<fn(Question)>,
}

impl<Question: Message> Questions<Question> {
    /// Sends another message. When the call has ended, its answers tell.
    pub(super) fn send(&self, question: &Question) {
        let length = question.encoded_len();
        let mut message = BytesMut::with_capacity(5 + length);
        message.put_u8(0);
        // What is longer than four bytes can say is too long for any server, and refused as such.
        message.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        message.put_slice(&question.encode_to_vec());
        let _ = self.outgoing.send(message.freeze());
    }
}

/// The answers to a call.
#[derive(Debug)]
pub(super) struct Answers<Answer> {
    body: Incoming,
    read: BytesMut,
    answer: PhantomData<fn() -> Answer>,
}

impl<Answer: Message + Default> Answers<Answer> {
    /// Waits for the next answer; `None` when the call has ended well. May be cancelled.
    pub(super) async fn next(&mut self) -> Result<Option<Answer>, CallError> {
        loop {
            if let Some(message) = self.message()? {
                return Answer::decode(message).map(Some).map_err(broken);
            }
            let frame = self.body.frame().await.ok_or_else(|| broken("the answer broke off"))?;
            match frame.map_err(with_causes)?.into_data() {
                Ok(data) => self.read.extend_from_slice(&data),
                Err(trailers) => {
                    let status = trailers.trailers_ref().and_then(status);
                    return status.ok_or_else(|| broken("it sent no status"))?.map(|()| None);
                }
            }
        }
    }

    /// How much of the next answer has arrived.
    pub(super) fn partial(&self) -> usize {
        self.read.len()
    }

    /// A message that has arrived as a whole.
    fn message(&mut self) -> Result<Option<Bytes>, CallError> {
        let Some((head, rest)) = self.read.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let [compressed, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if compressed != 0 || length > MAX_MESSAGE {
            return Err(broken("it sent a message that is compressed or too large"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.read.advance(5);
        Ok(Some(self.read.split_to(length).freeze()))
    }
}

/// The messages of a request as its body.
#[derive(Debug)]
pub(super) struct Outgoing(mpsc::UnboundedReceiver<Bytes>);

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|message| message.map(|message| Ok(Frame::data(message))))
    }
}

/// What header or trailers say of how the call ended; `None` when they say nothing.
fn status(fields: &HeaderMap) -> Option<Result<(), CallError>> {
    let code = fields.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok());
    if code == Some(0) {
        return Some(Ok(()));
    }
    let message = fields.get("grpc-message").map(HeaderValue::as_bytes).unwrap_or_default();
    let message = percent_encoding::percent_decode(message).decode_utf8_lossy().into_owned();
    // 2 is `UNKNOWN`.
    Some(Err(CallError::Refused { code: code.unwrap_or(2), message }))
}

fn broken(why: impl ToString) -> CallError {
    CallError::Broken(why.to_string())
}

/// An error's text with those of its causes.
fn with_causes(error: hyper::Error) -> CallError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    CallError::Broken(text)
}
