"""The engine: a run's memory in blocks, its program of instructions, and the clock that carries it out."""
