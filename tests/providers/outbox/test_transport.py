"""A folder as a way out."""

import pytest

from mailer.deliveries.transport import TransportDown
from mailer.messages.message import Message
from mailer.providers import registry
from mailer.providers.outbox.transport import file_name


def a_message(identifier="<3-42.abc@quito.example>", content=b"Subject: x\r\n\r\nHola\r\n"):
    return Message(message_id=identifier, sender="b@quito.example", recipient="a@nabon.example", content=content)


def outbox(folder):
    return registry.make("outbox", {"folder": str(folder)}, name="outbox", secrets=lambda key, variable: "")


async def handed():
    pass


async def test_a_message_becomes_a_file(tmp_path):
    """The file holds the message to the byte, under its Message-ID, and nothing else is left in the folder."""
    channel = await outbox(tmp_path / "var" / "outbox").open()
    receipt = await channel.transmit(a_message(), handed)
    await channel.close()
    (file,) = (tmp_path / "var" / "outbox").iterdir()
    assert file.name == receipt.provider_id == "3-42.abc@quito.example.eml"
    assert file.read_bytes() == a_message().content


async def test_a_repeat_is_the_same_file(tmp_path):
    """A message that is sent again never becomes a second file."""
    channel = await outbox(tmp_path).open()
    for _ in range(2):
        await channel.transmit(a_message(), handed)
    assert len(list(tmp_path.iterdir())) == 1


async def test_nothing_is_in_place_before_the_hand_off(tmp_path):
    """If the hand-off can't be recorded, no file appears."""

    async def disk_full():
        assert not list(tmp_path.glob("*.eml"))
        raise OSError(28, "No space left on device")

    channel = await outbox(tmp_path).open()
    with pytest.raises(OSError, match="No space left"):
        await channel.transmit(a_message(), disk_full)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_is_our_trouble(tmp_path):
    """A file where the folder should be, or a folder that is gone, stops the run in words."""
    (tmp_path / "taken").write_text("x")
    with pytest.raises(TransportDown, match="can't be made"):
        await outbox(tmp_path / "taken" / "outbox").open()
    channel = await outbox(tmp_path / "gone").open()
    (tmp_path / "gone").rmdir()
    with pytest.raises(TransportDown, match="can't be written to"):
        await channel.transmit(a_message(), handed)


def test_names_stay_in_the_folder_and_apart():
    """No Message-ID leads out of the folder, and no two share a file."""
    names = [
        file_name(f"<{text}@x>") for text in ("../../etc/passwd", "a/b", "a\\b", "a:b", ".hidden", "x" * 500, "x" * 501)
    ]
    assert len(set(names)) == len(names)
    assert not any("/" in name or "\\" in name or name.startswith(".") or len(name) > 230 for name in names)
