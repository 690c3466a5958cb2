"""Limits about the mesh itself: its surface, its boundaries, and what repair may weld, fill and drop."""

from __future__ import annotations

from meshguard.policy.limit import Limit, by_name

MESH_LIMITS = by_name(
    Limit(
        "normal_angle_deg",
        45.0,
        "A stored normal disagrees when it is more than this away from the normal of its face.",
        direction="disagrees above",
    ),
    Limit(
        "weld_mm",
        1e-3,
        "Boundary vertices closer than this belong together.",
        direction="welded up to",
        bound="weld_fraction",
    ),
    Limit("weld_fraction", 1e-5, "Upper bound of weld_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "seam_width_mm",
        0.1,
        "Two stretches of boundary that run along each other within this are a seam.",
        direction="a seam up to",
        bound="seam_width_fraction",
    ),
    Limit("seam_width_fraction", 1e-3, "Upper bound of seam_width_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "seam_length_mm",
        2.0,
        "A seam is at least this long; a shorter one is a small hole.",
        direction="a seam from",
        bound="seam_length_fraction",
    ),
    Limit("seam_length_fraction", 0.02, "Upper bound of seam_length_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "aspect", 50.0, "A needle's longest edge is more than this many times its shortest.", direction="a needle above"
    ),
    Limit("cap_angle_deg", 175.0, "A cap's largest angle is more than this.", direction="a cap above"),
    Limit(
        "short_edge_mm",
        1e-3,
        "An edge shorter than this is short.",
        direction="short below",
        bound="short_edge_fraction",
    ),
    Limit("short_edge_fraction", 1e-5, "Upper bound of short_edge_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "fold_angle_deg",
        170.0,
        "Two neighbours fold when their normals differ by more than this.",
        direction="a fold above",
    ),
    Limit(
        "size_min_mm",
        40.0,
        "The longest side of an arch's bounding box is at least this.",
        direction="too small below",
        source="proposal, with room around published arch widths (molars of adults are about 52 to 54 mm apart)",
    ),
    Limit(
        "size_max_mm",
        110.0,
        "The longest side of an arch's bounding box is at most this.",
        direction="too large above",
        source="proposal, with room around published arch widths (molars of adults are about 52 to 54 mm apart)",
    ),
    Limit(
        "separation_mm",
        0.005,
        "Repair moves a vertex at most this far to separate sheets that touch.",
        direction="moved at most",
        bound="separation_fraction",
    ),
    Limit("separation_fraction", 5e-5, "Upper bound of separation_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "carve_fraction",
        0.01,
        "Where intersecting faces can only be removed, those longer than this share of the diagonal are split first.",
        direction="split above",
    ),
    Limit(
        "solid_fraction",
        0.005,
        "Where a closed body can only be rebuilt, it is rebuilt from cells whose side is this share of the diagonal.",
        direction="in cells of",
    ),
    Limit(
        "rim_share",
        0.6,
        "A boundary loop is the rim of its sheet when its largest chord is at least this share of the sheet's "
        "extent (twice the largest distance of its vertices from their mean).",
        direction="a rim from",
        source="proposal, tuned on real arches",
    ),
    Limit(
        "hole_diameter_mm",
        2.0,
        "An interior hole up to this diameter may be filled; a larger one is an error.",
        direction="an error above",
        source=(
            "derived from Revilla-León et al. 2021, doi:10.1016/j.jdent.2021.103851: rescanning holes of 2, 4 and 6 mm "
            "lowered a scan's accuracy, larger ones more"
        ),
        bound="hole_fraction",
    ),
    Limit("hole_fraction", 0.02, "Upper bound of hole_diameter_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "rebuild_diameter_mm",
        4.0,
        "A patch that intersects may be replaced if its area is at most that of a disc of this diameter.",
        direction="replaced up to",
        bound="rebuild_fraction",
    ),
    Limit("rebuild_fraction", 0.04, "Upper bound of rebuild_diameter_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "float32_step_mm",
        1e-3,
        "Coordinates of an STL (float32) that are farther apart than this are too coarse where the mesh lies.",
        bound="float32_step_fraction",
    ),
    Limit("float32_step_fraction", 1e-5, "Upper bound of float32_step_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "rounding_mm",
        1e-3,
        "Rounding to the coordinates of an STL (float32) may move a vertex at most this far.",
        direction="moved at most",
        bound="rounding_fraction",
    ),
    Limit("rounding_fraction", 1e-5, "Upper bound of rounding_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "layer_gap_mm",
        0.15,
        "Surface this close over other surface that faces the same way is a second layer.",
        bound="layer_gap_fraction",
    ),
    Limit("layer_gap_fraction", 1.5e-3, "Upper bound of layer_gap_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "layer_area_mm2",
        10.0,
        "A second layer is at least this large; a smaller one is a fold or noise.",
        bound="layer_area_fraction",
    ),
    Limit("layer_area_fraction", 5e-3, "Upper bound of layer_area_mm2, as a fraction of the mesh's area."),
    Limit(
        "doubled_quad_mm",
        0.05,
        "Where a quadrilateral is meshed with both diagonals, it is one layer meshed twice if these pass each other "
        "within this.",
        direction="one layer up to",
        bound="doubled_quad_fraction",
    ),
    Limit("doubled_quad_fraction", 5e-4, "Upper bound of doubled_quad_mm, as a fraction of the mesh's diagonal."),
    Limit(
        "max_pairs",
        1_000_000.0,
        "The search for intersecting faces stops after this many pairs, and says so.",
        direction="searched up to",
    ),
    Limit(
        "floating_area_mm2",
        20.0,
        "A floating component smaller than this is debris that repair may drop.",
        direction="dropped below",
        bound="floating_area_fraction",
    ),
    Limit(
        "debris_fraction",
        0.05,
        "Where floating components below the limit are more than this share of the area, they are not debris.",
        direction="kept above",
    ),
    Limit("floating_area_fraction", 5e-3, "Upper bound of floating_area_mm2, as a fraction of the mesh's area."),
    Limit(
        "crossing_share",
        0.25,
        "Two open components cross, rather than touch, where they meet along a curve of at least this share of the "
        "square root of the smaller one's area.",
    ),
    Limit(
        "removed_fraction",
        0.15,
        "Repair removes at most this share of the surface where faces intersect, with what falls off there.",
    ),
)
"""Limits that do not concern teeth, by name, in the order of the documentation."""
