"""Comparison of methods: problems x methods x backends, a misbehaving run being a row like any."""
