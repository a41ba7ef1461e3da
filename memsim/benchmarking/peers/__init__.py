"""Other people's tools on memsim's devices: one adapter each, behind the contract of ``contract.py``."""

import importlib

from .contract import Peer

# The module of each peer; it imports the peer's own library only when it is asked to prepare something.
_MODULES = {
    "memsim": "stepped_banks",
    "memsim.drive": "driven_banks",
    "C": "c_loops",
    "NumPy": "numpy_loops",
    "SciPy": "scipy_solve_ivp",
    "JAX": "jax_scan",
    "diffrax": "diffrax_solve",
    "Brian2, NumPy": "brian2_groups",
    "Brian2, Cython": "brian2_groups",
    "Brian2, C++": "brian2_groups",
    "ngspice": "ngspice_netlists",
}
NAMES = tuple(_MODULES)


def peer_of(name: str) -> Peer:
    """The peer of a name of :data:`NAMES`."""
    module = importlib.import_module(f".{_MODULES[name]}", __package__)
    found: Peer = module.PEERS[name]
    return found
