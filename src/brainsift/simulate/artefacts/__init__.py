"""Artefacts: parameters drawn first, then applied; what was done is measured and graded."""
