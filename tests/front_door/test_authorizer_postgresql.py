"""Users of an authorizer in PostgreSQL."""

import pytest

from support.authorizer import password_hash, user
from support.certificates import Authority
from support.postgresql import PostgreSql
from support.tokens import b64u_decode

DATABASE_PASSWORD = "password-of-the-database"
HASH_PARAMETERS = {"memoryKib": 64, "iterations": 1, "parallelism": 1}


@pytest.fixture(scope="module")
def database():
    server = PostgreSql()
    people = [user("snow", "winter is coming"), user("Stark", "needle")]
    server.sql(f"""
        create user authorizer password '{DATABASE_PASSWORD}';
        create type rank as enum ('ranger', 'steward');
        create table users (
            id bigint, password_hash text, username text, name text, roles text[], ranks rank[], big numeric, admin bool,
            ratio float8, born date, seen timestamptz, settings jsonb, key uuid, nothing text, teams int[]
        );
        grant select on users to authorizer;
        insert into users (id, username, password_hash, name) values (2, 'Stark', '{people[1]["passwordHash"]}', 'Arya');
        insert into users values
            (9007199254740993, '{people[0]["passwordHash"]}', 'snow', 'John "Snow" ☃', '{{a,"b c"}}', '{{ranger}}',
             12345678901234567890.10, true, 0.5, '1999-01-02', '2026-01-02 03:04:05+00', '{{"theme": {{"dark": true}}}}',
             '0a1b2c3d-0000-4000-8000-00000000ffff', null, '{{1,2}}');
        insert into users (id, username, password_hash) values
            (3, 'twice', '{people[0]["passwordHash"]}'), (4, 'twice', '{people[0]["passwordHash"]}'),
            (5, 'bcrypt', '$2b$12$abcdefghijklmnopqrstuv'), (6, 'nohash', null),
            (7, 'huge', '$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc');
    """)
    yield server
    server.stop()


@pytest.fixture
def connect(database, authorizer, tmp_path):
    """Starts an authorizer whose users are in the database."""

    def start(query="select * from users where username = $1;", connection="", claims=None, **settings):
        password_file = tmp_path / "database-password"
        password_file.write_text(DATABASE_PASSWORD + "\n")
        settings = {
            "connection": connection or f"host={database.folder} port={database.port} user=authorizer dbname=postgres",
            "passwordFile": str(password_file),
            "query": query,
            "hashParameters": HASH_PARAMETERS,
            "timeoutSeconds": 20,
            **settings,
        }
        login = authorizer(users={"postgresql": settings}, claims=claims or {})
        login.secrets |= {DATABASE_PASSWORD, password_hash("winter is coming"), password_hash("needle")}
        return login

    return start


def test_columns_become_claims_of_their_types(connect):
    names = ["name", "roles", "ranks", "big", "admin", "ratio", "born", "seen", "settings", "key", "nothing", "teams"]
    login = connect(claims={"sub": "{id}", "user": "{username}", **{name: f"{{{name}}}" for name in names}})
    login.wait_for_log(lambda line: line["message"] == "the database answers")
    token = login.token()
    claims = login.claims(token)
    assert {name: claims.get(name) for name in ["sub", "user", *names]} == {
        "sub": "9007199254740993",
        "user": "snow",
        "name": 'John "Snow" ☃',
        "roles": ["a", "b c"],
        "ranks": ["ranger"],
        "big": 12345678901234567890.10,
        "admin": True,
        "ratio": 0.5,
        "born": "1999-01-02",
        "seen": claims["seen"],
        "settings": {"theme": {"dark": True}},
        "key": "0a1b2c3d-0000-4000-8000-00000000ffff",
        "nothing": None,
        "teams": [1, 2],
    }
    assert claims["seen"].startswith("2026-01-02T03:04:05") and "nothing" not in claims
    assert b'"big":12345678901234567890.10' in b64u_decode(token.split(".")[1])


def test_unknown_users_and_wrong_passwords_are_answered_alike_after_as_many_runs(connect):
    login = connect()
    answers = []
    for username, password in [("snow", "wrong password"), ("nobody", "x"), ("sn\0w", "x"), ("' or true --", "x"), ("bcrypt", "x"), ("nohash", "x"), ("huge", "x")]:
        before = login.argon2_runs()
        response = login.log_in(username, password)
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        answers.append((response.status_code, headers, response.content))
        assert login.argon2_runs() == before + 1
    assert answers == [answers[0]] * len(answers) and answers[0][0] == 400
    for username, told in [("bcrypt", "found a bcrypt hash"), ("nohash", "no text in the column"), ("huge", "1048576 KiB")]:
        login.wait_for_log(lambda line, username=username, told=told: line.get("user") == username and told in line["message"])


def test_the_database_decides_which_names_are_the_same(connect, database):
    login = connect("select password_hash, username, name from users where lower(username) = lower($1)", claims={"name": "{name}"})
    claims = login.claims(login.token("STARK", "needle"))
    assert (claims["sub"], claims["name"]) == ("Stark", "Arya")


def test_the_first_column_is_the_hash_when_none_is_called_so(connect):
    login = connect("select password_hash as h, id from users where username = $1 -- a comment", claims={"id": "{id}", "h": "{h}"})
    claims = login.claims(login.token())
    assert claims["id"] == 9007199254740993 and "h" not in claims and claims["sub"] == "snow"


def test_more_than_one_row_is_a_failure(connect):
    login = connect()
    response = login.log_in("twice")
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert response.headers["retry-after"] == "5"
    login.wait_for_log(lambda line: "more than one row" in line.get("reason", ""))
    assert login.log_in().status_code == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select password_hash from missing where username = $1", 'relation "missing" does not exist'),
        ("selct $1", "syntax error"),
        ("select password_hash from users where id = $1", "must have one parameter, $1, of a type for text"),
        ("select password_hash from users where username = $1 and name = $2", "must have one parameter"),
        ("select password_hash, id, id from users where username = $1", "columns must have names that differ"),
        ("select password_hash, 1/(id-2) from users where username = $1 or true", "SQLSTATE 22012"),
    ],
)
def test_a_query_that_cannot_work_is_told_and_nobody_logs_in(connect, query, told):
    login = connect(query)
    assert login.log_in("snow").status_code == 503
    login.wait_for_log(lambda line: told in line.get("reason", "") and line["level"] == "ERROR")
    assert login.get("/healthz").status_code == 200


def test_what_was_typed_is_not_in_the_log_when_the_database_quotes_it(connect):
    login = connect("select password_hash from users where id = ($1::text)::bigint")
    typed = "my-password-in-the-wrong-field"
    login.secrets.add(typed)
    assert login.log_in(typed, "x").status_code == 503
    login.wait_for_log(lambda line: "SQLSTATE 22P02" in line.get("reason", ""))


def test_a_slow_database_is_not_waited_for(connect):
    login = connect("select password_hash from users, pg_sleep(1000) where username = $1", timeoutSeconds=1)
    assert login.log_in().status_code == 503
    login.wait_for_log(lambda line: "timeoutSeconds" in line.get("reason", "") or "SQLSTATE 57014" in line.get("reason", ""))


def test_it_connects_again_after_the_database_was_away(connect, database):
    login = connect(maxConnections=2)
    assert login.log_in().status_code == 200
    database.stop_server()
    away = login.log_in()
    assert (away.status_code, away.json()["error"]) == (503, "temporarily_unavailable")
    assert login.get("/healthz").status_code == 200
    database.start(database.port)
    assert login.log_in().status_code == 200
    # Connections that the server ended while nobody looked are replaced within the request.
    database.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claimgate authorizer'")
    assert login.log_in().status_code == 200
    assert database.sql("select count(*) from pg_stat_activity where application_name = 'claimgate authorizer'").strip() in ("1", "2")


def test_it_starts_without_the_database(connect, database):
    database.stop_server()
    login = connect()
    login.wait_for_log(lambda line: "cannot connect to the database" in line.get("reason", ""))
    assert login.log_in().status_code == 503
    database.start(database.port)
    assert login.log_in().status_code == 200


def test_a_wrong_database_password_is_told_without_it_and_a_right_one_is_taken_over(connect, tmp_path):
    wrong = tmp_path / "wrong-password"
    wrong.write_text("another-password")
    login = connect(passwordFile=str(wrong))
    login.secrets.add("another-password")
    assert login.log_in().status_code == 503
    login.wait_for_log(lambda line: "password authentication failed" in line.get("reason", ""))
    wrong.write_text(DATABASE_PASSWORD)
    assert login.log_in().status_code == 200


def test_the_connection_may_hold_the_password(connect, database):
    connection = f"postgresql://authorizer:{DATABASE_PASSWORD}@127.0.0.1:{database.port}/postgres?sslmode=disable"
    assert connect(connection=connection, passwordFile=None).log_in().status_code == 200


@pytest.fixture
def authority(database, tmp_path):
    """Lets the database serve TLS with a certificate for 127.0.0.1, for the test."""
    authority = Authority(tmp_path)
    files = [database.folder / "server.pem", database.folder / "server.key"]
    authority.issue(*files, "127.0.0.1")
    database.own(*files)
    database.stop_server()
    database.start(database.port, "ssl=on", f"ssl_cert_file={files[0]}", f"ssl_key_file={files[1]}")
    yield authority
    database.stop_server()
    database.start(database.port)


def test_tls_to_the_database_is_verified_whenever_it_is_used(connect, database, authority):
    connection = f"host=127.0.0.1 port={database.port} user=authorizer dbname=postgres sslmode="
    for mode in ("prefer", "require", "verify-full"):
        login = connect(connection=connection + mode, rootCertificateFile=str(authority.file))
        assert login.log_in().status_code == 200, mode
        uses_tls = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'authorizer'"
        assert database.sql(uses_tls).strip() == "t"
        assert login.stop() == 0

        untrusted = connect(connection=connection + mode)
        assert untrusted.log_in().status_code == 503, mode
        untrusted.wait_for_log(lambda line: "invalid peer certificate: UnknownIssuer" in line.get("reason", ""))
    other_name = connect(connection=connection.replace("host=127.0.0.1", "host=localhost hostaddr=127.0.0.1") + "require", rootCertificateFile=str(authority.file))
    assert other_name.log_in().status_code == 503
    other_name.wait_for_log(lambda line: "certificate not valid for name" in line.get("reason", ""))
    assert connect(connection=connection + "disable").log_in().status_code == 200


def test_a_database_without_tls_is_refused_where_it_is_required(connect, database):
    connection = f"host=127.0.0.1 port={database.port} user=authorizer dbname=postgres sslmode=require"
    login = connect(connection=connection)
    assert login.log_in().status_code == 503
    login.wait_for_log(lambda line: "server does not support TLS" in line.get("reason", ""))
