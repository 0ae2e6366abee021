"""How far to go along a direction: line searches and given steps, on Python floats only."""
