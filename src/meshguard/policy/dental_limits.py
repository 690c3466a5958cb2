"""Limits about labels and teeth: how far a segmentation may deviate from what crowns are like."""

from __future__ import annotations

from meshguard.policy.limit import Limit, by_name

DENTAL_LIMITS = by_name(
    Limit(
        "instance_share",
        0.05,
        "An instance and a label that disagree are an error when the smaller part is more than this share.",
        direction="an error above",
    ),
    Limit(
        "jaw_confidence",
        0.6,
        "The jaw that the incisors look like counts from this confidence on, 0 to 1.",
        direction="counts from",
    ),
    Limit(
        "label_part_mm2",
        0.1,
        "A label island, or a hole in a tooth, with less area is only a note.",
        direction="a note below",
        source="proposal, about four faces of a scan of 34 to 44 faces/mm2 (doi:10.20944/preprints202604.0603.v1)",
    ),
    Limit(
        "label_error_share",
        0.15,
        "A label island or a hole is an error only above this share of the tooth's area.",
        direction="an error above",
    ),
    Limit(
        "label_error_mm2", 4.0, "A label island or a hole is an error only above this area.", direction="an error above"
    ),
    Limit(
        "label_near_mm",
        1.5,
        "A label island nearer to its tooth than this may be a part of it that something cuts off.",
        direction="part of the tooth below",
    ),
    Limit(
        "label_speck_share",
        0.05,
        "Repair relabels an island with at most this share of its tooth's area, however near it lies.",
        direction="relabelled up to",
        source="proposal: islands below 5 % of a tooth's area are fixable",
    ),
    Limit(
        "order_mm",
        1.5,
        "Two teeth are out of order when they are the wrong way round by more than this.",
        direction="out of order above",
    ),
    Limit(
        "order_error_mm",
        3.0,
        "Teeth out of order are an error when it is by more than this.",
        direction="an error above",
    ),
    Limit(
        "size_share",
        0.35,
        "A crown's width may differ by this share from the norm scaled to the arch.",
        direction="differs by more than",
        source=(
            "derived from Magne, Gallucci and Belser 2003, doi:10.1016/S0022-3913(03)00125-2: covers the means of "
            "upper incisors and canines"
        ),
    ),
    Limit(
        "size_error_share",
        0.6,
        "A crown is an error when its width along the arch exceeds the scaled norm by more than this share.",
        direction="an error by more than",
    ),
    Limit(
        "size_area_share",
        0.5,
        "A crown is also an error when its area exceeds that of the scaled norm, or of its antimere, by more than this "
        "share; a rotated tooth's does not.",
        direction="an error by more than",
        source=(
            "proposal, tuned on real arches, whose crowns have up to 1.34 times the area; two as one have 1.6 and more"
        ),
    ),
    Limit(
        "shift_gain",
        0.1,
        "Numbers look shifted when the sizes of a side fit its neighbours' numbers better by this much (sum of "
        "squared logarithms of ratios).",
        direction="shifted above",
        source="proposal, tuned on real arches and phantoms",
    ),
    Limit(
        "antimere_ratio",
        1.67,
        "The crown areas of a tooth and its antimere differ by less than this factor.",
        direction="unusual from",
    ),
    Limit(
        "ragged_ratio",
        1.25,
        "A border is ragged when it is longer than this times its length after smoothing.",
        direction="ragged above",
        source="proposal, tuned on real arches, whose drawn borders have up to 1.17 by face and 1.31 by vertex",
    ),
    Limit(
        "ragged_face_share",
        0.28,
        "Where faces carry the labels, a ragged border deviates by more than this share of their longest edges.",
        direction="ragged above",
        source="proposal, tuned on real arches and phantoms, which have up to 0.27",
    ),
    Limit(
        "ragged_vertex_share",
        0.24,
        "Where vertices carry the labels, a ragged border deviates by more than this share of the longest edges.",
        direction="ragged above",
        source="proposal, tuned on real arches and phantoms, which have up to 0.24",
    ),
    Limit(
        "bleed_mm",
        0.9,
        "A label bleeds over its neighbour when the embrasure between them is this far from the border of the labels.",
        direction="bleeding above",
        source="proposal, tuned on real arches, more than the width of the embrasure itself",
    ),
    Limit(
        "bridge_mm",
        0.2,
        "Surface that joins two teeth is a bridge when their walls beside it are further apart than this.",
        direction="a bridge above",
        source=(
            "proposal, seven scanners bridged gaps of 0.1 to 0.4 mm (PubMed 41318337), and one and a half faces of a "
            "raw scan, below which a gap looks like a rounded valley, are 0.2 mm"
        ),
    ),
    Limit(
        "bridge_share",
        0.3,
        "A bridge is reported when at least this share of the border between two teeth lies in a gap.",
        direction="reported from",
        source="proposal, tuned on real arches and phantoms, none of which has both this share and 1.5 mm in a gap",
    ),
    Limit(
        "bridge_sure_share",
        0.5,
        "A bridge is a warning, not a note, from this share of the border on.",
        direction="a warning from",
    ),
    Limit(
        "tooth_like_mm2",
        20.0,
        "Gum that is as high as the middle of the crowns beside it looks like a tooth from this area on.",
        direction="like a tooth from",
    ),
)
"""Limits that need labels of teeth, by name, in the order of the documentation."""
