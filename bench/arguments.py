"""The options of scripts/bench. Needs nothing but Python, so that `--help` works on a bare machine."""

import argparse

ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"]
WORKLOADS = ["one", "users", "new"]
PARTS = ["h1", "h2", "latency"]

EXPLANATION = """\
Measures, on one core each, with the same upstream and the same tokens: claimgate, HAProxy, nginx as a
pass-through, and an application that verifies with Node and jose.

parts
  h1       greatest throughput over HTTP/1.1, with wrk
  h2       greatest throughput over HTTP/2 (prior knowledge, no TLS), with h2load
  latency  p50 and p99 over HTTP/1.1 at half of claimgate's peak with every token verified, with h2load

workloads, which differ for claimgate alone, as the others remember no tokens
  one      one token, always found among the verified ones
  users    one token for each of 10,000 users, found from the second time on
  new      tokens that the cache cannot have: more of them in turn than it holds, so that look-up,
           verification, insertion and eviction are paid. h2load sends one token only; there the
           cache is off instead, and the row says `uncached`.

rows     plain (no token) for nginx, HAProxy and claimgate; for each algorithm HAProxy, Node and claimgate
         with each workload. HAProxy 2.6 has no EdDSA. `scripts/bench --list` prints them.
time     rows x rounds x seconds and a bit: some 20 minutes with everything on a quiet machine. All proxies
         of a part stay up meanwhile and are measured in turn, since the speed of a machine changes from
         second to second: many short rounds tell more than a few long ones. A run that other programs
         disturb is repeated at most twice: on a busy machine it takes three times as long.
"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=EXPLANATION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--algorithms", type=some_of(ALGORITHMS), metavar="A,B", help=f"of {','.join(ALGORITHMS)} (all)")
    add("--workloads", type=some_of(WORKLOADS), metavar="A,B", help=f"of {','.join(WORKLOADS)} (all)")
    add("--parts", type=some_of(PARTS), metavar="A,B", help=f"of {','.join(PARTS)} (all)")
    add("--rounds", type=at_least(1), metavar="N", help="how often each row is measured (9)")
    add("--seconds", type=at_least(1), metavar="N", help="how long one run takes (1)")
    add("--users", type=at_least(2000), metavar="N", help="how many tokens are sent in turn, 2000 or more (10000)")
    add("--list", action="store_true", help="print the rows and measure nothing")
    add("--write", action="store_true", help="write the result to bench/RESULTS.md too")
    add("--smoke", action="store_true", help="does it still work? 1 round of 1 second of a few rows; says nothing about speed")
    add("--install", action="store_true", help="install what is missing first (as root; otherwise it is named, and nothing is done)")
    arguments = parser.parse_args()
    if arguments.smoke and arguments.write:
        parser.error("--smoke measures nothing that is worth writing: leave out --write")
    smoke = arguments.smoke
    arguments.algorithms = arguments.algorithms or (["ES256"] if smoke else ALGORITHMS)
    arguments.workloads = arguments.workloads or WORKLOADS
    arguments.parts = arguments.parts or PARTS
    arguments.rounds = arguments.rounds or (1 if smoke else 9)
    arguments.seconds = arguments.seconds or 1
    arguments.users = arguments.users or (2000 if smoke else 10_000)
    return arguments


def some_of(names: list[str]):
    def chosen(text: str) -> list[str]:
        wrong = [name for name in text.split(",") if name not in names]
        if wrong:
            raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(names)}")
        return [name for name in names if name in text.split(",")]

    return chosen


def at_least(least: int):
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return number


if __name__ == "__main__":
    parse()
