"""Crops of examples, drawn about lesions as often as not, with changes that leave the truth as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.anatomy.framing import Frame
from brainsift.learn.wmh.example import Example, assemble

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Shape = tuple[int, int, int]

CROP: Shape = (48, 48, 48)
"""Ventricle, lesion and cortex fit in. Eight of these cost what two of half a brain do, and eight heads a step teach
more: simulated Dice .35 after 1,250 steps of two, .38 after 400 of eight."""

LESION_SHARE = 0.45
"""Of the crops lie about a voxel of a lesion; the others about any voxel of the brain. With 0.6 the network marked so
much elsewhere that a probability of 0.95 was the best threshold on whole brains."""

SPREAD = 0.35
"""Of the crop's half width by which such a voxel may lie off the middle."""

GAMMA, SHIFT, NOISE = 0.05, 0.01, 0.02
"""Standard deviations: of the logarithm of an exponent on the grey values, of a shift, and most of the noise. Small,
because white matter is 1 on this scale in every scan and lesions are told by that: 0.12 and 0.03 moved it by 7 %, and
17 mL at 0.88 of white matter were missed."""

BLURRED_SHARE = 0.35
"""Of the crops are shown as scans of coarser voxels would be: half along all axes, half along one."""

BLUR_ALL, BLUR_ONE = (0.3, 0.8), (0.5, 1.4)
"""Standard deviation in voxels of 1 mm: what voxels of about 1.2 to 2 mm and slices of 1.5 to 4 mm leave behind. At
1.5 mm rims were drawn at ventricles, and a volume changed by up to 52 %."""

BLUR_STREAM = 1
"""Of random numbers; the noise is drawn from the seed alone."""

BLIND_SHARE = 0.08
"""Of the crops come without the anatomy, so that the image is not read by it alone."""


@dataclass(frozen=True)
class Cut:
    """A drawn crop.

    Attributes
    ----------
    start : first voxel, even; may lie before the array.
    shape : even sizes.
    mirror : left and right exchanged.
    gamma, shift, noise : of the grey values; `blind` blanks the anatomy.
    blur : standard deviation along each axis, voxels.
    seed : of the noise.
    """

    start: Shape
    shape: Shape
    mirror: bool = False
    gamma: float = 1.0
    shift: float = 0.0
    noise: float = 0.0
    blind: bool = False
    blur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 0

    def to_crop(self) -> Float64:
        """Voxel of the example → voxel of the crop, 4x4."""
        moved = np.eye(4)
        moved[:3, 3] = -np.asarray(self.start, float)
        if not self.mirror:
            return moved
        mirror = np.diag([-1.0, 1, 1, 1])
        mirror[0, 3] = self.shape[0] - 1
        return mirror @ moved

    def take(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """The crop of an array (X, Y, Z) of the example, 0 beyond it."""
        cut = Frame(self.start, self.shape).cut(array)
        return cut[::-1] if self.mirror else cut


def draw_cut(rng: np.random.Generator, example: Example, shape: Shape = CROP, *, dense: bool = False) -> Cut:
    """Draw a crop and its changes.

    Parameters
    ----------
    dense : lesions are looked for in the truth on the fine grid, not in the coarse label.
    """
    about = _lesion_voxel(rng, example, dense) if rng.random() < LESION_SHARE else None
    if about is None:
        about = _brain_voxel(rng, example)
    off = rng.uniform(-SPREAD, SPREAD, 3) * np.asarray(shape)
    # Even, because the anatomy is kept at half the resolution.
    first = 2 * np.rint((about + off - np.asarray(shape) / 2) / 2).astype(int)
    room = np.maximum(np.asarray(example.shape) - shape, 0)
    x, y, z = (int(v) for v in np.clip(first, 0, room))
    cut = Cut(
        start=(x, y, z),
        shape=shape,
        mirror=bool(rng.random() < 0.5),
        gamma=float(np.exp(GAMMA * rng.standard_normal())),
        shift=float(SHIFT * rng.standard_normal()),
        noise=float(rng.uniform(0, NOISE)) if rng.random() < 0.5 else 0.0,
        blind=bool(rng.random() < BLIND_SHARE),
        seed=int(rng.integers(2**31)),
    )
    # From its own seed, so that no other draw depends on whether a crop is blurred.
    return replace(cut, blur=draw_blur(np.random.default_rng([cut.seed, BLUR_STREAM])))


def draw_blur(rng: np.random.Generator) -> tuple[float, float, float]:
    """Standard deviation along each axis, voxels; mostly none."""
    if rng.random() >= BLURRED_SHARE:
        return 0.0, 0.0, 0.0
    if rng.random() < 0.5:
        everywhere = float(rng.uniform(*BLUR_ALL))
        return everywhere, everywhere, everywhere
    across = int(rng.integers(3))
    x, y, z = (float(rng.uniform(*BLUR_ONE)) if axis == across else 0.0 for axis in range(3))
    return x, y, z


def _lesion_voxel(rng: np.random.Generator, example: Example, dense: bool) -> Float64 | None:
    if dense or example.coarse is None:
        if example.truth is None:
            return None
        found = np.flatnonzero(example.truth.reshape(-1) > 127)
        shape, to_fine = example.truth.shape, np.eye(4)
    else:
        found = np.flatnonzero(example.coarse.mask.reshape(-1))
        shape, to_fine = example.coarse.mask.shape, example.to_fine()
    if not found.size:
        return None
    voxel = np.array(np.unravel_index(int(rng.choice(found)), shape), float)
    place: Float64 = to_fine[:3, :3] @ voxel + to_fine[:3, 3]
    return place


def _brain_voxel(rng: np.random.Generator, example: Example) -> Float64:
    for _ in range(20):
        voxel = np.array([rng.integers(n) for n in example.shape])
        if example.t1w[tuple(voxel)]:
            break
    return voxel.astype(float)


def cut_input(example: Example, cut: Cut) -> Float32:
    """The network's input for a crop, changed, float32 (channels, x, y, z)."""
    t1w = Frame(cut.start, cut.shape).cut(example.t1w)
    x, y, z = (n // 2 for n in cut.start)
    i, j, k = (n // 2 for n in cut.shape)
    half = Frame((x, y, z), (i, j, k))
    image = assemble(t1w, np.stack([half.cut(channel) for channel in example.anatomy]))
    seen = image[0] > 0
    if any(cut.blur):
        image[0] = _blurred(image[0], seen, cut.blur)
    values = image[0] ** np.float32(cut.gamma) + np.float32(cut.shift)
    if cut.noise:
        rng = np.random.default_rng(cut.seed)
        values = values + np.float32(cut.noise) * rng.standard_normal(values.shape, dtype=np.float32)
    image[0] = np.where(seen, np.clip(values, 0, 1), 0)
    if cut.blind:
        image[1:] = 0
    return np.ascontiguousarray(image[:, ::-1] if cut.mirror else image)


def _blurred(image: Float32, seen: NDArray[np.bool_], sd: tuple[float, float, float]) -> Float32:
    """Blurred within what is seen: what was masked away never was part of a voxel."""
    weight = ndimage.gaussian_filter(seen.astype(np.float32), sd, mode="nearest")
    values = ndimage.gaussian_filter(image, sd, mode="nearest")
    result: Float32 = np.divide(values, weight, out=np.zeros_like(values), where=seen)
    return result
