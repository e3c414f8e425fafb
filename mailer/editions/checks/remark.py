"""What a rule says: a finding, and whether it blocks a send."""

import msgspec

from mailer.editions.edition import Finding


class Remark(msgspec.Struct, frozen=True):
    """A finding; `blocks` tells an error from a warning."""

    finding: Finding
    blocks: bool


def error(code: str, where: str, message: str) -> Remark:
    """A finding that stops a send."""
    return Remark(Finding(code, where, message), blocks=True)


def warning(code: str, where: str, message: str) -> Remark:
    """A finding that a person should read, and may let pass."""
    return Remark(Finding(code, where, message), blocks=False)
