"""Twilio SendGrid."""
