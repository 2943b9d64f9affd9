"""What the machine did while times were taken: load, clocks, heat, memory, energy."""
