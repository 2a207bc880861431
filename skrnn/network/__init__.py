"""The network: parameters, the recurrence, depth and direction, pooling, head."""
