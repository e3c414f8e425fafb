"""
The log: events on standard error, because what was asked for goes to standard output and nothing else.

Only who has events to tell imports this: it loads structlog, and much with it.
"""

import logging
import sys

import structlog

get_logger = structlog.get_logger


def speak() -> None:
    """Log everything; of what fails the way through the code, and none of the values met on it: they name people."""
    structlog.reset_defaults()
    *others, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*others, renderer], logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def hush() -> None:
    """Log errors alone: in the foreground a person reads what the command itself says, in one sentence."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


speak()
