"""A steady load over HTTP/1.1, as a process of its own. It says when all its clients are at work, ends with its
standard input, and then tells as JSON requests it sent, which of them failed and how many
connections it opened.

Each request is due at a time that does not depend on answers. Half of the clients keep their connection, half
open one for each request, and none repeats anything: what was sent has to be answered.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time

#: An answer that takes longer is a failure.
PATIENCE = 20


class Client:
    """Sends one request after the other."""

    def __init__(self, options, tls: ssl.SSLContext | None, keeps: bool):
        self.options, self.tls, self.keeps = options, tls, keeps
        self.sent = self.opened = self.late = 0
        self.failures: list[str] = []
        lines = [f"GET {options.path} HTTP/1.1", f"Host: {options.host}", *options.header]
        if not keeps:
            lines.append("Connection: close")
        self.request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.streams = None

    async def run(self, first: float, interval: float, end: asyncio.Event):
        due = first
        while not end.is_set():
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            elif pause < -1:
                # The machine is too slow for the rate; what is not sent does not fail.
                self.late += 1
                due = time.monotonic()
            due += interval
            try:
                await asyncio.wait_for(self.exchange(), PATIENCE)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.failures.append(f"{time.strftime('%H:%M:%S')} keeps={self.keeps}: {error!r}")
                self.close()
        self.close()

    async def exchange(self):
        # A connection that was closed before the request is none to use; every client sees that.
        if self.streams is None or self.streams[0].at_eof():
            self.close()
            name = self.options.host if self.tls else None
            self.streams = await asyncio.open_connection(
                *self.options.address, ssl=self.tls, server_hostname=name, limit=2**20
            )
            self.opened += 1
        reader, writer = self.streams
        self.sent += 1
        writer.write(self.request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(head.decode())
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if b"\r\nconnection: close" in head:
            self.close()

    def close(self):
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None


async def load(options) -> dict:
    tls = ssl.create_default_context(cafile=options.authority) if options.authority else None
    clients = [Client(options, tls, keeps=number % 2 == 0) for number in range(options.clients)]
    end, interval = asyncio.Event(), options.clients / options.rate
    began = time.monotonic()
    tasks = [
        asyncio.create_task(client.run(began + number / options.rate, interval, end))
        for number, client in enumerate(clients)
    ]
    while not all(client.sent > 1 or client.failures for client in clients):
        await asyncio.sleep(0.05)
    print("under way", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    end.set()
    await asyncio.gather(*tasks)
    return {
        "sent": sum(client.sent for client in clients),
        "seconds": time.monotonic() - began,
        "opened": sum(client.opened for client in clients),
        "kept": sum(client.opened for client in clients if client.keeps),
        "late": sum(client.late for client in clients),
        "failures": [failure for client in clients for failure in client.failures],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", type=lambda text: tuple(text.rsplit(":", 1)), required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--path", default="/")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--authority", help="over TLS, with certificates of this authority")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--clients", type=int, default=20)
    print(json.dumps(asyncio.run(load(parser.parse_args()))))


if __name__ == "__main__":
    main()
