"""Errors, by who can put them right. Each carries one plain sentence that says what to do."""

from pathlib import Path


class MailerError(Exception):
    """What a person is told when a command can't go on; the command line prints it and exits with 1."""


class AuthorError(MailerError):
    """
    Something in what was written: an issue, a template, a list.

    >>> str(AuthorError("the picture has no alt text; write ![what it shows](images/x.svg)", "issue.md", 12))
    'issue.md:12: the picture has no alt text; write ![what it shows](images/x.svg)'
    """

    def __init__(self, message: str, file: str | Path | None = None, line: int | None = None) -> None:
        self.message = message
        self.where = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(f"{self.where}: {message}" if self.where else message)


class OperatorError(MailerError):
    """Something in the set-up: the config, the environment, the database, a login; or an order refused."""


class Refused(MailerError):
    """The order itself can't be followed: an unapproved issue, a second campaign of the same issue."""
