"""Any SMTP server as a way out (RFC 5321)."""
