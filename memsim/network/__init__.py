"""From a configuration and samples to all that a run is made of: schedule, starting states, slots, sizes."""
