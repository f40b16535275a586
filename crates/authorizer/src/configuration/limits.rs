//! `attempts`, `limits`, `hashing` and `timeouts`.

use std::num::NonZero;
use std::time::Duration;

use claimgate_config::reader::{Field, Object};
use claimgate_config::report::Report;

use claimgate_login::AttemptPolicy;

/// Sizes and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The body of a request.
    pub body_bytes: usize,
    /// A password, before it is hashed.
    pub password_bytes: usize,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
}

/// How much Argon2 may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashingLimits {
    /// Runs at once.
    pub concurrent: usize,
    /// Requests that wait for a run; more are answered with 503.
    pub waiting: usize,
    /// What one run may take; hashes that ask for more are refused.
    pub max_memory_kib: u32,
}

/// How long clients may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Until TLS is there, and until a request's header is; also ends idle connections.
    pub header_read: Duration,
    /// Until a request's body is there.
    pub body_read: Duration,
    /// For requests under way after SIGTERM.
    pub drain: Duration,
}

impl Limits {
    pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> Self {
        let mut limits = Self { body_bytes: 16 * 1024, password_bytes: 1024, connections: 1024 };
        each(
            field,
            report,
            [
                ("bodyBytes", 256, 1024 * 1024, " bytes", &mut limits.body_bytes),
                ("passwordBytes", 8, 64 * 1024, " bytes", &mut limits.password_bytes),
                ("connections", 1, 100_000, " connections", &mut limits.connections),
            ],
        );
        limits
    }
}

impl HashingLimits {
    pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let (mut concurrent, mut waiting, mut memory) = (processors, 64, 256 * 1024);
        each(
            field,
            report,
            [
                ("concurrent", 1, 256, " runs", &mut concurrent),
                ("waiting", 0, 10_000, " requests", &mut waiting),
                ("maxMemoryKib", 8, 4 * 1024 * 1024, " KiB", &mut memory),
            ],
        );
        Self { concurrent, waiting, max_memory_kib: u32::try_from(memory).unwrap_or(u32::MAX) }
    }
}

impl Timeouts {
    pub(super) fn read(field: Option<Field<'_>>, report: &mut Report) -> Self {
        let (mut header_read, mut body_read, mut drain) = (10, 10, 30);
        each(
            field,
            report,
            [
                ("headerReadSeconds", 1, 600, " seconds", &mut header_read),
                ("bodyReadSeconds", 1, 600, " seconds", &mut body_read),
                ("drainSeconds", 0, 3600, " seconds", &mut drain),
            ],
        );
        let [header_read, body_read, drain] = [header_read, body_read, drain].map(seconds);
        Self { header_read, body_read, drain }
    }
}

/// The policies for users and for addresses.
pub(super) fn read_attempts(field: Option<Field<'_>>, report: &mut Report) -> (AttemptPolicy, AttemptPolicy) {
    // An address may be that of a whole company.
    let (user, address) = ((3, 10), (20, 100));
    let object = field.and_then(|field| field.object("an object with perUser and perAddress", report));
    let Some(mut object) = object else {
        return (read_policy(None, user, report), read_policy(None, address, report));
    };
    let user = read_policy(object.field("perUser"), user, report);
    let address = read_policy(object.field("perAddress"), address, report);
    object.finish(report);
    (user, address)
}

fn read_policy(
    field: Option<Field<'_>>,
    (mut free_attempts, mut lock_out_after): (usize, usize),
    report: &mut Report,
) -> AttemptPolicy {
    let place = field.as_ref().map(|field| field.place.clone());
    let (mut first_delay, mut lock_out, mut forget_after) = (1, 900, 3600);
    each(
        field,
        report,
        [
            ("freeAttempts", 0, 1_000_000, " attempts", &mut free_attempts),
            ("firstDelaySeconds", 1, 3600, " seconds", &mut first_delay),
            ("lockOutAfter", 1, 1_000_000, " failures", &mut lock_out_after),
            ("lockOutSeconds", 1, 86_400, " seconds", &mut lock_out),
            ("forgetAfterSeconds", 1, 604_800, " seconds", &mut forget_after),
        ],
    );
    if let Some(place) = place {
        if forget_after < lock_out {
            let message =
                format!("forgetAfterSeconds ({forget_after}) must not be below lockOutSeconds ({lock_out})");
            report.error(&place, message);
        }
        if free_attempts > lock_out_after {
            let message = format!(
                "freeAttempts ({free_attempts}) are more than lockOutAfter ({lock_out_after}) lets happen"
            );
            report.warning(&place, message);
        }
    }
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    AttemptPolicy {
        free_attempts: number(free_attempts),
        first_delay: seconds(first_delay),
        lock_out_after: number(lock_out_after),
        lock_out: seconds(lock_out),
        forget_after: seconds(forget_after),
    }
}

/// Name, least, most, unit and place of a number.
type Number<'a> = (&'static str, u64, u64, &'static str, &'a mut usize);

/// Reads the numbers of an object; those left out keep what they are.
fn each<const N: usize>(field: Option<Field<'_>>, report: &mut Report, numbers: [Number<'_>; N]) {
    let Some(mut object): Option<Object<'_>> = field.and_then(|field| field.object("an object", report))
    else {
        return;
    };
    for (name, least, most, unit, number) in numbers {
        let written = object.field(name).and_then(|field| field.integer(least..=most, unit, report));
        if let Some(written) = written.and_then(|written| usize::try_from(written).ok()) {
            *number = written;
        }
    }
    object.finish(report);
}

fn seconds(value: usize) -> Duration {
    Duration::from_secs(u64::try_from(value).unwrap_or(u64::MAX))
}
