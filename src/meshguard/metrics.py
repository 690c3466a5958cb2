"""How well a segmentation agrees with the truth: per tooth, and by the three measures of the 3DTeethSeg challenge.

The challenge describes TLA, TSA and TIR in words, and ships an evaluator that computes something else under the same
names; published figures come from the evaluator. Both are here, as the modes "paper" and "evaluator", and a result says
which one it used. Sources: Ben-Hamadou et al., 3DTeethSeg'22, arXiv 2305.18277, and `evaluation/evaluation.py` of
abenhamadou/3DTeethSeg22_challenge at d03b8c6, whose formulas are implemented independently here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.errors import MeshGuardError
from meshguard.halfedges import edge_ends, edge_keys
from meshguard.io.labels import Labels, attach_labels
from meshguard.io.labels.vectors import whole_numbers
from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshguard.mesh import FloatArray, IntArray

Mode: TypeAlias = Literal["paper", "evaluator"]
Labelling: TypeAlias = "Labels | Mesh | npt.NDArray[Any]"
Counts: TypeAlias = npt.NDArray[np.int64]

_PENALTY = 5.0
_NEAR = 0.5
_SMALL_IDS = 1024
_OVERALL = ("score", "exp_tla", "tla", "tsa", "tir")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToothMetrics:
    """One tooth of one scan: the points with its label in the truth against those in the prediction.

    A quotient without a denominator is NaN, and so is a distance without a boundary on both sides.

    Attributes:
        scan: number of the scan in the set.
        tooth: the label.
        n_truth: number of points with it in the truth.
        n_predicted: number of points with it in the prediction.
        dice: 2 |T ∩ P| / (|T| + |P|), the F1 of its points.
        iou: |T ∩ P| / |T ∪ P|.
        sensitivity: |T ∩ P| / |T|.
        precision: |T ∩ P| / |P|.
        boundary_mm: mean distance between the two borders of the label, both ways, each given by the midpoints of the
            edges where the label changes.
        boundary_p95_mm: 95th percentile of the same distances.
    """

    scan: int
    tooth: int
    n_truth: int
    n_predicted: int
    dice: float
    iou: float
    sensitivity: float
    precision: float
    boundary_mm: float
    boundary_p95_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanMetrics:
    """TLA, TSA and TIR of one scan in the chosen mode.

    Attributes:
        scan: number of the scan in the set.
        n_teeth: number of tooth instances in the truth.
        tla: localization; 0 is best, in tooth sizes.
        tsa: segmentation, 0 to 1.
        tir: identification, 0 to 1.
        n_matched: number of teeth that `tir` is a share of.
    """

    scan: int
    n_teeth: int
    n_matched: int
    tla: float
    tsa: float
    tir: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over the set of scans and its bootstrap interval; NaN bounds where a single scan gives no interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentationMetrics:
    """The result of `segmentation_metrics`.

    Attributes:
        mode: "paper" or "evaluator"; state it with every figure.
        teeth: by scan, then by label.
        scans: in the order given.
        summary: name -> Interval: score, exp_tla, tla, tsa, tir, dice, iou, sensitivity, boundary_mm, and `dice 16` for
            each tooth.
        confidence: of the intervals.
    """

    mode: Mode
    teeth: tuple[ToothMetrics, ...]
    scans: tuple[ScanMetrics, ...]
    summary: Mapping[str, Interval]
    confidence: float

    def rows(self) -> list[dict[str, float | int]]:
        """One flat record for each tooth of each scan."""
        return [{name: getattr(tooth, name) for name in ToothMetrics.__slots__} for tooth in self.teeth]

    def scan_rows(self) -> list[dict[str, float | int | str]]:
        """One flat record for each scan, with the mode."""
        return [
            {**{name: getattr(scan, name) for name in ScanMetrics.__slots__}, "mode": self.mode} for scan in self.scans
        ]

    def table(self) -> str:
        """The summary as text: mean and interval of each measure, the mode in the heading."""
        head = (f"mode: {self.mode}, {len(self.scans)} scans", "mean", f"{100 * self.confidence:g} % interval")
        lines = [head]
        for name, mean in self.summary.items():
            span = "" if math.isnan(mean.low) else f"{mean.low:.4f} to {mean.high:.4f}"
            lines.append((name, "-" if math.isnan(mean.mean) else f"{mean.mean:.4f}", span))
        width = max(len(line[0]) for line in lines)
        return "\n".join(f"{a:<{width}}  {b:>8}  {c}".rstrip() for a, b, c in lines) + "\n"

    def to_frame(self, what: Literal["teeth", "scans", "summary"] = "teeth") -> Any:
        """A pandas DataFrame of the teeth, the scans or the summary.

        Raises:
            MeshGuardError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MeshGuardError("a DataFrame needs pandas; rows() gives the same as plain records") from None
        if what == "summary":
            rows = ((name, mean.mean, mean.low, mean.high, self.mode) for name, mean in self.summary.items())
            return pd.DataFrame(rows, columns=["measure", "mean", "low", "high", "mode"])
        return pd.DataFrame(self.rows() if what == "teeth" else self.scan_rows())


def segmentation_metrics(
    truth: Labelling | Sequence[Labelling],
    predicted: Labelling | Sequence[Labelling],
    *,
    mesh: Mesh | npt.NDArray[Any] | Sequence[Mesh | npt.NDArray[Any]] | None = None,
    mode: Mode = "paper",
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> SegmentationMetrics:
    """Compare a segmentation with the truth, for one scan or for a set.

    Modes, for a scan with teeth T in the truth:

    - "paper": TLA is the mean over T of the distance from a tooth's centroid to the closest predicted centroid, in
      sizes of the tooth, 5 where nothing is predicted. TSA is the mean over T of the F1 with the predicted instance
      that shares the most points with it. TIR is the share of T whose closest predicted centroid is nearer than half
      the size and carries the same label. The text does not define the size: here it is twice the largest distance of
      the tooth's points from its centroid. Over a set, teeth are pooled.
    - "evaluator": centroids are matched one to one with the least total distance. TLA sums |d / s|, where d is the
      vector between matched centroids and s is, along each axis, the root of the *sum* of squared deviations of the
      tooth's points; an unmatched tooth adds 5 |s|. TSA is the share of points that are tooth or gum as in the truth.
      TIR is the share of *matched* teeth with |d / s| < 0.5 and the same label. Predicted instances with several labels
      are gum. Over a set, scans are averaged. Where nothing is predicted, the published program fails; here every tooth
      is unmatched and TIR is 0.

    The score is (exp(-TLA) + TIR + TSA) / 3. Intervals are percentile bootstraps over scans (Efron, Tibshirani 1993).

    Args:
        truth: labels of the points of a scan: an array (k,) of ids, `Labels`, or a `Mesh` that carries labels; or a
            list of them. 0 and negative ids are gum. Without instances, each label is one instance. If a mesh carries
            labels on vertices and on faces, those of the vertices are taken.
        predicted: the same for the prediction, point for point.
        mesh: the scans, or their points float64 (k, 3), mm. Without it, TLA, TIR and the score are NaN; boundary
            distances need a mesh. The default is the mesh in `truth`.
        mode: see above.
        confidence: of the intervals.
        n_resamples: of the bootstrap.
        seed: of the bootstrap; equal input gives equal bits.

    Raises:
        MeshGuardError: the numbers of points or scans differ, or a true instance has several labels.
    """
    if mode not in ("paper", "evaluator"):
        raise MeshGuardError(f"mode must be 'paper' or 'evaluator', not {mode!r}")
    truths, predictions = _as_list(truth), _as_list(predicted)
    meshes = [None] * len(truths) if mesh is None else _as_list(mesh)
    if not truths or not len(truths) == len(predictions) == len(meshes):
        raise MeshGuardError(f"{len(truths)} scans, {len(predictions)} predictions and {len(meshes)} meshes")
    teeth: list[ToothMetrics] = []
    scans: list[ScanMetrics] = []
    for number, parts in enumerate(zip(truths, predictions, meshes, strict=True)):
        scan = _Scan(number, *parts)
        teeth += scan.teeth()
        scans.append(scan.overall(mode))
    summary = _summary(teeth, scans, mode, confidence, n_resamples, seed)
    return SegmentationMetrics(
        mode=mode, teeth=tuple(teeth), scans=tuple(scans), summary=summary, confidence=confidence
    )


def _as_list(one_or_more: Any) -> list[Any]:
    """A list of what is one item or a sequence of items; a list of numbers is one labelling."""
    if isinstance(one_or_more, (Labels, Mesh, np.ndarray, str)) or not hasattr(one_or_more, "__iter__"):
        return [one_or_more]
    items = list(one_or_more)
    return [np.asarray(items)] if items and all(isinstance(item, (int, np.integer)) for item in items) else items


class _Scan:
    """One scan: how the two labellings agree, in counts."""

    def __init__(
        self, number: int, truth: Labelling, predicted: Labelling, mesh: Mesh | npt.NDArray[Any] | None
    ) -> None:
        from meshguard.kernels.label_confusion import count_confusion

        self.number = number
        if mesh is None and isinstance(truth, Mesh):
            mesh = truth
        self.mesh = mesh if isinstance(mesh, Mesh) else None
        self.labels = _ids(truth, mesh), _ids(predicted, mesh)
        instances = _instances(truth, mesh), _instances(predicted, mesh)
        count = len(self.labels[0][0])
        if len(self.labels[1][0]) != count:
            raise MeshGuardError(f"there are {count} true labels and {len(self.labels[1][0])} predicted ones")
        self.has_points = mesh is not None
        points = _points(mesh, count)
        self.joint = np.zeros((len(self.labels[0][1]), len(self.labels[1][1])), np.int64)
        self.of_truth, self.of_predicted = np.zeros((self.joint.shape[0], 7)), np.zeros((self.joint.shape[1], 3))
        count_confusion(self.labels[0][0], self.labels[1][0], points, self.joint, self.of_truth, self.of_predicted)
        # Instances, and the label of each; without any, each label is an instance.
        self.joint_instances = self.joint
        self.instance_truth, self.instance_predicted = self.of_truth, self.of_predicted
        self.label_of = self.labels[0][1], self.labels[1][1]
        if instances != (None, None):
            (a, ids_a), (b, ids_b) = (
                labels if given is None else given for labels, given in zip(self.labels, instances, strict=True)
            )
            self.joint_instances = np.zeros((len(ids_a), len(ids_b)), np.int64)
            self.instance_truth, self.instance_predicted = np.zeros((len(ids_a), 7)), np.zeros((len(ids_b), 3))
            count_confusion(a, b, points, self.joint_instances, self.instance_truth, self.instance_predicted)
            self.label_of = _label_of(a, ids_a, *self.labels[0]), _label_of(b, ids_b, *self.labels[1])

    # ---- each tooth

    def teeth(self) -> Iterator[ToothMetrics]:
        """Every label of a tooth in the truth or the prediction, ascending."""
        (_, true_ids), (_, predicted_ids) = self.labels
        n_truth, n_predicted = self.joint.sum(axis=1), self.joint.sum(axis=0)
        row_of = {int(true_ids[k]): k for k in np.flatnonzero(n_truth).tolist()}
        column_of = {int(predicted_ids[k]): k for k in np.flatnonzero(n_predicted).tolist()}
        teeth = sorted(id_ for id_ in row_of.keys() | column_of.keys() if id_ > 0)
        distances = self._boundary_distances(teeth)
        for tooth in teeth:
            t, p = row_of.get(tooth), column_of.get(tooth)
            true, claimed = 0 if t is None else int(n_truth[t]), 0 if p is None else int(n_predicted[p])
            common = 0 if t is None or p is None else int(self.joint[t, p])
            mean, p95 = distances.get(tooth, (math.nan, math.nan))
            yield ToothMetrics(
                scan=self.number,
                tooth=tooth,
                n_truth=true,
                n_predicted=claimed,
                dice=2 * common / (true + claimed),
                iou=common / (true + claimed - common),
                sensitivity=common / true if true else math.nan,
                precision=common / claimed if claimed else math.nan,
                boundary_mm=mean,
                boundary_p95_mm=p95,
            )

    def _boundary_distances(self, teeth: list[int]) -> dict[int, tuple[float, float]]:
        """Mean and 95th percentile of the distances between a tooth's two borders, mm, where it has both."""
        if self.mesh is None or not len(self.mesh.faces):
            return {}
        from scipy.spatial import KDTree

        sides = [_boundary(self.mesh, _read_only(ids[numbers])) for numbers, ids in self.labels]
        distances: dict[int, tuple[float, float]] = {}
        for tooth in teeth:
            a, b = (points[(pairs == tooth).any(axis=1)] for points, pairs in sides)
            if len(a) and len(b):
                both = np.concatenate([KDTree(b).query(a)[0], KDTree(a).query(b)[0]])
                distances[tooth] = float(both.mean()), float(np.percentile(both, 95))
        return distances

    # ---- the challenge's measures

    def overall(self, mode: Mode) -> ScanMetrics:
        """TLA, TSA and TIR."""
        joint = self.joint_instances
        rows = (1 + np.flatnonzero(joint[1:].any(axis=1))).tolist()
        if (self.label_of[0][rows] < 0).any():
            raise MeshGuardError("an instance in the truth has more than one label")
        pure = (1 + np.flatnonzero(joint[:, 1:].any(axis=0) & (self.label_of[1][1:] >= 0))).tolist()
        if mode == "evaluator":
            tla, tir, matched = self._evaluator(rows, pure)
            is_tooth, is_claimed = np.zeros(len(joint), bool), np.zeros(joint.shape[1], bool)
            is_tooth[1:], is_claimed[pure] = True, True
            agree = joint[is_tooth][:, is_claimed].sum() + joint[~is_tooth][:, ~is_claimed].sum()
            tsa = float(agree) / float(joint.sum()) if joint.any() else math.nan
        else:
            tla, tir, matched = self._paper(rows, pure)
            best = joint[:, pure].argmax(axis=1) if pure else np.zeros(len(joint), np.int64)
            shared = [(int(joint[k, pure[best[k]]]), k) if pure else (0, k) for k in rows]
            sizes = [(joint[k].sum(), joint[:, pure[best[k]]].sum() if pure else 0) for k in rows]
            f1 = [2 * common / (a + b) for (common, _), (a, b) in zip(shared, sizes, strict=True)]
            tsa = float(np.mean(f1)) if f1 else math.nan
        if not self.has_points:
            tla = tir = math.nan
        return ScanMetrics(scan=self.number, n_teeth=len(rows), n_matched=matched, tla=tla, tsa=tsa, tir=tir)

    def _evaluator(self, rows: list[int], columns: list[int]) -> tuple[float, float, int]:
        """TLA, TIR and the number of matched teeth, as the published program computes them."""
        from scipy.optimize import linear_sum_assignment

        if not rows:
            return math.nan, 0.0, 0
        centroids, predicted = self.instance_truth[rows, :3], self.instance_predicted[columns]
        sizes = np.sqrt(self.instance_truth[rows, 3:6])
        apart = np.linalg.norm(centroids[:, None] - predicted[None], axis=2)
        pairs = dict(zip(*(side.tolist() for side in linear_sum_assignment(apart)), strict=True)) if columns else {}
        total, hits = 0.0, 0
        for k in range(len(rows)):
            if k not in pairs:
                total += _PENALTY * float(np.linalg.norm(sizes[k]))
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = float(np.linalg.norm((centroids[k] - predicted[pairs[k]]) / sizes[k]))
            total += distance
            same = self.label_of[0][rows[k]] == self.label_of[1][columns[pairs[k]]]
            hits += bool(distance < _NEAR and same)
        return total / len(rows), hits / len(pairs) if pairs else 0.0, len(pairs)

    def _paper(self, rows: list[int], columns: list[int]) -> tuple[float, float, int]:
        """TLA, TIR and the number of teeth, as the challenge describes them."""
        if not rows:
            return math.nan, math.nan, 0
        if not columns:
            return _PENALTY, 0.0, len(rows)
        centroids, predicted = self.instance_truth[rows, :3], self.instance_predicted[columns]
        apart = np.linalg.norm(centroids[:, None] - predicted[None], axis=2)
        closest = apart.argmin(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = apart.min(axis=1) / (2.0 * np.sqrt(self.instance_truth[rows, 6]))
        # A tooth of one point has no size: only an exact match counts as found.
        distance = np.where(apart.min(axis=1) == 0.0, 0.0, distance)
        same = self.label_of[0][rows] == self.label_of[1][columns][closest]
        return float(distance.mean()), float(((distance < _NEAR) & same).mean()), len(rows)


def _ids(labelling: Labelling, mesh: Mesh | npt.NDArray[Any] | None, name: str = "label") -> tuple[IntArray, IntArray]:
    """Each point's place among the ids of a labelling, int32 (k,), and those ids, 0 first; negative ids count as 0."""
    values: npt.NDArray[Any] | None
    if isinstance(labelling, Labels):
        if isinstance(mesh, Mesh):
            labelling = attach_labels(mesh, labelling)
        else:
            values = labelling.values if name == "label" else labelling.instances
    if isinstance(labelling, Mesh):
        values = labelling.vertex_data.get(name, labelling.face_data.get(name))
    elif not isinstance(labelling, Labels):
        values = np.asarray(labelling)
    if values is None:
        raise MeshGuardError(f"the mesh carries no {name}")
    highest = int(values.max()) if values.ndim == 1 and values.dtype.kind in "iu" and len(values) else _SMALL_IDS
    if highest < _SMALL_IDS and int(values.min()) >= 0:  # nearly always so: then nothing is checked or copied twice
        return _read_only(values.astype(np.int32, copy=False)), np.arange(highest + 1, dtype=np.int32)
    numbers = np.maximum(whole_numbers(values), 0)
    highest = int(numbers.max(initial=0))
    if highest < _SMALL_IDS:
        ids = np.arange(highest + 1, dtype=np.int32)
    else:
        ids, numbers = np.unique(np.append(numbers, 0), return_inverse=True)
        numbers = numbers[:-1].astype(np.int32)
    return _read_only(numbers), ids.astype(np.int32)


def _instances(labelling: Labelling, mesh: Mesh | npt.NDArray[Any] | None) -> tuple[IntArray, IntArray] | None:
    """The instances of a labelling as `_ids` gives labels; None where it has none."""
    if isinstance(labelling, Labels) and labelling.instances is not None:
        return _ids(labelling, mesh, "instance")
    if isinstance(labelling, Mesh):
        data = labelling.vertex_data if "label" in labelling.vertex_data else labelling.face_data
        return _ids(data["instance"], mesh) if "instance" in data else None
    return None


def _label_of(instance: IntArray, instance_ids: IntArray, label: IntArray, label_ids: IntArray) -> IntArray:
    """The label of each instance; -1 where it has several, 0 where it has no points."""
    keys = np.unique(instance.astype(np.int64) * len(label_ids) + label)
    places, label_places = np.divmod(keys, len(label_ids))
    labels = np.zeros(len(instance_ids), np.int32)
    labels[places] = label_ids[label_places]
    labels[np.bincount(places, minlength=len(labels)) > 1] = -1
    return labels


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view of an array: a kernel is compiled once, for read-only arrays."""
    view = array.view()
    view.flags.writeable = False
    return view


def _points(mesh: Mesh | npt.NDArray[Any] | None, count: int) -> FloatArray:
    """Where the labelled points are, float64 (k, 3), read-only: vertices, or centroids of faces."""
    if mesh is None:
        points = np.empty((0, 3))
    elif not isinstance(mesh, Mesh):
        points = np.ascontiguousarray(mesh, np.float64)
    elif count == len(mesh.vertices):
        return mesh.vertices
    else:
        points = mesh.vertices[mesh.faces].mean(axis=1)
    if mesh is not None and (points.ndim != 2 or points.shape != (count, 3)):
        raise MeshGuardError(f"there are {count} labels for points of shape {points.shape}")
    return _read_only(points)


def _boundary(mesh: Mesh, labels: IntArray) -> tuple[FloatArray, IntArray]:
    """Midpoints of the edges where the label changes, float64 (e, 3), and the two labels at each, int32 (e, 2)."""
    if len(labels) == len(mesh.vertices):
        from meshguard.kernels.label_confusion import label_changes

        halfedges = np.empty(3 * len(mesh.faces), np.int32)
        halfedges = halfedges[: label_changes(mesh.faces, labels, halfedges)]
        start, end = edge_ends(mesh.faces, halfedges).T
        # Each edge once, whichever way its faces run along it.
        a, b = np.divmod(np.unique(edge_keys(start, end, len(mesh.vertices))), max(1, len(mesh.vertices)))
        return (mesh.vertices[a] + mesh.vertices[b]) / 2, np.stack([labels[a], labels[b]], axis=1)
    from meshguard.facts.mesh import MeshFacts
    from meshguard.policy import policy

    facts = MeshFacts(mesh, policy("scan"))
    edges = facts.edges.paired
    pairs = labels[facts.edge_faces(edges)]
    is_border = pairs[:, 0] != pairs[:, 1]
    start, end = edge_ends(mesh.faces, edges[is_border]).T
    return (mesh.vertices[start] + mesh.vertices[end]) / 2, pairs[is_border]


def _summary(
    teeth: list[ToothMetrics], scans: list[ScanMetrics], mode: Mode, confidence: float, n_resamples: int, seed: int
) -> dict[str, Interval]:
    """Means over the set with their intervals; each measure is a quotient of sums over scans."""
    n = len(scans)
    weight = np.array([1.0 if mode == "evaluator" else scan.n_teeth for scan in scans])
    quotients: dict[str, tuple[FloatArray, FloatArray]] = {}
    for name in ("tla", "tsa", "tir"):
        of_scan = np.array([getattr(scan, name) for scan in scans], np.float64)
        is_empty = np.array([scan.n_teeth == 0 and name != "tsa" for scan in scans])  # there is nothing to measure
        weights = np.where(np.isnan(of_scan) | is_empty, 0.0, weight)
        quotients[name] = weights * np.nan_to_num(of_scan), weights
        if name == "tla" and mode == "evaluator":
            quotients["exp_tla"] = weights * np.nan_to_num(np.exp(-of_scan)), weights
    groups: dict[str, list[tuple[int, float]]] = {}
    for name in ("dice", "iou", "sensitivity", "boundary_mm"):
        groups[name] = [(tooth.scan, getattr(tooth, name)) for tooth in teeth]
    for tooth in sorted(teeth, key=lambda tooth: tooth.tooth):
        groups.setdefault(f"dice {tooth.tooth}", []).append((tooth.scan, tooth.dice))
    for name, values in groups.items():
        known = [(scan, value) for scan, value in values if not math.isnan(value)]
        scan_of = np.array([scan for scan, _ in known], np.int64)
        counts = np.bincount(scan_of, minlength=n).astype(np.float64)
        quotients[name] = np.bincount(scan_of, [value for _, value in known], n).astype(np.float64), counts
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), n_resamples if n > 1 else 0)
    draws = np.concatenate([np.ones((1, n)), draws])
    with np.errstate(divide="ignore", invalid="ignore"):
        means = {name: (draws @ top) / (draws @ bottom) for name, (top, bottom) in quotients.items()}
    if mode == "paper":
        means["exp_tla"] = np.exp(-means["tla"])
    means["score"] = (means["exp_tla"] + means["tir"] + means["tsa"]) / 3.0
    tail = 50.0 * (1.0 - confidence)
    summary: dict[str, Interval] = {}
    for name in (*_OVERALL, *groups):
        resampled = means[name][1:][~np.isnan(means[name][1:])] if n > 1 else ()
        low, high = np.percentile(resampled, [tail, 100.0 - tail]) if len(resampled) else (math.nan, math.nan)
        summary[name] = Interval(mean=float(means[name][0]), low=float(low), high=float(high))
    return summary
