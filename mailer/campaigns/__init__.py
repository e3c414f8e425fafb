"""When: approval, calendar, and the campaign's states; the front door moves a campaign on."""
