//! What is decided on the path of a request, for those who follow it: the log, and whoever wants to see why
//! a request is treated as it is.

use std::time::Instant;

use claimgate_config::snapshot::{ClaimMapping, Domain, JwtAuthentication, Rewritten, Route, TokenSource};
use claimgate_jose::Check;
use claimgate_remote_keys::PublishedKeys;

use crate::authenticate::Lookup;
use crate::claims::Delivery;
use crate::cors::Cors;
use crate::path::{Need, RequestPath};

/// Follows a request on its path. `'s` is the life of the snapshot.
///
/// The path is compiled for each observer, so that what one has no use for costs nothing.
pub trait Observer<'s> {
    /// Something was decided.
    fn observe(&mut self, step: Step<'s, '_>);
}

/// Follows nothing.
impl Observer<'_> for () {
    fn observe(&mut self, _: Step<'_, '_>) {}
}

/// A decision on the path of a request, in the order in which they are taken. What ends a request is a
/// [`Rejection`](crate::rejection::Rejection) and no step.
#[derive(Debug)]
pub enum Step<'s, 'r> {
    /// The request is for this host.
    Host(&'r str),
    /// This domain has the host.
    Domain(&'s Domain),
    /// The domain has a `corsConfig`, and answers to this request say so.
    Cors(&'r Cors<'s>),
    /// Its path may be read in these forms.
    Path(&'r RequestPath<'r>),
    /// This route serves it.
    Route(&'s Route),
    /// The domain's requests need no token.
    Anonymous,
    /// The domain's requests need a JWT, this one perhaps not.
    Jwt { jwt: &'s JwtAuthentication, need: Need<'r> },
    /// A place of the token was looked at.
    LookedUp { source: &'s TokenSource, found: &'r Lookup<'r> },
    /// The token is verified with fetched keys too, of which there may be none yet.
    RemoteKeys { source: &'r str, published: Option<&'r PublishedKeys> },
    /// The token has passed a check.
    Passed(Check<'r>),
    /// The token was taken out of the request (`forwardToken: false`).
    TokenRemoved,
    /// The request was authenticated, or refused, between these points of time. Not told of domains that
    /// authenticate nobody.
    Authenticated(Instant, Instant),
    /// A rule of the route's `rewriteConfig` has made this of the path, or none matches it.
    Rewrite(Option<&'r Rewritten<'s>>),
    /// The client had sent a parameter that a claim is mapped to; that was removed.
    Removed(&'s ClaimMapping),
    /// What became of a claim.
    Claim { mapping: &'s ClaimMapping, delivery: Delivery<'r> },
}
