//! Attempts to log in: growing delays and lock-outs, per user and per address, in constant memory.
//!
//! An attempt is allowed or refused before a password is looked at, by the name that was sent and not
//! by a user who exists, so that nothing can be learned from it. What is neither confirmed nor taken
//! back counts as a failure, a client that hangs up included.

mod counters;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counters::{Counters, Slots};

/// How many failures are allowed, and how long to wait after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptPolicy {
    /// Failures that bring no delay.
    pub free_attempts: u32,
    /// The delay after the first failure that brings one; each further failure doubles it.
    pub first_delay: Duration,
    /// Failures that bring the lock-out; so many attempts may be under way at once, too.
    pub lock_out_after: u32,
    /// How long a lock-out lasts, and the longest delay.
    pub lock_out: Duration,
    /// How long after the last failure all of them are forgotten; not below `lock_out`.
    pub forget_after: Duration,
}

/// Whose attempts were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Those with one name.
    User,
    /// Those from one address.
    Address,
}

/// An attempt that is not allowed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Whose they are.
    pub subject: Subject,
    /// How long until the next is allowed.
    pub wait: Duration,
}

/// The failures so far. Times are those since any fixed moment.
#[derive(Clone)]
pub struct Attempts(Arc<Mutex<Tables>>);

struct Tables {
    users: Counters,
    addresses: Counters,
    /// Pairs of a name and where attempts come from: an address, or a device that is known. `None` where only
    /// names and addresses are counted.
    origins: Option<Counters>,
}

/// What an attempt counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Users,
    Origins,
    Addresses,
}

/// Where the attempts with one name come from.
#[derive(Hash)]
enum Origin<'a> {
    Address(IpAddr),
    Device(&'a str),
}

/// An attempt under way: a failure unless it is told otherwise.
pub struct Attempt {
    attempts: Attempts,
    counted: Vec<(Table, Slots)>,
    verdict: Verdict,
}

enum Verdict {
    Failed(Duration),
    Succeeded(Duration),
    NotJudged,
}

impl Attempts {
    /// None so far. Each table takes 6 MiB.
    pub fn new(user: AttemptPolicy, address: AttemptPolicy) -> Self {
        Self::of(Tables { users: Counters::new(user), addresses: Counters::new(address), origins: None })
    }

    /// None so far; attempts with one name are counted for each address and each known device apart as well,
    /// so that a guesser slows down himself before he slows down others.
    pub fn with_origins(user: AttemptPolicy, address: AttemptPolicy, origin: AttemptPolicy) -> Self {
        let origins = Some(Counters::new(origin));
        Self::of(Tables { users: Counters::new(user), addresses: Counters::new(address), origins })
    }

    fn of(tables: Tables) -> Self {
        Self(Arc::new(Mutex::new(tables)))
    }

    /// Begins an attempt, if it is allowed now.
    ///
    /// # Errors
    ///
    /// How long it has to wait otherwise.
    pub fn begin(&self, username: &str, address: IpAddr, now: Duration) -> Result<Attempt, TooMany> {
        let mut tables = self.tables();
        let (name, address) = (normalized(username), network(address));
        let origin = tables.origins.as_ref().map(|origins| origins.slots(&(&name, Origin::Address(address))));
        let mut counted = vec![(Table::Users, tables.users.slots(&name))];
        counted.extend(origin.map(|slots| (Table::Origins, slots)));
        counted.push((Table::Addresses, tables.addresses.slots(&address)));
        tables.begin(&counted, now)?;
        Ok(Attempt { attempts: self.clone(), counted, verdict: Verdict::Failed(now) })
    }

    /// Begins an attempt from a device that this user has signed in on before, if it is allowed now. It counts
    /// for the device only, so that no one else can be in its way.
    ///
    /// # Errors
    ///
    /// How long it has to wait otherwise.
    pub fn begin_on_device(&self, username: &str, device: &str, now: Duration) -> Result<Attempt, TooMany> {
        let mut tables = self.tables();
        let name = normalized(username);
        let origin = tables.origins.as_ref().map(|origins| origins.slots(&(&name, Origin::Device(device))));
        let counted: Vec<_> = origin.map(|slots| (Table::Origins, slots)).into_iter().collect();
        tables.begin(&counted, now)?;
        Ok(Attempt { attempts: self.clone(), counted, verdict: Verdict::Failed(now) })
    }

    // A panic elsewhere leaves the counters usable.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn begin(&mut self, counted: &[(Table, Slots)], now: Duration) -> Result<(), TooMany> {
        for &(table, slots) in counted {
            let wait = self.table(table).map(|counters| counters.wait(slots, now)).unwrap_or_default();
            if !wait.is_zero() {
                return Err(TooMany { subject: table.subject(), wait });
            }
        }
        for &(table, slots) in counted {
            if let Some(counters) = self.table(table) {
                counters.begin(slots);
            }
        }
        Ok(())
    }

    fn table(&mut self, table: Table) -> Option<&mut Counters> {
        match table {
            Table::Users => Some(&mut self.users),
            Table::Origins => self.origins.as_mut(),
            Table::Addresses => Some(&mut self.addresses),
        }
    }
}

impl Table {
    fn subject(self) -> Subject {
        match self {
            Self::Users | Self::Origins => Subject::User,
            Self::Addresses => Subject::Address,
        }
    }
}

impl Attempt {
    /// The password was right: the user's failures are forgotten. The address keeps its own, since
    /// whoever guesses may have one good login.
    pub fn succeeded(mut self, now: Duration) {
        self.verdict = Verdict::Succeeded(now);
    }

    /// The password was wrong.
    pub fn failed(mut self, now: Duration) {
        self.verdict = Verdict::Failed(now);
    }

    /// Nobody looked at the password.
    pub fn not_judged(mut self) {
        self.verdict = Verdict::NotJudged;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut tables = self.attempts.tables();
        for &(table, slots) in &self.counted {
            let Some(counters) = tables.table(table) else { continue };
            counters.end(slots);
            match self.verdict {
                Verdict::Failed(now) => counters.fail(slots, now),
                Verdict::Succeeded(now) if table != Table::Addresses => counters.forgive(slots, now),
                Verdict::Succeeded(_) | Verdict::NotJudged => {}
            }
        }
    }
}

impl AttemptPolicy {
    /// How long to wait after so many failures.
    fn delay_after(&self, failures: u32) -> Duration {
        if failures >= self.lock_out_after {
            return self.lock_out;
        }
        let Some(doublings) = failures.checked_sub(self.free_attempts) else {
            return Duration::ZERO;
        };
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first_delay.saturating_mul(factor).min(self.lock_out)
    }
}

// Databases may compare names without case, and then every spelling is the same user.
fn normalized(username: &str) -> String {
    username.to_lowercase()
}

/// What one client holds: an IPv4 address, or the /64 network that every IPv6 client has to itself.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests;
