"""Brevo, once Sendinblue."""
