"""
Write each message to a folder as one `.eml` file.

A file is named by its Message-ID, so a message written twice is still one file; it appears whole or not at all.
"""

import asyncio
import errno
import hashlib
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from mailer.deliveries.transport import ConnectionLost, HandOff, Receipt, TransportDown
from mailer.messages.message import Message
from mailer.providers.registry import Secrets

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9@._+-]")
_LONGEST_NAME: Final = 200
_PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[transports.<name>]` with `kind = "outbox"`; the folder is absolute by the time it comes here."""

    folder: str


def make(settings: Settings, name: str, secrets: Secrets) -> "Outbox":  # noqa: ARG001 - a folder has no secrets
    """Make the transport; the folder is made when the first channel opens."""
    return Outbox(Path(settings.folder), name)


class Outbox:
    """The folder as a Transport."""

    def __init__(self, folder: Path, name: str = "outbox") -> None:
        self.folder = folder
        self.name = name

    async def open(self) -> "OutboxChannel":
        """
        Make the folder if it is missing.

        Raises:
            TransportDown: It can't be made.

        """
        try:
            await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        except OSError as problem:
            raise TransportDown(f"the outbox {self.folder} can't be made: {problem.strerror}") from problem
        return OutboxChannel(self.folder)


class OutboxChannel:
    """One writer into the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def transmit(self, message: Message, hand_off: HandOff) -> Receipt:
        """
        Write the message beside its place, record the hand-off, and move it there.

        Raises:
            TransportDown: The folder can't be written to.
            ConnectionLost: The disk is full for now; nothing was handed over.

        """
        path = self._folder / file_name(message.message_id)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{id(self):x}.part")
        try:
            await asyncio.to_thread(_write_durably, draft, message.content)
        except OSError as problem:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
            raise _failure(problem, self._folder) from problem
        try:
            await hand_off()
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        try:
            await asyncio.to_thread(_put_in_place, draft, path)
        except OSError as problem:
            # Even if the file got there: another try puts the same one in the same place.
            raise _failure(problem, self._folder) from problem
        return Receipt(reply=f"written to {path.name}", provider_id=path.name)

    async def close(self) -> None:
        """Nothing is kept open."""


def file_name(message_id: str) -> str:
    """
    The file of a message, safe in any file system.

    >>> file_name("<3-42.abc@quito.example>")
    '3-42.abc@quito.example.eml'
    """
    bare = message_id.strip("<>")
    name = _UNSAFE.sub("_", bare).lstrip(".")
    if name != bare or len(name) > _LONGEST_NAME:
        # What was replaced or cut must not make two messages one file.
        name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(bare.encode()).hexdigest()[:12]}"
    return f"{name}.eml"


def _failure(problem: OSError, folder: Path) -> ConnectionLost | TransportDown:
    words = f"the outbox {folder} can't be written to: {problem.strerror}"
    return ConnectionLost(words) if problem.errno in _PASSING else TransportDown(words)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(draft: Path, path: Path) -> None:
    draft.replace(path)
    if os.name == "posix":  # elsewhere a folder can't be opened to be synced
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
