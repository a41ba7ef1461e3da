"""Device physics: one module a model, plain functions that the kernels compile in.

A model with one state variable gives ``drift(x, i, p)``, the time derivative
of its state, and ``output(x, i, p)``, its voltage under the current ``i``; a
model that can also be driven by a voltage gives ``current(x, v, p)``. ``p`` is
the tuple of its parameters. A model with several variables takes the tile of
states and an element's place in it instead: ``drift(variable, x, element, i,
p)`` and ``output(x, element, i, p)``, where ``x[variable, element]`` is a state.
"""
