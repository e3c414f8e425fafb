"""A bounce mailbox on an IMAP server."""
