//! Gives a request the path that its route's `rewriteConfig` wants.
//!
//! This comes after the request was authenticated: whitelist and blacklist judge what the client has sent.
//! It comes before claims are set, so that a query that a rule adds cannot carry a mapped parameter either.

use claimgate_config::snapshot::{Limits, RewriteRules, Rewritten, Route};

use crate::path::{PathError, RequestPath};
use crate::refusal::Refusal;
use crate::rejection::Rejection;
use crate::request::FunctionRequest;
use crate::step::{Observer, Step};

/// Why a path that a rule has made is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// It is no path that a client could have sent.
    #[error("the path as it was rewritten cannot be used: {0}")]
    Path(#[from] PathError),
    /// It would lead elsewhere than the rule says.
    #[error("the path as it was rewritten has dot segments, or a function may find some in it")]
    DotSegments,
}

/// The path for the function, and the query in the request; `None` when no rule matches.
pub fn rewrite<'s>(
    route: &'s Route,
    path: &RequestPath<'_>,
    request: &mut FunctionRequest<'_>,
    limits: &Limits,
    observer: &mut impl Observer<'s>,
) -> Result<Option<String>, Rejection> {
    let Some(rules) = &route.rewrite else {
        return Ok(None);
    };
    let rewritten = apply(rules, path);
    observer.observe(Step::Rewrite(rewritten.as_ref()));
    let Some(Rewritten { path, query, .. }) = rewritten else {
        return Ok(None);
    };
    let own = request.query.as_deref();
    let length = path.len() + query.as_ref().map_or(0, String::len) + own.map_or(0, <[u8]>::len);
    if length > limits.request_line_bytes {
        return Err(Refusal::TargetTooLong { limit: limits.request_line_bytes }.into());
    }
    judge(&path)?;
    if let Some(query) = query {
        let mut query = query.into_bytes();
        if let Some(own) = own {
            query.push(b'&');
            query.extend_from_slice(own);
        }
        request.query = Some(query.into());
    }
    Ok(Some(path))
}

fn apply<'s>(rules: &'s RewriteRules, path: &RequestPath<'_>) -> Option<Rewritten<'s>> {
    let mut rewritten = rules.rewrite(path.canonical())?;
    // Behind two slashes some functions would read the name of another host.
    let slashes = rewritten.path.bytes().take_while(|&byte| byte == b'/').count();
    rewritten.path.drain(..slashes.saturating_sub(1));
    Some(rewritten)
}

/// Captured text may be any part of a path, so that together with the rule's own it may be what no client
/// could send, or what leads out of the folder that the rule names.
fn judge(path: &str) -> Result<(), RewriteError> {
    let path = RequestPath::parse(path)?;
    let leads_elsewhere = path.has_dot_segments() || path.may_leave_its_folder();
    if leads_elsewhere { Err(RewriteError::DotSegments) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
