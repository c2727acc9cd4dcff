"""BrainSift: sift a folder of brain MRI into records, decisions and pictures."""

__version__ = "0.1.0"
