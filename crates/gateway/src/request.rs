//! A request between client and function: the parts that lookups read and claims change.

use std::borrow::Cow;
use std::time::Duration;

use claimgate_config::snapshot::{Limits, Timeouts};
use claimgate_functions::{Fields, RequestBody};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::parameters::form::{Form, FormKind, URLENCODED};
use crate::parameters::urlencoded;
use crate::rejection::Rejection;

/// A request on its way to a function.
#[derive(Debug)]
pub struct FunctionRequest<'a> {
    /// Its method.
    pub method: Method,
    /// Its header.
    pub fields: Fields,
    /// What stands behind the `?`; `None` when there is none.
    pub query: Option<Cow<'a, [u8]>>,
    /// Its body.
    pub body: Body,
}

/// The body of a request, which is buffered only when a form parameter has to be read or set.
#[derive(Debug)]
pub enum Body {
    /// Not read yet.
    Stream(RequestBody),
    /// A form, read whole.
    Form(Form),
}

impl FunctionRequest<'_> {
    /// Buffers the body when it is a form.
    pub async fn read_form(&mut self, limits: &Limits, timeouts: &Timeouts) -> Result<(), Rejection> {
        let Body::Stream(stream) = &mut self.body else {
            return Ok(());
        };
        let Some(kind) = FormKind::of(&self.fields)? else {
            return Ok(());
        };
        // Apart from the others' memory, which need not make room for what this one needs.
        let body = Box::pin(read(stream, limits.form_bytes, timeouts.form_read)).await?;
        self.body = Body::Form(Form::parse(&kind, body)?);
        Ok(())
    }

    /// Removes every spelling of a query parameter and tells whether there was any.
    pub fn remove_query(&mut self, name: &str) -> bool {
        if let Some(query) = &self.query
            && let Cow::Owned(kept) = urlencoded::remove(query, name)
        {
            // A `?` with nothing behind it would be left of `?uid=evil`.
            self.query = (!kept.is_empty()).then_some(Cow::Owned(kept));
            return true;
        }
        false
    }

    /// The body's form, if it was read as one.
    pub fn form(&mut self) -> Option<&mut Form> {
        match &mut self.body {
            Body::Form(form) => Some(form),
            Body::Stream(_) => None,
        }
    }

    /// Makes an urlencoded form of a body that is empty and has no type, where the method may have one.
    pub fn begin_form_if_empty(&mut self) {
        let may_have_form = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        if let Body::Stream(stream) = &self.body
            && may_have_form
            && stream.is_end_stream()
            && !self.fields.contains(&CONTENT_TYPE)
        {
            self.fields.append(&CONTENT_TYPE, &HeaderValue::from_static(URLENCODED));
            self.body = Body::Form(Form::Urlencoded(bytes::Bytes::new()));
        }
    }

    /// The body as it is sent, with the length in the headers brought in line.
    pub fn finish_body(fields: &mut Fields, body: Body) -> RequestBody {
        match body {
            Body::Stream(stream) => stream,
            Body::Form(form) => {
                let body = form.into_body();
                fields.insert(&CONTENT_LENGTH, &HeaderValue::from(body.len()));
                body.into()
            }
        }
    }
}

async fn read(stream: &mut RequestBody, limit: usize, time: Duration) -> Result<bytes::Bytes, Rejection> {
    let too_large = Rejection::FormTooLarge { limit };
    if stream.size_hint().lower() > limit as u64 {
        return Err(too_large);
    }
    match tokio::time::timeout(time, Limited::new(stream, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(_)) => Err(Rejection::BodyBrokeOff),
        Err(_) => Err(Rejection::FormTimeout),
    }
}
