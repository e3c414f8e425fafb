"""What was written: the front door reads `issues/<name>/issue.md` into an Issue."""

from mailer.issues.issue import Article, Button, Issue, Picture, Section
from mailer.issues.reading import locate, read, translations

__all__ = ["Article", "Button", "Issue", "Picture", "Section", "locate", "read", "translations"]
