"""What one person receives: the front door personalises an Edition for a Recipient into a Message."""
