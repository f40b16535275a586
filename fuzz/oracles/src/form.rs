//! A removed form parameter is read by no model, a set one by every model, and the others keep their bytes,
//! whether the form arrives whole or piece by piece. Where its length is known, parameters are overwritten.
//!
//! Input: the name, the value to set and the `Content-Type`, a line each, then the body.

mod pieces;

use std::sync::Arc;

use bytes::Bytes;
use claimgate_config::readings::MappedNames;
use claimgate_functions::Fields;
use claimgate_gateway::parameters::content_type::{self, BodyType, FormKind};
use claimgate_gateway::parameters::form::{ClaimsOfForm, FormFilter, values};
use claimgate_gateway::parameters::form_memory::FormMemory;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::models::{Model, Parameters};
use crate::unread::{assert_claim, assert_others_are_left, assert_unread};
use crate::{lines, names};

/// Checks one input.
pub fn check(data: &[u8]) {
    let Some(([name, value, field], sent)) = lines::split(data) else { return };
    if !names::is_text(name) {
        return;
    }
    let Ok(field) = HeaderValue::from_str(field.trim_matches([' ', '\t'])) else { return };
    let mut fields = Fields::default();
    fields.append(&CONTENT_TYPE, &field);
    let kind = match BodyType::of(&fields) {
        Ok(BodyType::Form(kind)) => kind,
        // Such a body may be forwarded as it is.
        Ok(BodyType::Other) => {
            return assert_unread(name, |model| Some((model.body?)(Some(field.as_bytes()), sent)));
        }
        Ok(BodyType::Disguised | BodyType::MaybeForm) | Err(_) => return,
    };
    content_type::write_plainly(&mut fields);
    let read = |model: &Model, body: &[u8]| -> Option<Parameters> {
        let reads = model.body.filter(|_| kind == FormKind::Urlencoded || model.reads_multipart)?;
        Some(reads(fields.get(&CONTENT_TYPE), body))
    };
    let form = Form { kind: kind.clone(), mapped: Arc::new(MappedNames::default().and_in_forms([name])) };

    form.assert_overwritten(sent, |body| assert_unread(name, |model| read(model, body)));
    let Some((removed, found)) = form.filtered(ClaimsOfForm::default(), sent) else {
        return form.assert_same_in_pieces(sent, None, |_| {});
    };
    assert_unread(name, |model| read(model, &removed));
    if !found {
        assert_eq!(removed, sent, "nothing had to be removed");
    }
    assert_eq!(form.values(&removed, name), [[0; 0]; 0], "a removed parameter is still found");
    assert_others_are_left(name, &form.parts(sent), &form.parts(&removed), |part| form.head(part));
    form.assert_same_in_pieces(sent, Some(&removed), |_| {});

    let claims = |claims: &mut ClaimsOfForm| claims.push(&form.kind, name, value).is_ok_and(|pushed| pushed);
    let with_claim = |body: &[u8]| {
        let mut claim = ClaimsOfForm::default();
        claims(&mut claim).then(|| form.filtered(claim, body).expect("it is a form without a claim too").0)
    };
    let (Some(alone), Some(set)) = (with_claim(&form.empty()), with_claim(sent)) else { return };
    assert_claim(name, value, |model| read(model, &alone), |model| read(model, &set));
    // Quotes in a name are escaped, which the gateway does not undo.
    let values = form.values(&set, name);
    assert!(values == [value.as_bytes()] || name.contains('"'), "the gateway reads {values:?}");
    let (mut parts, others) = (form.parts(&set), form.parts(&removed));
    // A multipart form begins with a delimiter.
    parts.remove(usize::from(matches!(form.kind, FormKind::Multipart(_))));
    assert_eq!(parts, others, "setting a claim changed others");
    form.assert_same_in_pieces(sent, Some(&set), |claim| {
        claims(claim);
    });
}

struct Form {
    kind: FormKind,
    mapped: Arc<MappedNames>,
}

impl Form {
    /// The form behind claims and without what is mapped, and whether something was removed.
    fn filtered(&self, claims: ClaimsOfForm, body: &[u8]) -> Option<(Vec<u8>, bool)> {
        let mut found = false;
        let filter = self.filter(claims).filter(Bytes::copy_from_slice(body), |_| found = true).ok()?;
        Some((pieces::joined(filter).expect("a form that was read whole is not broken"), found))
    }

    fn filter(&self, claims: ClaimsOfForm) -> FormFilter {
        let filter =
            FormFilter::new(&self.kind, Arc::clone(&self.mapped), claims, FormMemory::new(usize::MAX));
        filter.expect("there is memory enough")
    }

    /// Panics when a form comes out otherwise where it arrives in pieces.
    fn assert_same_in_pieces(&self, body: &[u8], whole: Option<&[u8]>, claims: impl Fn(&mut ClaimsOfForm)) {
        let length = 1 + body.len() % 9;
        let mut claim = ClaimsOfForm::default();
        claims(&mut claim);
        let (begun, rest) = pieces::of(body, length);
        let filtered = self.filter(claim).filter_stream(begun, rest, None).ok().and_then(pieces::joined);
        assert_eq!(filtered.as_deref(), whole, "in pieces of {length} bytes the form is another");
    }

    /// Panics when a form whose length is known comes out with another, or otherwise than overwritten.
    fn assert_overwritten(&self, body: &[u8], assert_unread: impl Fn(&[u8])) {
        let (begun, rest) = pieces::of(body, 1 + body.len() % 7);
        let filter = self.filter(ClaimsOfForm::default());
        let form = filter.filter_stream(begun, rest, Some(body.len() as u64)).ok().and_then(pieces::joined);
        let Some(form) = form else { return };
        assert_eq!(form.len(), body.len(), "the length has changed");
        let letter = self.mapped.unmapped_letter(match &self.kind {
            FormKind::Urlencoded => b"",
            FormKind::Multipart(boundary) => boundary.as_bytes(),
        });
        let is_same = |(one, other): (&u8, &u8)| one == other || Some(*other) == letter;
        assert!(body.iter().zip(&form).all(is_same), "what is left has changed");
        assert_unread(&form);
    }

    fn values(&self, body: &[u8], name: &str) -> Vec<Vec<u8>> {
        values(&self.kind, &Bytes::copy_from_slice(body), name).expect("what is left is a form")
    }

    fn empty(&self) -> Vec<u8> {
        match &self.kind {
            FormKind::Urlencoded => Vec::new(),
            FormKind::Multipart(boundary) => [&boundary.delimiter()[..], b"--\r\n"].concat(),
        }
    }

    /// Parameters as they were written, and of a multipart form what is before and behind them.
    fn parts<'b>(&self, body: &'b [u8]) -> Vec<&'b [u8]> {
        match &self.kind {
            FormKind::Urlencoded => {
                body.split(|byte| b"&;".contains(&(byte & 0x7f))).filter(|pair| !pair.is_empty()).collect()
            }
            FormKind::Multipart(boundary) => {
                // A line end before the first delimiter is dropped.
                pieces::split(body.strip_prefix(b"\r\n").unwrap_or(body), &boundary.delimiter())
            }
        }
    }

    /// Where a parameter has its name.
    fn head<'p>(&self, part: &'p [u8]) -> &'p [u8] {
        let end: &[u8] = match &self.kind {
            FormKind::Urlencoded => b"=",
            FormKind::Multipart(_) => b"\r\n\r\n",
        };
        pieces::split(part, end).first().copied().unwrap_or_default()
    }
}
