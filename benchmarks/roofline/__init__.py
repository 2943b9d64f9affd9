"""The floor: the network's work, the machine's peak, and the time each part takes above it."""
