"""Figures 3, 4 and 5 of 'Perceptrons from Memristors' (arXiv:1807.04912), its claims, and what goes beyond them."""
