"""Where an example comes from, as its facts and the card say."""

SIMULATED = "simulated"
PAINTED = "real brain, painted lesions"
LABELLED = "labelled scan"
