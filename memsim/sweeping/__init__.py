"""Sweeps: many configurations as a design, packed into runs, carried out here or on a cluster, joined by an index."""
