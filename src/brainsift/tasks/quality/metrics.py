"""Image quality metrics of one scan, from its native voxels and the labels of the anatomy pass.

They explain a verdict and do not make it. Names and definitions are MRIQC's (docs/quality_metrics.md says where the
values differ and why), so that people can read them beside those that they know.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.quality.metrics_bias import BiasField, fit_bias
from brainsift.tasks.quality.metrics_formulas import (
    Summary,
    cjv,
    cnr,
    efc,
    fber,
    is_artefact,
    mean_of,
    snr,
    snr_dietrich,
    summarise,
    wm2max,
)
from brainsift.tasks.quality.metrics_places import (
    CORTEX,
    FLUID,
    HAT,
    HEAD,
    OUTSIDE,
    PADDING,
    WHITE,
    Samples,
    UInt8,
    draw_samples,
    is_padding,
    place_codes,
)
from brainsift.tasks.quality.metrics_sharpness import brain_fwhm

Metrics = dict[str, float | None]

TISSUES = {"csf": FLUID, "gm": CORTEX, "wm": WHITE}
"""MRIQC's name of a tissue → where it is measured."""

STATISTICS = ("mean", "median", "mad", "stdv", "p05", "p95", "k", "n")

NAMES = (
    "snr_csf", "snr_gm", "snr_wm", "snr_total",
    "snrd_csf", "snrd_gm", "snrd_wm", "snrd_total",
    "cnr", "cjv", "efc", "fber", "inu_range", "inu_med", "wm2max", "qi_1",
    "fwhm_x", "fwhm_y", "fwhm_z", "fwhm_avg",
    "icvs_csf", "icvs_gm", "icvs_wm",
    *(f"summary_{tissue}_{statistic}" for tissue in ("bg", *TISSUES) for statistic in STATISTICS),
)  # fmt: skip
"""What `compute_metrics` answers, in this order."""

AIR_NAMES = tuple(name for name in NAMES if name.startswith(("snrd_", "summary_bg_")) or name in ("fber", "qi_1"))
"""What needs air around the head: None for skull-stripped scans and those whose background was masked."""

WHITE_LEVEL = 1000.0
"""Brightness of white matter after scaling, as in MRIQC: makes `summary_*` comparable between scans."""

MIN_AIR_SHARE = 0.05
"""Of the voxels around the head: with less air left beside padding, its few voxels are edges of a mask."""

MAX_ZERO_SHARE = 0.25
"""Of the voxels taken for air. Rayleigh noise rounded to whole numbers has a quarter of zeros where its standard
deviation comes out a fifth too high; with more zeros it is hardly noise any more."""

MAX_NEGATIVE_SHARE = 0.01
"""Magnitude images have none. Standardised images do, and ratios of their values mean nothing."""

MIN_APART = 4.0
"""Tissues are told by brightness where their medians lie this many noise levels (MAD of white matter) apart: then the
middle between them cuts off 2.3 % of a tissue's own noise at most."""

MAX_FIELD_POINTS = 20_000


def compute_metrics(volume: Volume, anatomy: Anatomy) -> Metrics:
    """All metrics of `NAMES`; None where a scan does not show what the metric is taken from.

    Air is measured in untouched native voxels, because resampling averages noise away. Standardised scans (negative
    values) only get the metrics that do not depend on where 0 is: `cjv`, `cnr`, `fwhm_*`, `icvs_*`.
    """
    metrics: Metrics = dict.fromkeys(NAMES)
    metrics |= icv_shares(anatomy)
    codes = place_codes(anatomy)
    samples = draw_samples(volume, anatomy, codes)
    metrics |= _sharpness(volume, anatomy, codes)
    seen = _measured(samples, anatomy)
    magnitude = _is_magnitude(seen)
    field = _field(anatomy, codes) if magnitude else None
    tissues = _tissues(samples, field)
    level = tissues["wm"].median if tissues["wm"] is not None else 0.0
    if not magnitude or level <= 0:
        metrics["cjv"] = cjv(tissues["wm"], tissues["gm"])
        metrics["cnr"] = cnr(tissues["wm"], tissues["gm"], None)
        return metrics
    scale = WHITE_LEVEL / level
    metrics["efc"] = efc(seen, seen.size / samples.share)
    metrics["wm2max"] = wm2max(level, samples.values)
    metrics |= _inu(field, anatomy)
    scaled = {name: _scaled(summary, scale) for name, summary in tissues.items()}
    air = None
    if _has_air(samples):
        metrics["fber"] = fber(samples.at(HEAD), samples.at(OUTSIDE))
        hat = samples.at(HAT)
        artefact = is_artefact(hat)
        metrics["qi_1"] = float(artefact.mean())
        air = _scaled(summarise(hat[~artefact], 1 / samples.share), scale)
    return metrics | _noise(scaled, air)


def icv_shares(anatomy: Anatomy) -> Metrics:
    """Shares of fluid, grey and white matter in the intracranial volume, of the labels at 2 mm.

    The cerebellum counts as grey and the brainstem as white matter: the labels do not look inside of them.
    """
    volume = anatomy.volumes_ml.get
    fluid = volume("ventricles", 0.0) + volume("csf", 0.0)
    white = volume("white", 0.0) + volume("brainstem", 0.0)
    grey = sum(volume(n, 0.0) for n in ("cortex", "deep_grey", "hippocampus_amygdala", "cerebellum"))
    total = fluid + white + grey
    if total <= 0:
        return {}
    return {"icvs_csf": fluid / total, "icvs_gm": grey / total, "icvs_wm": white / total}


def _sharpness(volume: Volume, anatomy: Anatomy, codes: UInt8) -> Metrics:
    widths = brain_fwhm(volume, anatomy, codes)
    return {**dict(zip(("fwhm_x", "fwhm_y", "fwhm_z"), widths, strict=True)), "fwhm_avg": mean_of(widths)}


def _measured(samples: Samples, anatomy: Anatomy) -> NDArray[np.float32]:
    """Values that a scanner measured: all but padding, also where the field of view reaches beyond the working grid."""
    beyond = (samples.codes == 0) & is_padding(samples.values)
    seen: NDArray[np.float32] = samples.values[~beyond & ((samples.codes & PADDING) == 0)]
    return seen


def _is_magnitude(seen: NDArray[np.float32]) -> bool:
    return bool(np.mean(seen < 0) <= MAX_NEGATIVE_SHARE) if seen.size else False


def _field(anatomy: Anatomy, codes: UInt8) -> BiasField | None:
    index = np.flatnonzero(codes & WHITE)
    return fit_bias(_points(anatomy, index), anatomy.image.reshape(-1)[index].astype(np.float64))


def _points(anatomy: Anatomy, index: NDArray[np.intp]) -> NDArray[np.float64]:
    voxels = np.stack(np.unravel_index(index, anatomy.labels.shape), axis=1)
    mm: NDArray[np.float64] = voxels @ anatomy.affine[:3, :3].T + anatomy.affine[:3, 3]
    return mm


def _tissues(samples: Samples, field: BiasField | None) -> dict[str, Summary | None]:
    """Statistics of each tissue in the scan's own units, evened out by the field."""
    values = {}
    for name, place in TISSUES.items():
        found = samples.at(place).astype(np.float64)
        values[name] = found / field.at(samples.points(place)) if field is not None and found.size else found
    return {name: summarise(kept, 1 / samples.share) for name, kept in _by_brightness(values).items()}


def _by_brightness(values: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Leave out the voxels of a tissue that are nearer in brightness to another one.

    Labels at 2 mm take part of the neighbouring tissue in. MRIQC's segmentation goes by brightness; without this step
    cortex would vary one and a half to three times as much as there. Tissues that noise mixes are left as they are.
    """
    first = {name: summarise(found) for name, found in values.items()}
    known = {name: summary.median for name, summary in first.items() if summary is not None}
    white = first["wm"]
    if white is None:
        return values
    apart = MIN_APART * white.mad
    kept = {}
    for name, found in values.items():
        own = known.get(name, 0.0)
        others = [median for other, median in known.items() if other != name and abs(median - own) >= apart > 0]
        low = max((m for m in others if m < own), default=-np.inf)
        high = min((m for m in others if m > own), default=np.inf)
        kept[name] = found[(found >= (low + own) / 2) & (found <= (high + own) / 2)] if name in known else found
    return kept


def _inu(field: BiasField | None, anatomy: Anatomy) -> Metrics:
    """Range (5-95 %) and median of the field over the brain."""
    if field is None:
        return {}
    index = np.flatnonzero(anatomy.brain)
    values = field.at(_points(anatomy, index[:: max(1, len(index) // MAX_FIELD_POINTS)]))
    low, middle, high = (float(q) for q in np.percentile(values, [5, 50, 95]))
    return {"inu_range": high - low, "inu_med": middle}


def _has_air(samples: Samples) -> bool:
    """Whether there is noise around the head to be measured."""
    hat = samples.at(HAT)
    around = np.count_nonzero(samples.codes & (OUTSIDE | PADDING))
    enough = np.count_nonzero(samples.codes & OUTSIDE) >= MIN_AIR_SHARE * around
    return bool(hat.size and enough and np.mean(hat == 0) <= MAX_ZERO_SHARE)


def _scaled(summary: Summary | None, factor: float) -> Summary | None:
    if summary is None:
        return None
    values = {name: value if name in ("k", "n") else value * factor for name, value in asdict(summary).items()}
    return Summary(**values)


def _noise(tissues: dict[str, Summary | None], air: Summary | None) -> Metrics:
    """All that compares tissues with each other and with air; brightness scaled to white matter = 1000."""
    metrics: Metrics = {f"snr_{name}": snr(summary) for name, summary in tissues.items()}
    metrics["snr_total"] = mean_of([metrics[f"snr_{name}"] for name in tissues])
    against_air: Metrics = {f"snrd_{name}": snr_dietrich(summary, air) for name, summary in tissues.items()}
    against_air["snrd_total"] = mean_of(list(against_air.values()))
    metrics |= against_air
    metrics["cnr"] = cnr(tissues["wm"], tissues["gm"], air)
    metrics["cjv"] = cjv(tissues["wm"], tissues["gm"])
    for name, summary in (("bg", air), *tissues.items()):
        if summary is not None:
            metrics |= {f"summary_{name}_{statistic}": value for statistic, value in asdict(summary).items()}
    return metrics
