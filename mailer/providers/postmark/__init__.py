"""ActiveCampaign Postmark."""
