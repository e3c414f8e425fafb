"""What was written: the front door reads `issues/<name>/issue.md` into an Issue."""
