#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The queue, with a thread that takes nothing out of it before the test says so.
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use claimgate_jose::json::Object;
use claimgate_jose::{Algorithm, JwkSet, Policy, SigningKey, UnverifiedToken};

use super::*;

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_full_queue_refuses_and_what_waits_is_checked() {
    let key = SigningKey::generate(Algorithm::ES512).unwrap();
    let token = key.sign(&Object::new(), &Object::new()).unwrap();
    let mut set = Object::new();
    set.insert("keys", vec![key.public_jwk().unwrap().unwrap().into()]);
    let (set, _) = JwkSet::load(&set.into()).unwrap();
    let read = || UnverifiedToken::read(token.as_bytes(), &[&set], |_| {}).unwrap();
    let check = || read().slow_check().unwrap();

    let metrics = SlowSignatureMetrics::default();
    let (slow, waiting) = SlowSignatures::queued(2, metrics.clone());
    let mut first = pin!(slow.check(check()));
    assert!(poll(first.as_mut()).is_pending());
    {
        let mut cancelled = pin!(slow.check(check()));
        assert!(poll(cancelled.as_mut()).is_pending());
    }
    assert_eq!(metrics.values(), (2, 0));
    let mut third = pin!(slow.check(check()));
    assert!(matches!(poll(third.as_mut()), Poll::Ready(Err(Rejection::VerifierBusy))));
    assert_eq!(metrics.values(), (2, 1));

    std::thread::scope(|scope| {
        let (waiting, counted) = (waiting, metrics.clone());
        let thread = scope.spawn(move || {
            let two = waiting.try_iter().collect::<Vec<_>>();
            assert_eq!(two.iter().filter(|one| one.answer.is_closed()).count(), 1);
            let (queue, waiting) = sync_channel(2);
            two.into_iter().for_each(|one| queue.send(one).unwrap());
            drop(queue);
            check_all(&waiting, &counted);
        });
        thread.join().unwrap();
    });
    let Poll::Ready(Ok(checked)) = poll(first.as_mut()) else { panic!("the first is not checked") };
    assert!(read().verify_checked(&checked, &Policy::default(), Duration::ZERO, |_| {}).is_ok());
    assert_eq!(metrics.values(), (0, 1));

    // Nobody takes out any more: refused, not waited for.
    let mut late = pin!(slow.check(check()));
    assert!(matches!(poll(late.as_mut()), Poll::Ready(Err(Rejection::VerifierBusy))));
}
