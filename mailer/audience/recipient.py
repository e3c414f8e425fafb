"""A subscriber as one campaign will address them, frozen."""

import msgspec


class Recipient(msgspec.Struct, frozen=True):
    """Who gets one message of a campaign: what was in the register on the day it was frozen."""

    subscriber_id: int
    email: str
    segment: str
    language: str
    name: str = ""
    honorific: str = ""
    position: str = ""
    institution: str = ""
    country: str = ""
