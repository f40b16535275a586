//! Which changes need the role `admin`.
//!
//! What stored functions may be is bounded for everyone by `control.allow` of the configuration file. Of that,
//! what reaches beyond HTTP over the network needs the role `admin`: a process runs on the gateway's machine, and
//! a unix socket or a link-local address can lead to what controls it.

use claimgate_config::StoredFunction;

/// What of a function needs the role `admin`; `None` where it needs no more than `editor`. A function that keeps
/// its place may be changed otherwise.
pub fn needs_admin(function: &StoredFunction, earlier: Option<&StoredFunction>) -> Option<&'static str> {
    let what = function.beyond_the_network()?;
    let keeps_place = earlier.is_some_and(|earlier| function.has_place_of(earlier));
    (!keeps_place).then_some(what)
}
