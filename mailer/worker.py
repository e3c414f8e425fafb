"""The long-running service behind `mailer run`: the scheduler fires, campaigns are sent, signals stop it cleanly."""
