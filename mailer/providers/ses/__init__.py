"""Amazon SES, whose events come by Amazon SNS."""
