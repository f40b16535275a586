#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use claimgate_jose::Algorithm;
use proptest::prelude::*;

use super::folder::KeyFolder;
use super::*;

const START: u64 = 1_700_000_000;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(START + seconds)
}

fn settings(folder: &Path) -> KeySettings {
    KeySettings {
        folder: KeyFolder::new(folder.join("keys")),
        algorithm: Algorithm::EdDSA,
        publish_ahead: Duration::from_secs(300),
        lifetime: Duration::from_secs(3600),
    }
}

fn ring(settings: &KeySettings) -> KeyRing {
    KeyRing::new(settings.folder.read().unwrap().keys, settings.lifetime)
}

fn published(settings: &KeySettings, seconds: u64) -> usize {
    ring(settings).published(at(seconds)).count()
}

fn active(settings: &KeySettings, seconds: u64) -> String {
    ring(settings).active(at(seconds)).unwrap().id.clone()
}

#[test]
fn a_rotation_publishes_before_it_signs_and_keeps_the_old_key_until_its_last_token_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    first_key(&settings, at(0)).unwrap();
    first_key(&settings, at(1)).unwrap();
    assert_eq!(published(&settings, 1), 1);
    let first = active(&settings, 1);

    let second = rotate(&settings, at(1000), false).unwrap();
    assert_eq!(second.signs_in, Duration::from_secs(300));
    assert_eq!((active(&settings, 1299), published(&settings, 1000)), (first.clone(), 2));
    assert_eq!(active(&settings, 1300), second.key_id);
    let last_token_expires = 1299 + 3600;
    assert_eq!(published(&settings, last_token_expires + 361), 2);
    assert_eq!(published(&settings, last_token_expires + 362), 1);

    let pending = rotate(&settings, at(1299), false).unwrap_err().to_string();
    assert!(pending.contains(&format!("the key {} is published already and signs in 1 s", second.key_id)));
    let third = rotate(&settings, at(6000), false).unwrap();
    assert_eq!(third.removed, [folder.path().join(format!("keys/{first}.jwk.json"))]);
    assert!(!third.removed[0].exists());
    assert_eq!((active(&settings, 6299), active(&settings, 6300)), (second.key_id, third.key_id));
}

#[test]
fn a_rotation_at_once_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let first = rotate(&settings, at(0), false).unwrap();
    assert_eq!((first.signs_in, active(&settings, 0)), (Duration::ZERO, first.key_id));
    let pending = rotate(&settings, at(10), false).unwrap();
    let at_once = rotate(&settings, at(20), true).unwrap();
    assert_eq!(active(&settings, 20), at_once.key_id);
    assert_eq!(active(&settings, 310), pending.key_id);
}

#[test]
fn a_key_made_in_the_same_second_as_the_one_before_signs_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let now = at(0) + Duration::from_millis(300);
    for _ in 0..8 {
        // The order of two random names would be right half of the time.
        let made = rotate(&settings, now, true).unwrap();
        let later = now + Duration::from_secs(10);
        assert_eq!(ring(&settings).active(later).unwrap().id, made.key_id);
    }
}

#[test]
fn files_are_private_and_what_is_no_key_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    first_key(&settings, at(0)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let keys = folder.path().join("keys");
    let key = keys.join(format!("{}.jwk.json", active(&settings, 0)));
    assert_eq!((mode(&keys), mode(&key)), (0o700, 0o600));

    fs::write(keys.join("README"), "x").unwrap();
    fs::write(keys.join("broken.jwk.json"), "{\"d\":\"hunter2\"}").unwrap();
    fs::write(
        keys.join("public.jwk.json"),
        r#"{"kty":"oct","kid":"x","k":"aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnRlcg","nbf":0}"#,
    )
    .unwrap();
    fs::copy(&key, keys.join("copy.jwk.json")).unwrap();
    fs::create_dir(keys.join("folder.jwk.json")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(keys.join(".new-abandoned"), "x").unwrap();
    let contents = settings.folder.read().unwrap();
    assert_eq!(contents.keys.len(), 1);
    let told = [contents.broken.join("\n"), contents.warnings.join("\n")].join("\n");
    for part in [
        "broken.jwk.json",
        "public.jwk.json",
        "folder.jwk.json",
        "README is no key",
        "copy.jwk.json must have the name",
        "640; it should be 600",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("hunter2") && !told.contains("aHVudGVyMm"), "{told}");

    let rotated = rotate(&settings, at(5000), false).unwrap();
    assert!(rotated.warnings.iter().any(|warning| warning.contains("broken.jwk.json")));
    assert!(keys.join("broken.jwk.json").exists() && !keys.join(".new-abandoned").exists());
}

#[test]
fn keys_that_are_all_broken_are_not_replaced_silently() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/a.jwk.json"), "{}").unwrap();
    first_key(&settings, at(0)).unwrap();
    assert!(settings.folder.read().unwrap().keys.is_empty());
    let error = rotate(&settings, at(0), false).unwrap_err().to_string();
    assert!(error.contains("a.jwk.json"), "{error}");
}

#[test]
fn rotations_at_the_same_time_make_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let everybody = |work: fn(&KeySettings) -> bool| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| work(&settings))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|done| *done).count()
        })
    };
    assert_eq!(everybody(|settings| first_key(settings, at(0)).is_ok()), 8);
    assert_eq!(published(&settings, 0), 1);
    assert_eq!(everybody(|settings| rotate(settings, at(100), false).is_ok()), 1);
    assert_eq!(published(&settings, 100), 2);
}

#[test]
fn a_key_signs_what_its_published_part_verifies() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.name().starts_with("HS")) {
        let key = Key::generate(algorithm, at(0)).unwrap();
        let read = Key::parse(key.to_file(at(0)).unwrap().as_bytes()).unwrap();
        assert_eq!((&read.id, &read.public, read.signs_from), (&key.id, &key.public, key.signs_from));
        assert!(!read.public.to_string().contains("\"d\""));
    }
}

proptest! {
    /// At every moment there is a key that signs and it is published, and whatever has signed within
    /// the lifetime of tokens is published still.
    #[test]
    fn what_is_valid_is_published(starts in proptest::collection::vec(0u64..20_000, 1..6), now in 0u64..30_000) {
        let key = Key::generate(Algorithm::EdDSA, at(0)).unwrap().to_file(at(0)).unwrap();
        let keys = starts.iter().enumerate().map(|(number, start)| {
            let mut key = Key::parse(key.as_bytes()).unwrap();
            key.id = format!("key-{number}");
            key.signs_from = at(*start);
            key
        });
        let lifetime = 3600;
        let ring = KeyRing::new(keys.collect(), Duration::from_secs(lifetime));
        let published: Vec<_> = ring.published(at(now)).map(|key| &key.id).collect();
        for then in now.saturating_sub(lifetime)..=now {
            prop_assert!(published.contains(&&ring.active(at(then)).unwrap().id));
        }
        prop_assert_eq!(published.len() + ring.over(at(now)).count(), starts.len());
    }
}
