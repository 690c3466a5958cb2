"""Facts: everything derived from a mesh and from the labels on it, computed once and shared by checks and repair.

Two wings. `mesh` knows what is connected, where it ends and what intersects, but nothing about teeth. `dental` builds
on it: `DentalFacts` holds the `MeshFacts` of the surface that the labels lie on. A mesh is immutable, so facts never go
stale.
"""
