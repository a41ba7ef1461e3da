"""Whether dt is small enough: the same steps again at half and at a quarter of it."""
