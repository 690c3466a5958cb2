"""What is said about stored normals of an STL that say nothing, in binary and in text."""

from __future__ import annotations

from meshguard.mesh import Irregularity


def zero_normals(count: int) -> Irregularity:
    """F104: normals that are zero."""
    return Irregularity(
        check="F104",
        message=f"{count} facets store no normal (zero); it follows from the order of the corners.",
        count=count,
        measures={"facets": count},
    )


def nonfinite_normals(count: int) -> Irregularity:
    """F104: normals of which a number is NaN or infinite."""
    return Irregularity(
        check="F104",
        message=f"{count} facets store a normal that is not a number; it follows from the order of the corners.",
        count=count,
        measures={"facets": count},
    )
