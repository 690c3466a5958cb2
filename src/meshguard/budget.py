"""Budget: how much a call may take before it gives up instead of taking a service down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper limits of one call; a limit of None is no limit.

    Attributes:
        max_bytes: bytes of a file after decompression. The default refuses decompression bombs, and still
            admits a binary STL of 80 million faces.
    """

    max_bytes: int | None = 4 << 30
