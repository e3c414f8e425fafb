"""What came back: bounces, complaints and unsubscribes, and what follows from them."""
