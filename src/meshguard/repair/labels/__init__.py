"""Mending the labels of teeth: islands, holes and ragged borders, in the steps that repair takes when asked."""

from __future__ import annotations

from meshguard.repair.labels.renumbering import propose_renumbering
from meshguard.repair.labels.steps import MendedLabels, mend_labels

__all__ = ["MendedLabels", "mend_labels", "propose_renumbering"]
