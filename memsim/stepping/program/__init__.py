"""Programs: from the slots of a sample to the instructions that compiled code carries out.

All that a slot needs is decided here, once, before a run: which rules of the
controller it has, which pulses, and which parts of a block's memory each of them
works on. ``rules`` names the rules of each operation, ``operands`` cuts the
memory, ``making`` puts a sample's instructions into their order, and ``linking``
turns them into addresses.
"""
