"""The options of scripts/bench-scale. Needs nothing but Python, so that `--help` works on a bare machine."""

import argparse

from arguments import at_least, some_of

PARTS = ["rest", "domains", "slow"]

EXPLANATION = """\
Measures one claimgate on one core (workers: 1); load and upstream (nginx) share another.

parts
  rest     with 100 domains: from start to ready, memory at rest; and the size of the binary
  domains  10 domains beside 100,000, each with a JWKS of its own: from start to ready, memory for each
           domain, p50 and p99 at half the peak with authentication on and off, and during a reload
  slow     p50 and p99 of requests with new HS256 tokens and with a remembered RS256 token, alone and
           beside a load of new ES512 and RS512 (4096 bits) tokens that takes the rest of the core
"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench-scale", description=EXPLANATION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--parts", type=some_of(PARTS), metavar="A,B", help=f"of {','.join(PARTS)} (all)")
    add("--domains", type=at_least(11), metavar="N", help="how many domains stand beside 10 (100000)")
    add("--rounds", type=at_least(1), metavar="N", help="how often each load is run (3)")
    add("--seconds", type=at_least(1), metavar="N", help="how long one load runs (6)")
    add("--write", action="store_true", help="write the result to bench/SCALE.md too")
    add("--smoke", action="store_true", help="does it still work? says nothing about speed")
    options = parser.parse_args()
    if options.smoke and options.write:
        parser.error("--smoke measures nothing that is worth writing: leave out --write")
    options.parts = options.parts or PARTS
    options.domains = options.domains or (1000 if options.smoke else 100_000)
    options.rounds = options.rounds or (1 if options.smoke else 3)
    options.seconds = options.seconds or (1 if options.smoke else 6)
    return options


if __name__ == "__main__":
    parse()
