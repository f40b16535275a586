"""A network that can be disturbed: TCP proxies on loopback."""

import asyncio
import contextlib
import random
import threading


class Network:
    """Runs the proxies, on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def link(self, target: int) -> "Link":
        """A way to a port."""
        return asyncio.run_coroutine_threadsafe(Link(self.loop, target).listen(), self.loop).result(10)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


class Link:
    """A way to a port, by a port of its own."""

    def __init__(self, loop, target: int):
        self.loop, self.target = loop, target
        #: The most that each piece is late, in seconds; each connection for itself, so that one overtakes another.
        self.delay = 0.0
        #: Whether nothing passes, nor ends.
        self.is_split = False
        self.connections: set[asyncio.StreamWriter] = set()

    async def listen(self) -> "Link":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def drop(self):
        """Ends all connections without a word."""
        self.loop.call_soon_threadsafe(self._drop)

    def heal(self):
        self.delay, self.is_split = 0.0, False

    def _drop(self):
        for writer in list(self.connections):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while self.is_split:
                await asyncio.sleep(0.05)
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.target)
            self.connections.add(onward)
            # Whichever way ends first ends both.
            ways = [asyncio.ensure_future(self._pass(reader, onward)), asyncio.ensure_future(self._pass(onward_reader, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            onward.transport.abort()
            self.connections.discard(onward)
        writer.transport.abort()
        self.connections.discard(writer)

    async def _pass(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(random.random() * self.delay)
                while self.is_split:
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
