"""Who guesses passwords is slowed down and locked out, and learns nothing from it."""

import threading

import pytest

from support.authorizer import SNOW, user

#: Two free attempts, then a delay, and a lock-out after five that outlasts the test.
PER_USER = {"freeAttempts": 2, "firstDelaySeconds": 3, "lockOutAfter": 4, "lockOutSeconds": 1000}
#: Never in the way.
PER_ADDRESS = {"freeAttempts": 1000, "lockOutAfter": 1000}


@pytest.fixture
def login(authorizer):
    return authorizer(users=[SNOW, user("stark")], attempts={"perUser": PER_USER, "perAddress": PER_ADDRESS})


def fail_until_locked_out(login, username: str) -> list[int]:
    """Fails as soon as it is allowed; gives every delay that was asked for."""
    delays = []
    while not delays or delays[-1] < 900:
        response = login.log_in(username, "wrong password")
        if response.status_code == 429:
            delays.append(int(response.headers["retry-after"]))
            if delays[-1] < 900:
                login.wait_until(lambda: login.log_in(username, "wrong password").status_code == 400)
    return delays


@pytest.mark.parametrize("username", ["snow", "nobody"])
def test_delays_grow_up_to_a_lock_out_whether_the_user_exists_or_not(login, username):
    assert [login.log_in(username, "wrong password").status_code for _ in range(2)] == [400, 400]
    delays = fail_until_locked_out(login, username)
    # Three seconds, then six; what is told is what is left of them.
    first, second, locked_out = delays
    assert 0 < first <= 3 < second <= 6 and 990 < locked_out <= 1000
    runs = login.argon2_runs()
    locked = login.log_in(username)
    assert locked.status_code == 429 and locked.json()["error"] == "slow_down"
    assert locked.headers["cache-control"] == "no-store"
    # Not even the right password is looked at.
    assert login.argon2_runs() == runs
    # Other spellings are the same name, other names are not.
    assert login.log_in(username.upper()).status_code == 429
    assert login.log_in("stark").status_code == 200


def test_a_lock_out_looks_the_same_for_users_and_for_others(login):
    answers = []
    for username in ("snow", "nobody"):
        fail_until_locked_out(login, username)
        response = login.log_in(username)
        headers = {name: value for name, value in response.headers.items() if name not in ("date", "retry-after")}
        answers.append((response.status_code, headers, response.content))
    assert answers[0] == answers[1]
    reasons = [line["reason"] for line in login.log if line.get("status") == 429]
    assert set(reasons) == {"too_many_attempts_of_user"}
    assert not [line for line in login.log if line.get("status") == 429 and "user" in line]


def test_a_success_forgives_the_users_failures(login):
    for _ in range(5):
        assert login.log_in("snow", "wrong password").status_code == 400
        assert login.log_in().status_code == 200


def test_guesses_at_the_same_time_do_not_get_past_the_lock_out(login):
    statuses = []
    guess = lambda: statuses.append(login.log_in("snow", "wrong password").status_code)  # noqa: E731
    threads = [threading.Thread(target=guess) for _ in range(24)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert set(statuses) <= {400, 429} and statuses.count(400) <= 4
    assert login.argon2_runs() == statuses.count(400)


def test_refused_requests_are_no_attempts(login):
    for _ in range(10):
        assert login.post(data={"grant_type": "password", "username": "snow"}).status_code == 400
    assert login.log_in().status_code == 200


def test_an_address_is_slowed_down_whatever_names_it_tries(authorizer):
    per_address = {"freeAttempts": 3, "firstDelaySeconds": 500, "lockOutAfter": 10, "lockOutSeconds": 1000}
    login = authorizer(attempts={"perAddress": per_address}, trustedProxies=["127.0.0.0/8"])
    from_address = lambda name, address, password="x": login.log_in(name, password, headers={"X-Forwarded-For": address})  # noqa: E731
    for number in range(3):
        assert from_address(f"user-{number}", "192.0.2.1").status_code == 400
    refused = from_address("user-4", "192.0.2.1")
    assert refused.status_code == 429 and 490 < int(refused.headers["retry-after"]) <= 500
    # What the client itself wrote before the proxy's entry does not help.
    assert from_address("snow", "203.0.113.9, 192.0.2.1").status_code == 429
    assert from_address("snow", "192.0.2.2", "winter is coming").status_code == 200
    line = login.wait_for_log(lambda line: line.get("reason") == "too_many_attempts_of_address")
    assert line["client"] == "192.0.2.1"


def test_without_trusted_proxies_the_header_means_nothing(authorizer):
    login = authorizer(attempts={"perAddress": {"freeAttempts": 2, "firstDelaySeconds": 500, "lockOutSeconds": 1000}})
    statuses = [login.log_in(f"user-{number}", "x", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code for number in range(3)]
    assert statuses == [400, 400, 429]
