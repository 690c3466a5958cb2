"""Facts of a mesh: what is connected, where it ends, what intersects, which way it faces. It knows no tooth."""
