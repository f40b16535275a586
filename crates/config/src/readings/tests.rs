use proptest::prelude::*;

use super::NamePlace::{Cookie, Multipart, Query, Urlencoded};
use super::*;

const PLACES: [NamePlace; 4] = [Query, Urlencoded, Multipart, Cookie];

fn is_read_as(written: &[u8], name: &str, place: NamePlace) -> bool {
    MappedNames::new([name]).and_in_forms([name]).reader().find(written, place).is_some()
}

#[test]
fn each_reading_finds_the_name() {
    let everywhere: &[&[u8]] = &[
        b"uid",
        b"%75id",
        b"%75%69%64",
        b"%2575id",
        b"%252575id",
        b"u%u0069d",
        b"%uid",
        b"uid%",
        b"u%id",
        b"uid[]",
        b"uid[0]",
        b"uid[a][b]",
        b"uid%5B%5D",
        b"uid[x]y",
        b"[uid]",
        b"%5buid%5d",
        b"[uid]]",
        b"[[uid]]",
        b"]uid",
        b"[]uid",
        b"[uid",
        b"uid]",
        b"uid[",
        b"[uid][]",
        b"[uid].x",
        b"[][uid]",
        b" uid",
        b"uid ",
        b"\tuid",
        b"uid\x0b",
        b"uid%00",
        b"uid%00x",
        b"%00uid",
        b"u%00id",
        b"\x01uid%00x",
        b"\xef\xbb\xbfuid",
        b"%EF%BB%BFuid",
        b"\xc2\xa0uid",
        b"%C2%A0uid",
        b"\xa0uid",
        b"uid\xff",
        b"u\xffid",
        b"%85uid",
        b"\"uid\"",
        b"'uid'",
        b"?uid",
        b"??uid",
        b"\xc1\xb5id",
        b"%C1%B5id",
        b"\xf5\xe9\xe4",
        b"u\xe9d",
        b"\\uid",
        b"%E2%80%8Buid",
        b" [uid] ",
        b"uid []",
        b"%E3%80%80uid",
    ];
    for place in PLACES {
        for written in everywhere {
            assert!(is_read_as(written, "uid", place), "{} in {place:?}", written.escape_ascii());
        }
    }
    for written in [&b".uid"[..], b"uid.x", b"..uid", b"uid.x.y", b".uid[0]", b"%2euid"] {
        assert!(is_read_as(written, "uid", Urlencoded), "{}", written.escape_ascii());
    }
    for written in [&b"__Host-uid"[..], b"__Secure-uid", b"%5F_Host-uid"] {
        assert!(is_read_as(written, "uid", Cookie), "{}", written.escape_ascii());
    }
    assert!(is_read_as(b"+uid", "uid", Query) && is_read_as(b"uid+", "uid", Query));
}

#[test]
fn underscores_are_written_in_several_ways() {
    for written in
        ["user_id", "user.id", "user id", "user+id", "user%20id", "user[id", "user[id[]", "user.id[]"]
    {
        assert!(is_read_as(written.as_bytes(), "user_id", Query), "{written}");
    }
    assert!(is_read_as(b"user_id", "user.id", Query));
    assert!(is_read_as(b"user ", "user_", Query));
    for other in ["userid", "user-id", "user__id", "user_i", "user[id]", "user[id][]"] {
        assert!(!is_read_as(other.as_bytes(), "user_id", Query), "{other}");
    }
}

#[test]
fn other_parameters_are_left_alone() {
    let others: &[&[u8]] = &[
        b"",
        b"u",
        b"ui",
        b"uidx",
        b"xuid",
        b"UID",
        b"u[id]",
        b"user[uid]",
        b"my[uid]",
        b"filter[uid]",
        b"uid2",
        b"uid_type",
        b"uid-x",
        b"_uid",
        b"a.uid",
        b"%u",
        b"%",
        b"%zz",
        b"id",
        b"uidd",
        b"u-id",
        b"(uid)",
        b"my[uid][]",
        b"d%C3%A9j%C3%A0",
        b"user%5Buid%5D",
        b"+",
        b"uid%C3%A9",
        b"q%5Buid_eq%5D",
    ];
    for place in PLACES {
        for written in others {
            assert!(!is_read_as(written, "uid", place), "{} in {place:?}", written.escape_ascii());
        }
    }
    for written in ["uid.x", ".uid"] {
        let in_query = MappedNames::new(["uid"]);
        assert_eq!(in_query.reader().find(written.as_bytes(), Query), None, "{written}");
        assert_eq!(in_query.reader().find(written.as_bytes(), Urlencoded), None, "{written}");
        assert!(!is_read_as(written.as_bytes(), "uid", Query), "{written}");
    }
    for place in [Query, Urlencoded, Multipart] {
        assert!(!is_read_as(b"__Host-uid", "uid", place));
    }
    // Browsers know the prefix in this case alone.
    assert!(!is_read_as(b"__host-id", "__Host-id", Cookie) && is_read_as(b"__Host-id", "__Host-id", Cookie));
}

#[test]
fn paths_of_members_are_read_in_bodies() {
    for written in
        ["user.id", "user[id]", "[user].id", "[user][id]", "user.id.x", "user[id][x]", ".user.id", "user_id"]
    {
        assert!(is_read_as(written.as_bytes(), "user.id", Urlencoded), "{written}");
    }
    for other in ["user", "user[name]", "user.idx", "id.user", "x[user][id]"] {
        assert!(!is_read_as(other.as_bytes(), "user.id", Urlencoded), "{other}");
    }
    assert!(is_read_as(b"/uid", "uid", Multipart) && is_read_as(b"//\\uid", "uid", Multipart));
    assert!(!is_read_as(b"/uid", "uid", Query));
}

#[test]
fn a_name_that_erases_all_others_counts_as_mapped() {
    for written in [".defaults", "%2edefaults", ".%64efaults"] {
        for place in [Query, Urlencoded, Multipart] {
            assert!(is_read_as(written.as_bytes(), "uid", place), "{written}");
        }
        assert!(!is_read_as(written.as_bytes(), "uid", Cookie));
    }
    assert!(!is_read_as(b"_defaults", "uid", Query) && !is_read_as(b".default", "uid", Query));
}

#[test]
fn several_names_are_told_apart() {
    let names = MappedNames::new(["uid", "role", "uid"]).and_in_forms(["uid", "\u{fc}ser"]);
    let mut reader = names.reader();
    for (written, position) in [
        (&b"uid"[..], Some(0)),
        (b"[role]", Some(1)),
        ("\u{fc}ser[]".as_bytes(), Some(2)),
        (b"%C3%BCser", Some(2)),
        (b"roles", None),
    ] {
        assert_eq!(reader.find(written, Query), position, "{}", written.escape_ascii());
    }
    assert_eq!(names.position("role"), Some(1));
    assert_eq!(names.position("rol"), None);
}

#[test]
fn headers_are_the_same_when_letters_and_digits_are() {
    for same in ["X-Uid", "x_uid", "x.uid", "X~Uid", "x!uid", "X--Uid", "x-_uid", "x|uid", "x'uid"] {
        assert!(same_header(same.as_bytes(), b"x-uid"), "{same}");
    }
    for other in ["xuid", "x-ui", "x-uids", "x-u-id", "x-uid-", "-x-uid", "", "x", "x-"] {
        assert!(!same_header(other.as_bytes(), b"x-uid"), "{other}");
    }
    assert!(
        header_begins_with(b"x~fc~request~id", b"x-fc-")
            && header_begins_with(b"x-forwarded", b"x-forwarded")
    );
    assert!(!header_begins_with(b"x-f", b"x-fc-") && !header_begins_with(b"x-fc", b"x-fc-"));
}

proptest! {
    /// A name is found whatever its letters are written as, and whatever is around it.
    #[test]
    fn no_mixture_of_readings_hides_a_name(
        before in "[\\[\\] ?\"'\t]{0,4}",
        escapes in prop::collection::vec(0..4u8, 3),
        behind in "(|\\[\\]|\\[x\\]|\\]| |%00|%00x|\\[)",
    ) {
        let write = |(letter, escape): (char, u8)| match escape {
            0 => letter.to_string(),
            1 => format!("%{:02x}", letter as u8),
            2 => format!("%25{:02X}", letter as u8),
            _ => format!("%u00{:02x}", letter as u8),
        };
        let name: String = "uid".chars().zip(escapes).map(write).collect();
        let written = format!("{before}{name}{behind}");
        prop_assert!(is_read_as(written.as_bytes(), "uid", Query), "{written}");
    }

    /// What has not the letters of a name in their order is another name, however it is decoded.
    #[test]
    fn a_name_of_other_letters_is_another_one(written in "[a-ce-tv-z0-9_.\\[\\]-]{0,20}") {
        for place in PLACES {
            prop_assert!(!is_read_as(written.as_bytes(), "uid", place), "{written}");
        }
    }

    #[test]
    fn nothing_panics(written in prop::collection::vec(any::<u8>(), 0..40), name in "[ -~]{1,5}") {
        for place in PLACES {
            is_read_as(&written, &name, place);
        }
    }
}
