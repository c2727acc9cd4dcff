"""How well a lesion mask fits a reference: overlap, surfaces, lesions, volumes; for a scan and for a group."""
