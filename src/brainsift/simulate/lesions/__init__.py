"""White-matter lesions, what is mistaken for them, and the scans and labels of heads that have them."""
