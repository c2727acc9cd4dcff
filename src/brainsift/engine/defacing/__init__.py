"""What follows from a defacing's verdict: remedies, new attempts, and release."""
