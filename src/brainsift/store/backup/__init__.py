"""A study in one file, and back: records, tables, and what people said, whichever database held them."""
