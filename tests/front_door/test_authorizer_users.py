"""Users of an authorizer in a file."""

from support.authorizer import SNOW, user


def test_a_changed_file_is_taken_over_and_a_bad_one_is_not(authorizer):
    login = authorizer()
    assert login.log_in("stark").status_code == 400
    login.write_users([SNOW, user("stark", name="Arya")])
    login.wait_until(lambda: login.log_in("stark").status_code == 200)

    login.secrets.add("a password in plain text")
    for bad, told in [
        ("users: [", "this is not valid YAML"),
        ([user("stark"), {"username": "bolton", "passwordHash": "a password in plain text"}], "perhaps a plain password"),
        ([user("stark"), {"username": "bolton", "passwordHash": "$2b$12$abcdefghijklmnopqrstuv"}], "found a bcrypt hash"),
        ([user("stark"), user("stark")], "already declared"),
    ]:
        start = len(login.log)
        login.write_users(bad)
        line = login.wait_for_log(lambda line, told=told: told in line["message"] and line["level"] == "ERROR", start)
        assert line["file"].endswith("users.yaml") and line["line"] > 0
        login.wait_for_log(lambda line: line["message"] == "users refused, the last good ones stay", start)
        assert login.log_in("snow").status_code == 200
        assert login.metrics()['claimgate_authorizer_last_reload_good{what="users"}'] == 0

    login.write_users([user("stark")])
    login.wait_until(lambda: login.log_in("snow").status_code == 400)
    assert login.metrics()['claimgate_authorizer_last_reload_good{what="users"}'] == 1
