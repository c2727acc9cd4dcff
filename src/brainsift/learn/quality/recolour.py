"""Real anatomy in contrasts that no clean real scan at hand has: grey values of a T1w brain laid on another curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsift.learn.quality.clean import CleanScan, own_noise

FLUID, TISSUE, BRIGHTEST = (0.05, 1.0), (0.35, 0.9), (0.4, 1.1)
"""Of fluid, of grey and white matter, and of what is brighter than white matter on T1w, such as fat."""

LEAST_APART = 0.08
"""Grey and white matter over their mean."""

FLUID_PERCENTILE = 3
"""Of a stripped brain's grey values on T1w."""

ABOVE_WHITE = 1.5


def recolour(rng: np.random.Generator, scan: CleanScan) -> CleanScan:
    """The scan in a contrast of no sequence: what it shows is known, what it is called is not.

    Four levels (fluid, grey and white matter, fat) are drawn, and lines lie between.
    """
    white = float(np.median(scan.image[scan.white]))
    grey = float(np.median(scan.image[scan.cortex]))
    fluid = min(float(np.percentile(scan.image[scan.brain], FLUID_PERCENTILE)), 0.8 * grey)
    levels = rng.uniform(*TISSUE, 2)
    while abs(levels[0] - levels[1]) < LEAST_APART * levels.mean():
        levels = rng.uniform(*TISSUE, 2)
    to = (0.0, float(rng.uniform(*FLUID)), float(levels[0]), float(levels[1]), float(rng.uniform(*BRIGHTEST)))
    image = np.interp(scan.image, (0.0, fluid, grey, white, ABOVE_WHITE * white), to).astype(np.float32)
    noise = own_noise(image, scan.white, scan.brain)
    facts = scan.facts | {"kind": "recoloured"}
    return replace(scan, image=image, sequence=None, gadolinium=None, own_noise=noise, facts=facts)
