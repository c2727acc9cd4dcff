"""What each model promises, as plain data: importing this loads no array library and no runtime."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

MAX_MODEL_BYTES = 8 * 1024**2
"""Largest model file that the wheel carries: all tasks together must stay a small download, and 8 MB holds 2 million
float32 weights, more than a 2 mm network needs."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a network.

    Attributes
    ----------
    name : the tensor's name in the ONNX graph.
    shape : one entry per dimension; ``None`` where any length fits.
    meaning : unit, value range and grid in words.
    """

    name: str
    shape: tuple[int | None, ...]
    meaning: str


@dataclass(frozen=True)
class TrainingData:
    """Data that a model has seen, and to whom the credit goes."""

    name: str
    source: str
    licence: str


@dataclass(frozen=True)
class ModelSpec:
    """A place on the shelf: what a file must be to stand here.

    Attributes
    ----------
    name : how code and users ask for it.
    task : the question it serves.
    file, card : names of the ONNX file and of its model card in the shelf's folder.
    spacing_mm : voxel size of the input grid, mm; axes are RAS+.
    multiple_of : the three grid dimensions must be multiples of this many voxels.
    input, output : the tensors.
    licence : of the weights.
    trained_on : data sets behind the weights.
    """

    name: str
    task: str
    file: str
    card: str
    spacing_mm: float
    multiple_of: int
    input: TensorSpec
    output: TensorSpec
    licence: str
    trained_on: tuple[TrainingData, ...]


SYNTHSEG_LABEL_MAPS = TrainingData(
    name="20 whole-head label maps of SynthSeg (16 to train, 4 to validate)",
    source="Billot et al. 2023, Medical Image Analysis 86:102789; repository BBillot/SynthSeg at 66342c1",
    licence="Apache-2.0",
)

ANATOMY = ModelSpec(
    name="anatomy",
    task="anatomy",
    file="anatomy.onnx",
    card="anatomy.md",
    spacing_mm=4.0,
    multiple_of=8,
    input=TensorSpec(
        "image", (1, 1, None, None, None), "float32 [0, 1], one channel, (1, 1, X, Y, Z) on a 4 mm RAS+ grid"
    ),
    output=TensorSpec(
        "logits", (1, 10, None, None, None), "float32 before the softmax, one channel per `Tissue`, same grid"
    ),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS,),
)

ANATOMY_EDGES = ModelSpec(
    name="anatomy_edges",
    task="anatomy",
    file="anatomy_edges.onnx",
    card="anatomy_edges.md",
    spacing_mm=4.0,
    multiple_of=4,
    input=TensorSpec(
        "image",
        (1, 188, None, None, None),
        "float32, on a 4 mm RAS+ grid: brightness of 8 voxels of 2 mm, logarithms of what the mixture model says of "
        "them, of what the average head and the network `anatomy` say, and of how their brightness fits each tissue",
    ),
    output=TensorSpec(
        "logits", (1, 10, None, None, None), "float32 before the softmax, one channel per `Tissue`, on a 2 mm grid"
    ),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS,),
)

ADULT_T1W_SCANS = TrainingData(
    name="12 skull-stripped T1w scans of adults (8 to train, 4 to validate)",
    source="OpenNeuro ds002748",
    licence="CC0-1.0",
)

QUALITY = ModelSpec(
    name="quality",
    task="quality",
    file="quality.onnx",
    card="quality.md",
    spacing_mm=1.0,
    multiple_of=1,
    input=TensorSpec(
        "image", (1, 24, 224, 192), "float32 [0, 1], 8 sagittal, 8 coronal, 8 axial slices of 1 mm around the brain"
    ),
    output=TensorSpec("logits", (1, 25, 15), "float32 before sigmoid and softmax: the scan, then each slice"),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS, ADULT_T1W_SCANS),
)

DEFACING_MASKS = TrainingData(
    name="Face masks and head templates of two defacing tools",
    source="repositories mih/mridefacer and poldracklab/pydeface",
    licence="MIT",
)

DEFACING = ModelSpec(
    name="defacing",
    task="defacing",
    file="defacing.onnx",
    card="defacing.md",
    spacing_mm=2.0,
    multiple_of=1,
    input=TensorSpec(
        "image",
        (1, 7, 104, 104, 96),
        "float32 [0, 1]: brightness, share that is empty, field of view, head, fluid, grey and white matter, on a 2 mm "
        "grid in the pose of MNI152",
    ),
    output=TensorSpec(
        "logits",
        (1, 11),
        "float32 before softmax and sigmoid: four classes, five features, touched; then mL of brain removed",
    ),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS, DEFACING_MASKS),
)

LESION_MASKS = TrainingData(
    name="27 consensus lesion masks of multiple sclerosis in MNI152",
    source="Lesjak et al. 2017; repository muschellij2/open_ms_data",
    licence="CC-BY",
)

WMH = ModelSpec(
    name="wmh",
    task="wmh",
    file="wmh.onnx",
    card="wmh.md",
    spacing_mm=1.0,
    multiple_of=16,
    input=TensorSpec(
        "image",
        (1, 4, None, None, None),
        "float32 [0, 1]: T1w, white matter, deep grey, nearness of the ventricles, on a 1 mm grid around the brain",
    ),
    output=TensorSpec("logits", (1, 1, None, None, None), "float32 before the sigmoid: lesion, same grid"),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS, LESION_MASKS),
)

MICROBLEEDS_CANDIDATES = ModelSpec(
    name="microbleeds_candidates",
    task="microbleeds",
    file="microbleeds_candidates.onnx",
    card="microbleeds_candidates.md",
    spacing_mm=0.75,
    multiple_of=8,
    input=TensorSpec(
        "image",
        (1, 2, None, None, None),
        "float32 [0, 1]: scan with bleeds bright, radial symmetry, in voxels of 0.75 mm in plane and 1.5 mm across",
    ),
    output=TensorSpec("logits", (1, 1, None, None, None), "float32 before the sigmoid: bleed, same grid"),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS,),
)

MICROBLEEDS_DISCRIMINATOR = ModelSpec(
    name="microbleeds_discriminator",
    task="microbleeds",
    file="microbleeds_discriminator.onnx",
    card="microbleeds_discriminator.md",
    spacing_mm=0.67,
    multiple_of=24,
    input=TensorSpec(
        "cubes",
        (None, 3, 24, 24, 24),
        "float32 [0, 1]: scan, radial symmetry and vesselness in cubes of 16 mm around candidates",
    ),
    output=TensorSpec("logits", (None, 1), "float32 before the sigmoid: the candidate is a bleed"),
    licence="Apache-2.0",
    trained_on=(SYNTHSEG_LABEL_MAPS,),
)

REGISTRY = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ANATOMY,
            ANATOMY_EDGES,
            QUALITY,
            DEFACING,
            WMH,
            MICROBLEEDS_CANDIDATES,
            MICROBLEEDS_DISCRIMINATOR,
        )
    }
)
"""Every model that BrainSift knows how to use, by name."""
