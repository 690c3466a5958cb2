"""Facts of labelled teeth and of the arch. They stand on the facts of the mesh, which know nothing of them."""
