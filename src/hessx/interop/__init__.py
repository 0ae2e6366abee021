"""The names and habits of other packages, on any array library."""
