#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> AttemptPolicy {
    AttemptPolicy {
        free_attempts: 3,
        first_delay: SECOND,
        lock_out_after: 6,
        lock_out: 60 * SECOND,
        forget_after: 120 * SECOND,
    }
}

fn attempts() -> Attempts {
    Attempts::new(policy(), AttemptPolicy { free_attempts: 1000, lock_out_after: 1000, ..policy() })
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Fails to log in as soon as it is allowed; gives the time of the failure.
fn fail(attempts: &Attempts, user: &str, mut now: Duration) -> Duration {
    loop {
        match attempts.begin(user, address("10.0.0.1"), now) {
            Ok(attempt) => {
                attempt.failed(now);
                return now;
            }
            Err(too_many) => now += too_many.wait,
        }
    }
}

fn wait(attempts: &Attempts, user: &str, now: Duration) -> Duration {
    match attempts.begin(user, address("10.0.0.1"), now) {
        Ok(attempt) => {
            attempt.not_judged();
            Duration::ZERO
        }
        Err(too_many) => too_many.wait,
    }
}

#[test]
fn delays_grow_up_to_the_lock_out() {
    let attempts = attempts();
    let mut now = 5 * SECOND;
    for seconds in [0, 0, 1, 2, 4, 60, 60, 60] {
        now = fail(&attempts, "snow", now);
        assert_eq!(wait(&attempts, "snow", now), seconds * SECOND);
    }
    assert_eq!(wait(&attempts, "snow", now + 59 * SECOND), SECOND);
    assert_eq!(wait(&attempts, "snow", now + 60 * SECOND), Duration::ZERO);
    assert_eq!(wait(&attempts, "stark", now), Duration::ZERO);
}

#[test]
fn failures_are_forgotten_after_a_while_and_by_a_success() {
    let attempts = attempts();
    let mut now = SECOND;
    for _ in 0..6 {
        now = fail(&attempts, "snow", now);
    }
    now += 121 * SECOND;
    fail(&attempts, "snow", now);
    assert_eq!(wait(&attempts, "snow", now), Duration::ZERO);

    for _ in 0..4 {
        now = fail(&attempts, "snow", now);
    }
    now += 60 * SECOND;
    attempts.begin("snow", address("10.0.0.1"), now).unwrap().succeeded(now);
    fail(&attempts, "snow", now);
    fail(&attempts, "snow", now);
    assert_eq!(wait(&attempts, "snow", now), Duration::ZERO);
}

#[test]
fn spellings_of_a_name_count_together() {
    let attempts = attempts();
    for user in ["snow", "SNOW", "Snow"] {
        fail(&attempts, user, SECOND);
    }
    assert_eq!(wait(&attempts, "sNOW", SECOND), SECOND);
}

#[test]
fn an_attempt_that_is_given_up_counts_as_a_failure() {
    let attempts = attempts();
    for _ in 0..3 {
        drop(attempts.begin("snow", address("10.0.0.1"), SECOND).unwrap());
    }
    assert_eq!(wait(&attempts, "snow", SECOND), SECOND);
}

#[test]
fn guesses_sent_at_once_do_not_get_past_the_lock_out() {
    let attempts = attempts();
    fail(&attempts, "snow", SECOND);
    let begun: Vec<_> =
        (0..20).filter_map(|_| attempts.begin("snow", address("10.0.0.1"), SECOND).ok()).collect();
    assert_eq!(begun.len(), 5);
    begun.into_iter().for_each(|attempt| attempt.failed(SECOND));
    assert_eq!(wait(&attempts, "snow", SECOND), 60 * SECOND);
    // After the lock-out there is one more guess, not many at once.
    let after = 62 * SECOND;
    let _under_way = attempts.begin("snow", address("10.0.0.1"), after).unwrap();
    assert_eq!(wait(&attempts, "snow", after), SECOND);
}

#[test]
fn addresses_are_counted_for_all_users_together_and_keep_their_failures() {
    let attempts = Attempts::new(policy(), policy());
    for number in 0..6 {
        let now = u32::try_from(number).unwrap() * 10 * SECOND;
        attempts.begin(&format!("user-{number}"), address("10.0.0.1"), now).unwrap().failed(now);
    }
    let now = 50 * SECOND;
    let refused = attempts.begin("other", address("10.0.0.1"), now).err().unwrap();
    assert_eq!(refused, TooMany { subject: Subject::Address, wait: 60 * SECOND });
    assert!(attempts.begin("other", address("::ffff:10.0.0.1"), now).is_err());
    assert!(attempts.begin("other", address("10.0.0.2"), now).is_ok());

    attempts.begin("user-0", address("10.0.0.1"), 110 * SECOND).unwrap().succeeded(110 * SECOND);
    attempts.begin("user-0", address("10.0.0.1"), 110 * SECOND).unwrap().failed(110 * SECOND);
    assert!(attempts.begin("user-0", address("10.0.0.1"), 111 * SECOND).is_err());
}

#[test]
fn an_ipv6_client_is_its_64_network() {
    assert_eq!(network(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
    assert_ne!(network(address("2001:db8:1:2::")), network(address("2001:db8:1:3::")));
}

#[test]
fn a_flood_of_names_neither_frees_a_locked_user_nor_locks_the_others() {
    let mut counters = Counters::new(policy());
    let locked = counters.slots(&"snow");
    (0..6).for_each(|_| counters.fail(locked, SECOND));
    for number in 0..200_000 {
        let slots = counters.slots(&number);
        counters.fail(slots, SECOND);
    }
    assert_eq!(counters.wait(locked, SECOND), 60 * SECOND);
    let refused = (0..10_000)
        .filter(|number| !counters.wait(counters.slots(&format!("other-{number}")), SECOND).is_zero())
        .count();
    // Four counters with three failures each on average make a delay for less than half of the others,
    // and a lock-out for almost nobody.
    let locked_out = (0..10_000)
        .filter(|number| counters.wait(counters.slots(&format!("other-{number}")), SECOND) == 60 * SECOND)
        .count();
    assert!(refused < 5_000, "{refused}");
    assert!(locked_out < 100, "{locked_out}");
}

#[derive(Debug, Clone)]
enum Step {
    Fail(u8),
    Wait(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u8..40).prop_map(Step::Fail),
        1 => (0u8..90).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..400)
}

proptest! {
    /// Against a map that never forgets a name too early: a table that is far too small refuses
    /// whatever the map refuses, at least as long.
    #[test]
    fn a_crowded_table_is_never_more_lenient_than_a_map(steps in steps()) {
        let mut counters = Counters::with_row_bits(policy(), 3);
        let mut map: HashMap<u8, Counters> = HashMap::new();
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Wait(seconds) => now += u32::from(seconds) * SECOND,
                Step::Fail(name) => {
                    let exact = map.entry(name).or_insert_with(|| Counters::with_row_bits(policy(), 0));
                    let (slots, own) = (counters.slots(&name), exact.slots(&name));
                    prop_assert!(counters.wait(slots, now) >= exact.wait(own, now));
                    counters.fail(slots, now);
                    exact.fail(own, now);
                }
            }
        }
    }
}

/// As the console has it: a name is slowed down a little, an address or a device with one name much.
fn with_origins() -> Attempts {
    let user = AttemptPolicy { free_attempts: 6, lock_out_after: 20, lock_out: 5 * SECOND, ..policy() };
    let address = AttemptPolicy { free_attempts: 1000, lock_out_after: 1000, ..policy() };
    Attempts::with_origins(user, address, policy())
}

fn fail_from(attempts: &Attempts, from: &str, now: Duration) -> Result<(), TooMany> {
    attempts.begin("snow", address(from), now).map(|attempt| attempt.failed(now))
}

#[test]
fn a_guesser_slows_down_himself() {
    let (attempts, now) = (with_origins(), SECOND);
    for _ in 0..5 {
        let _ = fail_from(&attempts, "10.0.0.1", now);
    }
    assert!(fail_from(&attempts, "10.0.0.1", now).is_err());
    assert!(attempts.begin("stark", address("10.0.0.1"), now).is_ok(), "another name");
    assert!(attempts.begin("SNOW", address("10.0.0.1"), now).is_err(), "the same name");
    assert!(attempts.begin("snow", address("10.0.0.2"), now).is_ok());
}

#[test]
fn many_guessers_slow_down_a_name_but_no_device_of_its_user() {
    let (attempts, mut now) = (with_origins(), SECOND);
    for host in 1..=100 {
        now += 5 * SECOND;
        fail_from(&attempts, &format!("10.0.1.{host}"), now).unwrap();
    }
    let wait = fail_from(&attempts, "10.0.0.9", now).unwrap_err().wait;
    assert_eq!(wait, 5 * SECOND, "and no longer, however many guess");
    assert!(fail_from(&attempts, "10.0.0.9", now + wait).is_ok());
    attempts.begin_on_device("Snow", "device", now).unwrap().succeeded(now);
}

#[test]
fn a_device_has_its_own_limit() {
    let (attempts, now) = (with_origins(), SECOND);
    let fail = |name: &str, device: &str| {
        attempts.begin_on_device(name, device, now).map(|attempt| attempt.failed(now)).is_ok()
    };
    assert_eq!([(); 5].map(|()| fail("snow", "stolen")), [true, true, true, false, false]);
    assert!(fail("snow", "other") && fail("stark", "stolen"));
    assert!(fail_from(&attempts, "10.0.0.1", now).is_ok());
    attempts.begin_on_device("snow", "other", now).unwrap().succeeded(now);
    assert!(!fail("snow", "stolen"), "the success of another device is none of this one");
}

proptest! {
    #[test]
    fn nobody_else_is_in_the_way_of_a_device(
        guesses in prop::collection::vec((0_u8..4, 0_u64..4), 0..200),
    ) {
        let (attempts, mut now) = (with_origins(), SECOND);
        for (host, seconds) in guesses {
            now += Duration::from_secs(seconds);
            let _ = fail_from(&attempts, &format!("10.0.0.{host}"), now);
            let _ = attempts.begin_on_device("snow", &format!("device {host}"), now);
        }
        prop_assert!(attempts.begin_on_device("snow", "own", now).is_ok());
        prop_assert!(attempts.begin("snow", address("192.0.2.1"), now + 5 * SECOND).is_ok());
    }
}
