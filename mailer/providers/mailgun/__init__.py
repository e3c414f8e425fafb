"""Sinch Mailgun."""
