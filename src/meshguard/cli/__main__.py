"""`python -m meshguard.cli` is `meshguard`."""

from __future__ import annotations

from meshguard.cli import main

main()
