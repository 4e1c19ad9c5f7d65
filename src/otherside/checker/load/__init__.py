"""From a file to a graph: what it is, what it says, and what is wrong with it."""
