"""From a label map to an image with known truth: parameters are drawn first, stored, then applied."""
