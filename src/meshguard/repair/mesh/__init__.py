"""Steps that repair the surface, each mirroring a check of the mesh, and their parts. They know nothing of teeth."""
