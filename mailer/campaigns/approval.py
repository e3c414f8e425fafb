"""Sign-off: who approved which content. It is bound to the content's hash, so any later edit voids it."""

from datetime import datetime

import msgspec

from mailer.errors import Refused


class Approval(msgspec.Struct, frozen=True):
    """One person's word for one content of one issue."""

    issue: str
    content_hash: str
    by: str
    at: datetime


def require(approval: Approval | None, issue: str, content_hash: str) -> Approval:
    """
    The approval, if it is for this very content.

    Raises:
        Refused: Nobody approved the issue, or it was edited since.

    """
    if approval is None:
        raise Refused(f"issue {issue} is not approved; read it, then run `mailer approve {issue} --by NAME`")
    if approval.content_hash != content_hash:
        raise Refused(
            f"issue {issue} (its text, its pictures or the templates) was edited after {approval.by} approved it on "
            f"{approval.at:%Y-%m-%d %H:%M} UTC; "
            f"read it again, then run `mailer approve {issue} --by NAME`"
        )
    return approval
