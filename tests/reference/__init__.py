"""Textbook algorithms in plain NumPy, written for reading: what the library is compared with."""
