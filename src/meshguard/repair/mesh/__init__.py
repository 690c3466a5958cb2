"""Steps that repair the surface, each mirroring a check of the mesh, and what they are made of. They know no tooth."""
