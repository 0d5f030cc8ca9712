"""Fetches one path of an edge over HTTP/3, at a pace, as curl does where it can.

    fetch.py PORT PATH BYTES_PER_SECOND [NAME:VALUE]...

Prints the status and how many bytes of the body came; fails unless all of it did.
"""

import asyncio
import ssl
import sys
import time

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset

PORT, PATH, PACE = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
HEADERS = [tuple(part.strip() for part in header.split(":", 1)) for header in sys.argv[4:]]


class Fetch(QuicConnectionProtocol):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.ended = asyncio.get_running_loop().create_future()
        self.status, self.bytes, self.whole = 0, 0, False

    def ask(self):
        stream = self._quic.get_next_available_stream_id()
        own = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", PATH)]
        fields = [(name.encode(), value.encode()) for name, value in own + HEADERS]
        self.http.send_headers(stream, fields, end_stream=True)
        self.transmit()

    def end(self):
        if not self.ended.done():
            self.ended.set_result(None)

    def quic_event_received(self, event):
        if isinstance(event, (StreamReset, ConnectionTerminated)):
            self.end()
        for part in self.http.handle_event(event):
            if isinstance(part, HeadersReceived):
                self.status = int(dict(part.headers).get(b":status", b"0"))
            if isinstance(part, DataReceived):
                self.bytes += len(part.data)
                # Who reads slowly leaves what comes where it is.
                time.sleep(len(part.data) / PACE)
            if getattr(part, "stream_ended", False):
                self.whole = True
                self.end()


async def main():
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    configuration.verify_mode = ssl.CERT_NONE
    async with connect("127.0.0.1", PORT, configuration=configuration, create_protocol=Fetch) as fetch:
        fetch.ask()
        await asyncio.wait_for(fetch.ended, timeout=100)
        print(fetch.status, fetch.bytes, flush=True)
        sys.exit(0 if fetch.whole else 1)


asyncio.run(main())
