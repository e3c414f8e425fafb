"""The preview: one page on this machine that shows an issue as it is written, with what the check says beside it."""
