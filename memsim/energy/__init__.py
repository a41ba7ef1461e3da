"""What a run takes: energy and simulated time, read against write, and what the width of pulses does to them."""
