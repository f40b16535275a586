//! A request between client and function: the parts that lookups read and claims change.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use claimgate_config::readings::MappedNames;
use claimgate_config::snapshot::{JwtAuthentication, Limits, OtherBodies, Timeouts};
use claimgate_functions::{Fields, RequestBody};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::parameters::content_type::{self, BodyType, FormKind, URLENCODED};
use crate::parameters::form::{self, FormError, FormFilter};
use crate::parameters::form_memory::FormMemory;
use crate::parameters::urlencoded;
use crate::rejection::Rejection;

/// A request on its way to a function.
#[derive(Debug)]
pub struct FunctionRequest<'a> {
    /// Its method.
    pub method: Method,
    /// Its header.
    pub fields: Fields,
    /// What follows the `?`; `None` when there is none.
    pub query: Option<Cow<'a, [u8]>>,
    /// Its body.
    pub body: Body,
}

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// As the client sends it.
    Stream(RequestBody),
    /// A form without what was mapped.
    Filtered(RequestBody),
    /// A form that was read whole, as a token may be in it.
    Form(FormKind, Bytes),
}

/// What forms may take.
#[derive(Debug, Clone, Copy)]
pub struct FormLimits {
    /// A form that is held in memory, in bytes.
    bytes: usize,
    /// Until it has arrived.
    time: Duration,
    memory: FormMemory,
}

impl FormLimits {
    /// As they are configured.
    pub fn of(limits: &Limits, timeouts: &Timeouts) -> Self {
        let memory = FormMemory::new(limits.form_memory_bytes);
        Self { bytes: limits.form_bytes, time: timeouts.form_read, memory }
    }

    /// The memory of all forms.
    pub fn memory(self) -> FormMemory {
        self.memory
    }
}

impl FunctionRequest<'_> {
    /// The form in the body, read whole, so that a token can be found in it; `None` when the body is not a form.
    pub async fn read_form(&mut self, limits: FormLimits) -> Result<Option<(&FormKind, &Bytes)>, Rejection> {
        if let Body::Stream(stream) = &mut self.body {
            let BodyType::Form(kind) = BodyType::of(&self.fields)? else {
                return Ok(None);
            };
            // Apart from the others' memory, which need not make room for what this one needs.
            let body = match Box::pin(read(stream, limits)).await? {
                Arrived::Whole(body) => body,
                Arrived::InTime(_) => return Err(Rejection::FormTimeout),
                Arrived::Begun(_) => return Err(Rejection::FormTooLarge { limit: limits.bytes }),
            };
            self.body = Body::Form(kind, body);
        }
        Ok(match &self.body {
            Body::Form(kind, body) => Some((kind, body)),
            Body::Stream(_) | Body::Filtered(_) => None,
        })
    }

    /// How the body writes parameters; `None` when it is not a form. An empty body without a type may become one
    /// where the method may have one. A body that some function could take for a form is refused, unless the
    /// domain's operator says that the function does not.
    pub fn form_kind(&self, jwt: &JwtAuthentication) -> Result<Option<FormKind>, FormError> {
        let stream = match &self.body {
            Body::Form(kind, _) => return Ok(Some(kind.clone())),
            Body::Stream(stream) | Body::Filtered(stream) => stream,
        };
        let is_empty = stream.is_end_stream();
        if is_empty && !self.fields.contains(&CONTENT_TYPE) {
            let may_have_form = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
            return Ok(may_have_form.then_some(FormKind::Urlencoded));
        }
        let is_refused = match BodyType::of(&self.fields)? {
            BodyType::Form(FormKind::Multipart(_)) if is_empty => false,
            BodyType::Form(kind) => return Ok(Some(kind)),
            BodyType::Disguised => true,
            BodyType::MaybeForm => jwt.other_bodies == OtherBodies::Refuse,
            BodyType::Other => jwt.other_bodies == OtherBodies::Refuse && jwt.mapped.any_in_form,
        };
        if is_refused && !is_empty { Err(FormError::NotAForm) } else { Ok(None) }
    }

    /// How the body writes parameters, if it is a form and not empty.
    pub fn form(&self) -> Result<Option<FormKind>, FormError> {
        match &self.body {
            Body::Form(kind, _) => Ok(Some(kind.clone())),
            Body::Stream(stream) | Body::Filtered(stream) if stream.is_end_stream() => Ok(None),
            Body::Stream(_) | Body::Filtered(_) => match BodyType::of(&self.fields)? {
                BodyType::Form(kind) => Ok(Some(kind)),
                BodyType::Disguised | BodyType::MaybeForm | BodyType::Other => Ok(None),
            },
        }
    }

    /// Puts claims into the body's form, and leaves out what the client sent under mapped names: while it
    /// arrives, when it is larger than what is held in memory. `removed` is called with the position of each name,
    /// so far as the form was there.
    pub async fn replace_in_form(
        &mut self,
        kind: &FormKind,
        filter: FormFilter,
        limits: FormLimits,
        removed: impl FnMut(usize),
    ) -> Result<(), Rejection> {
        content_type::write_plainly(&mut self.fields);
        let body = std::mem::replace(&mut self.body, Body::Stream(RequestBody::empty()));
        let filtered = match body {
            Body::Form(_, body) => filter.filter(body, removed)?,
            Body::Filtered(filtered) => filtered,
            Body::Stream(stream) if stream.is_end_stream() && *kind == FormKind::Urlencoded => {
                let form = filter.filter(Bytes::new(), removed)?;
                if !form.is_end_stream() && !self.fields.contains(&CONTENT_TYPE) {
                    self.fields.append(&CONTENT_TYPE, &HeaderValue::from_static(URLENCODED));
                }
                form
            }
            Body::Stream(mut stream) => {
                let length = stream.size_hint().exact();
                match Box::pin(read(&mut stream, limits)).await? {
                    Arrived::Whole(body) => filter.filter(body, removed)?,
                    // What may be of any length need not arrive in time.
                    Arrived::InTime(_) if length.is_some() => return Err(Rejection::FormTimeout),
                    Arrived::InTime(begun) | Arrived::Begun(begun) => {
                        filter.filter_stream(begun, stream, length)?
                    }
                }
            }
        };
        self.body = Body::Filtered(filtered);
        Ok(())
    }

    /// Removes every spelling of parameters from the form in the body, if it was read whole.
    pub fn remove_from_form(&mut self, names: MappedNames) -> Result<(), FormError> {
        if let Body::Form(kind, body) = &mut self.body {
            *body = form::without(kind, body.clone(), names)?;
        }
        Ok(())
    }

    /// Removes every spelling of mapped parameters from the query, and puts others before it.
    pub fn replace_in_query(&mut self, mapped: &MappedNames, set: Vec<u8>, removed: impl FnMut(usize)) {
        let Some(query) = self.query.take() else {
            self.query = (!set.is_empty()).then_some(set.into());
            return;
        };
        let replaced = match urlencoded::replace(&query, mapped, set, removed) {
            Cow::Owned(replaced) => Some(replaced),
            Cow::Borrowed(_) => None,
        };
        self.query = match replaced {
            None => Some(query),
            // A `?` with nothing behind it would be left of `?uid=evil`.
            Some(replaced) => (!replaced.is_empty()).then_some(replaced.into()),
        };
    }

    /// The body as it is sent, with the length in the headers brought in line.
    pub fn finish_body(fields: &mut Fields, body: Body) -> RequestBody {
        let body = match body {
            Body::Stream(stream) => return stream,
            Body::Filtered(filtered) => filtered,
            Body::Form(_, body) => body.into(),
        };
        match body.size_hint().exact() {
            Some(length) => fields.insert(&CONTENT_LENGTH, &HeaderValue::from(length)),
            None => {
                fields.remove(&CONTENT_LENGTH);
            }
        }
        body
    }
}

/// What has arrived of a form.
enum Arrived {
    Whole(Bytes),
    /// As much as is held in memory, and there is more.
    Begun([Bytes; 2]),
    /// As much as has arrived in time.
    InTime([Bytes; 2]),
}

/// Reads a form, as far as it is held in memory.
async fn read(stream: &mut RequestBody, limits: FormLimits) -> Result<Arrived, Rejection> {
    let mut buffer = limits.memory.buffer();
    if stream.size_hint().lower() > limits.bytes as u64 {
        return Ok(Arrived::Begun([Bytes::new(), Bytes::new()]));
    }
    let reading = async {
        while let Some(frame) = stream.frame().await {
            let Ok(data) = frame.map_err(|_| Rejection::BodyBrokeOff)?.into_data() else { continue };
            if buffer.as_slice().len() + data.len() > limits.bytes {
                return Ok(Some(data));
            }
            buffer.extend(&data).map_err(FormError::from)?;
        }
        Ok::<_, Rejection>(None)
    };
    match tokio::time::timeout(limits.time, reading).await {
        Ok(more) => Ok(match more? {
            None => Arrived::Whole(buffer.take()),
            Some(more) => Arrived::Begun([buffer.take(), more]),
        }),
        Err(_) => Ok(Arrived::InTime([buffer.take(), Bytes::new()])),
    }
}
