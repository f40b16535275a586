"""The options of scripts/count-instructions. Needs nothing but Python, so that `--help` works on a bare machine."""

import argparse
from pathlib import Path

import count_rows
from arguments import at_least

REQUESTS = 2000
EXPLANATION = """\
Counts the instructions that claimgate needs for a request, in user space and over all its threads, with
valgrind's callgrind: noise of the machine does not reach the result, so that a change of one per cent shows.
The real process is started, warmed up, and counted while one connection sends requests over HTTP/1.1.

rows
  plain    no authentication: the request with the algorithm's token is passed on as it is
  cached   a token that was verified before
  query    as cached, with claims in the query, which has four parameters of the client's
  new      a token that was not, while the cache is full
  refused  a token with another issuer's signature, answered with 401
  ... with 100,000 domains in place of 10. Requests go to 10 of them in turn.

What it does not see: the kernel's work, and that an instruction waits for memory.
Counts differ between processors (cryptography picks its instructions), compilers and versions of valgrind:
compare what was counted on the same machine. It takes some 5 minutes after the build.
"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/count-instructions",
        description=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="WORD", help="count the rows whose names contain all of these, such as `cached ES256` (all rows)")
    add("--requests", type=at_least(1), default=REQUESTS, metavar="N", help=f"how many are counted for each row ({REQUESTS})")
    add("--list", action="store_true", help="print the rows and count nothing")
    add("--write", action="store_true", help="write the result to bench/INSTRUCTIONS.md, the reference, too")
    add("--compare", action="store_true", help="print the difference to the reference too")
    add("--fail-above", type=percent, metavar="PERCENT", help="compare, and end with 1 when a row needs more than so much above the reference")
    add("--profiles", type=Path, metavar="FOLDER", help="leave a file for callgrind_annotate for each row there")
    add("--install", action="store_true", help="install what is missing first (as root; otherwise it is named, and nothing is done)")
    arguments = parser.parse_args()
    arguments.rows = [row for row in count_rows.ALL if all(word in row.name for word in arguments.words)]
    if not arguments.rows:
        parser.error(f"no row's name contains all of {', '.join(arguments.words)}: see --list")
    if arguments.write and (arguments.words or arguments.requests != REQUESTS):
        parser.error("--write writes all rows, counted in full: leave out words and --requests")
    arguments.compare |= arguments.fail_above is not None
    return arguments


def percent(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of per cent") from None


if __name__ == "__main__":
    parse()
