"""Run the sink by itself: prints `host:port` when it listens, and its counts as JSON when it is told to stop."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import msgspec

from mailer.testing.faults import Fault
from mailer.testing.sink import OFFERS, SmtpSink


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mailer.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--log", type=Path, help="gets `Message-ID TAB recipient` of each message before its 250")
    parser.add_argument("--durable", action="store_true", help="sync the log before each 250")
    parser.add_argument("--folder", type=Path, help="gets each message as an .eml file")
    parser.add_argument("--faults", default="[]", help="a JSON list of faults: [{'stage': 'rcpt', 'reply': '451 …'}]")
    parser.add_argument("--offers", help="what EHLO announces, separated by commas")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    faults = msgspec.json.decode(arguments.faults, type=list[Fault])
    offers = OFFERS if arguments.offers is None else [part for part in arguments.offers.split(",") if part]
    sink = SmtpSink(
        faults=faults,
        keep=False,
        log=arguments.log,
        durable=arguments.durable,
        folder=arguments.folder,
        port=arguments.port,
        offers=offers,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with sink:
        print(f"{sink.host}:{sink.port}", flush=True)  # noqa: T201 - whoever started it reads this
        await stop.wait()
    print(json.dumps({"messages": sink.count, "octets": sink.octets, "connections": sink.connections}))  # noqa: T201


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    if sys.platform == "win32":
        asyncio.run(_serve(arguments))
    else:
        import uvloop

        uvloop.run(_serve(arguments))


if __name__ == "__main__":
    main()
