"""Sinch Mailjet."""
