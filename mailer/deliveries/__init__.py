"""Once per person: the delivery and its states, the ports Transport and Ledger; the front door sends."""
