"""Search the four numbers that bend the activation for a setting that learns a gate faster, and more surely.

    python examples/search.py and           # beside the single layer, on four sets of samples
    python examples/search.py xor           # on starting weights that the usual setting does not learn, and on others

Differential evolution (Storn and Price, J. Global Optim. 11, 341 (1997)) over the node drift, the limits of weights and
bias weights, and the range of the starting bias weights. It prints each setting that is better than all before.
"""

import argparse

import numpy as np
from scipy.optimize import differential_evolution

from memsim import datasets
from memsim.configuration import Configuration
from memsim.errors import InputError
from memsim.runs import training
from memsim.runs.run import LEARNED

BOUNDS = {
    "node_drift": (0.05, 0.25), "weight_limit": (2.1, 7.0), "bias_limit": (0.01, 0.9), "initial_bias": (0.0, 0.4),
}  # fmt: skip
USUAL = {"node_drift": 0.115, "weight_limit": 3.5, "bias_limit": 0.05, "initial_bias": 0.03}  # of XOR
SINGLE = {"kind": "slp", "inputs": 2}
FIRST = 100  # seeds from here on are for the search, so that smaller ones can tell what it is worth


def learn(gate, network, rate, epochs, starts):
    """Total errors, (epochs, realisations), and the share of node READs that met a bound; of (data seed, seeds)."""
    errors, met = [], 0
    for data_seed, seeds in starts:
        config = Configuration(
            run={"seeds": tuple(seeds), "threads": 1}, network=network, learning={"rate": rate, "epochs": epochs},
            data={"gate": gate, "samples": 100, "seed": data_seed},
        )  # fmt: skip
        with training.run(config, datasets.load(config.data)) as run:
            errors.append(run.total_error)
            met += sum(bank.counts["bounds_in_read"] for bank in run.margins)
    found = np.concatenate(errors, axis=1)
    return found, met / (3 * 100 * found.size)


def multilayer(setting):
    return {"kind": "mlp", "layers": (2, 2, 1), **setting}


def task(gate):
    """Starts, epochs at which errors are compared, learning rate, epochs, and the curves to compare with."""
    if gate == "and":
        starts = [(FIRST + k, range(FIRST + 25 * k, FIRST + 25 * (k + 1))) for k in range(4)]
        return starts, (50, 200), 0.1, 400, learn("and", SINGLE, 0.1, 200, starts)[0]
    candidates = np.arange(FIRST, FIRST + 1000)
    errors, _ = learn("xor", multilayer(USUAL), 0.01, 1000, [(0, candidates.tolist())])
    failed = errors[-1] >= LEARNED
    print(f"the usual setting does not learn {failed.sum()} of {len(candidates)} starts")
    chosen = np.concatenate([np.flatnonzero(failed), np.flatnonzero(~failed)[:50]])
    return [(0, candidates[chosen].tolist())], (500,), 0.01, 1000, errors[:, chosen]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gate", choices=("and", "xor"))
    parser.add_argument("--generations", type=int, default=5, help="of 16 settings each, after the first")
    arguments = parser.parse_args()
    starts, compared, rate, epochs, reference = task(arguments.gate)
    best = np.inf

    def badness(numbers):
        """10 times the share that does not learn, the error beside the reference, per cent of READs at a bound."""
        nonlocal best
        setting = dict(zip(BOUNDS, numbers.round(4).tolist(), strict=True))
        try:
            errors, met = learn(arguments.gate, multilayer(setting), rate, epochs, starts)
        except InputError:  # starting weights beyond a limit
            return 1e3
        failed = int((errors[-1] >= LEARNED).sum())
        ratios = [errors[epoch - 1].mean() / reference[epoch - 1].mean() for epoch in compared]
        value = 10.0 * failed / errors.shape[1] + float(np.mean(ratios)) + 100.0 * met
        if value < best:
            best = value
            shown = ", ".join(f"{ratio:.3g} at epoch {epoch}" for ratio, epoch in zip(ratios, compared, strict=True))
            print(f"{setting}: {failed} of {errors.shape[1]} not learned; error {shown}; READs at a bound {met:.2g}")
        return value

    done = differential_evolution(
        badness, list(BOUNDS.values()), popsize=4, maxiter=arguments.generations, init="sobol", polish=False,
        seed=np.random.default_rng(0),
    )  # fmt: skip
    print(f"{done.nfev} settings; the best: {dict(zip(BOUNDS, done.x.round(4).tolist(), strict=True))}")


if __name__ == "__main__":
    main()
