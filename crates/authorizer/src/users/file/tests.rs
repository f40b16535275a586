#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use claimgate_login::password::Password;

const CHEAP: Parameters = Parameters { memory_kib: 16, iterations: 1, parallelism: 1 };

fn hash(password: &str, parameters: Parameters) -> String {
    let password = Password::new(password.as_bytes().to_vec());
    PasswordHash::of(&password, parameters).unwrap().to_phc().unwrap()
}

fn claims(yaml: &str) -> Claims {
    let read = |field: &Field<'_>, report: &mut Report| Some(Claims::read(Some(field.clone()), report));
    claimgate_config::read_text(yaml, Path::new("c"), "claims", read).unwrap().0
}

fn load(yaml: &str, with: &str) -> Result<(UsersFile, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.yaml");
    std::fs::write(&path, yaml).unwrap();
    let told = |problems: Problems| problems.to_string().replace(&format!("{}:", path.display()), "");
    let loaded = UsersFile::load(&path, 64 * 1024, &claims(with));
    loaded.map(|(users, warnings)| (users, told(warnings))).map_err(told)
}

#[test]
fn finds_users_by_the_bytes_of_their_names() {
    let hash = hash("winter", Parameters::default());
    let yaml = format!(
        "users:\n- {{username: snow, passwordHash: {hash:?}, roles: [ranger], age: 17}}\n- {{username: Snow, \
         passwordHash: {hash:?}}}\n- {{username: \"sn\u{f8}w\", passwordHash: {hash:?}}}\n"
    );
    let (users, warnings) = load(&yaml, "{}").unwrap();
    assert_eq!(warnings, "");
    let found = |name: &str| users.find(name).fields.map(|fields| fields.to_string());
    assert_eq!(found("snow").unwrap(), r#"{"username":"snow","roles":["ranger"],"age":17}"#);
    assert_eq!(found("Snow").unwrap(), r#"{"username":"Snow"}"#);
    assert!(found("sn\u{f8}w").is_some());
    for unknown in ["SNOW", "snow ", "sno\u{308}w", "", "snow\0"] {
        assert!(found(unknown).is_none(), "{unknown:?}");
        assert_eq!(users.find(unknown).hash.parameters(), Parameters::default());
    }
}

#[test]
fn an_unknown_user_costs_what_most_users_cost() {
    let costly = Parameters { iterations: 3, ..CHEAP };
    let user = |name: &str, parameters| {
        format!("- {{username: {name}, passwordHash: {:?}}}\n", hash("x", parameters))
    };
    let yaml = format!("users:\n{}{}{}", user("a", costly), user("b", CHEAP), user("c", CHEAP));
    let (users, warnings) = load(&yaml, "{}").unwrap();
    assert_eq!(users.find("nobody").hash.parameters(), CHEAP);
    assert!(warnings.contains("2:3: warning: users[0]: the hashes of this user and of 0 more have other"));
    assert!(warnings.contains("and of 2 more take less work (m=16,t=3,p=1) than OWASP recommends"));

    let yaml = format!("users:\n{}{}", user("a", costly), user("b", CHEAP));
    assert_eq!(load(&yaml, "{}").unwrap().0.find("nobody").hash.parameters(), costly);
    let (users, warnings) = load("users: []", "{}").unwrap();
    assert_eq!(users.find("nobody").hash.parameters(), Parameters::default());
    assert_eq!(warnings, "1:1: warning: there are no users, so nobody can log in");
}

#[test]
fn mistakes_are_told_where_they_stand_and_secrets_are_not() {
    let good = hash("winter", CHEAP);
    let huge = "$argon2id$v=19$m=65537,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for (user, right) in [
        (
            "username: a, passwordHash: hunter2",
            "2:31: error: users[0].passwordHash: expected an Argon2id hash ($argon2id$v=19$…), found something else, perhaps a plain password; make one with `claimgate authorizer hash`",
        ),
        (
            "username: a, passwordHash: 4711",
            "2:31: error: users[0].passwordHash: expected an Argon2id hash, made by `claimgate authorizer hash`, as a string",
        ),
        (
            "username: a, passwordHash: [hunter2]",
            "2:31: error: users[0].passwordHash: expected an Argon2id hash, made by `claimgate authorizer hash`, as a string",
        ),
        (
            "username: a, passwordHash: $2b$12$hunter2",
            "2:31: error: users[0].passwordHash: expected an Argon2id hash ($argon2id$v=19$…), found a bcrypt hash; make one with `claimgate authorizer hash`",
        ),
        (
            &format!("username: a, passwordHash: '{huge}'"),
            "2:31: error: users[0].passwordHash: the hash asks for 65537 KiB of memory, the most is 65536",
        ),
        (
            &format!("username: a, passwordHash: '{good}', password: hunter2"),
            "a password does not belong here; put its hash into passwordHash",
        ),
        (
            &format!("username: 7, passwordHash: '{good}'"),
            "2:14: error: users[0].username: expected a name of at most 255 bytes, found the number 7; put it in quotes if it is meant as a string",
        ),
        (
            &format!("username: '', passwordHash: '{good}'"),
            "2:14: error: users[0].username: expected a name of at most 255 bytes that is not empty",
        ),
        (&format!("passwordHash: '{good}'"), "2:3: error: users[0]: the field username is missing"),
        ("username: a", "2:3: error: users[0]: the field passwordHash is missing"),
        (
            &format!("username: a, passwordHash: '{good}', x: .inf"),
            "users[0].x: a number here is none of JSON's",
        ),
        (
            &format!("username: a, passwordHash: '{good}'}}\n- {{username: a, passwordHash: '{good}'"),
            "3:3: error: users[1]: the user \"a\" is already declared on line 2, column 3",
        ),
    ] {
        let told = load(&format!("users:\n- {{{user}}}\n"), "{}").err().unwrap_or_else(|| panic!("{user}"));
        assert!(told.contains(right), "{user}: {told}");
        for secret in ["hunter2", "4711", "argon2id$v=19$m"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn fields_that_claims_need_are_looked_for() {
    let yaml =
        format!("users:\n- {{username: a, passwordHash: {:?}, id: 7}}\n", hash("x", Parameters::default()));
    let (_, warnings) = load(&yaml, r#"{sub: "{id}", n: "{nmae}"}"#).unwrap();
    assert_eq!(warnings, "1:1: warning: claims use the field \"nmae\", which no user has");
    let told = load(&yaml, r#"{sub: "{mail}"}"#).err().unwrap();
    assert!(
        told.contains("2:3: error: users[0]: the user \"a\" has nothing that makes the claim sub"),
        "{told}"
    );
}
