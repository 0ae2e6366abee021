"""Smooth optimisation on any array library that speaks the Python array API standard."""
