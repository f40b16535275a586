"""Starts a program with sockets, as systemd does (sd_listen_fds(3)): `activate.py NAME=FD… -- PROGRAM…`."""

import fcntl
import os
import sys

split = sys.argv.index("--")
sockets = [argument.rpartition("=") for argument in sys.argv[1:split]]
# First away from the numbers that they get, so that none overwrites another.
files = [fcntl.fcntl(int(file), fcntl.F_DUPFD, 100) for _, _, file in sockets]
for number, file in enumerate(files, 3):
    os.dup2(file, number, inheritable=True)
os.environ |= {
    "LISTEN_PID": str(os.getpid()),
    "LISTEN_FDS": str(len(files)),
    "LISTEN_FDNAMES": ":".join(name for name, _, _ in sockets),
}
os.execv(sys.argv[split + 1], sys.argv[split + 1 :])
