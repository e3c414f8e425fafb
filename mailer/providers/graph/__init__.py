"""Microsoft Graph, which sends from a mailbox of Microsoft 365."""
