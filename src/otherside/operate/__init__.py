"""What an operator sees of a deployed stack: its state now, its readiness and its history."""
