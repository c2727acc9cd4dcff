"""The last stage of the anatomy pass: a second network weighs what the others said and draws the edges anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.grids import fine
from brainsift.anatomy.laid import Laid
from brainsift.anatomy.stages import run_network, softmax
from brainsift.anatomy.witnesses import box_around_brain, hear

Float32 = NDArray[np.float32]


def sharpen(session: Any, laid: Laid, image: Float32, posterior: Float32) -> Float32:
    """The posterior (10, X, Y, Z) with the edge network's answer in the box around the brain, in place.

    Parameters
    ----------
    session : of the edge network; logits of the classes on the 2 mm grid, from `witnesses.hear`.
    image : normalised head (X, Y, Z), 2 mm.
    posterior : of the mixture model.

    Raises
    ------
    ValueError
        if the model gives another number of classes.
    """
    box = box_around_brain(laid, posterior)
    if box is not None:
        posterior[:, *fine(box)] = softmax(run_network(session, hear(laid, image, posterior, box)))
    return posterior
