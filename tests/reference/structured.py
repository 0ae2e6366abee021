"""Structured secant updates as the papers have them: dense matrices, float64.

Hessians of norm(r)^2 / 2 are J'J + S, S the sum of r_i times the Hessian of r_i; C is J'J at x+.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "broyden_change",
    "fletcher_xu",
    "secant_term",
    "structured_secant",
    "structured_y",
    "totally_structured",
    "zhou_chen",
]


def broyden_change(B, s, y, phi=0.0):
    """What the Broyden family adds to B for B s = y (Nocedal & Wright 2006, eq. 6.32)."""
    u = B @ s
    c, b = s @ u, s @ y
    v = y / b - u / c
    return np.outer(y, y) / b - np.outer(u, u) / c + phi * c * np.outer(v, v)


def structured_y(J_before, J, r):
    """(J+ - J)'r+, which is S s to first order (Dennis, Gay & Welsch 1981, eq. 2.6)."""
    return (J - J_before).T @ r


def structured_secant(S, C, s, z, phi=0.0):
    """S+ with C + S+ the member of the family made of C + S (Dennis et al. 1989, eq. 13)."""
    return S + broyden_change(C + S, s, C @ s + z, phi)


def totally_structured(A, C, norm_r, s, z, phi=0.0):
    """A+ of B = C + norm(r+) A (Huschens 1994, eqs. 2.6 to 2.10); z has norm(r+) / norm(r)."""
    return A + broyden_change(C + norm_r * A, s, C @ s + z, phi) / norm_r


def secant_term(S, s, z, update):
    """S+ with S+ s = z by SR1 or PSB (Nocedal & Wright 2006, eq. 6.24; Dennis & Schnabel 9.1.3)."""
    d = z - S @ s
    if update == "sr1":
        return S + np.outer(d, d) / (s @ d)
    half = np.outer(d, s) / (s @ s)
    return S + half + half.T - (s @ d) / (s @ s) ** 2 * np.outer(s, s)


def zhou_chen(A, s, z):
    """A+ where z's is large enough, by BFGS (Zhou & Chen 2010, eq. 2.3)."""
    return A + broyden_change(A, s, z)


def fletcher_xu(B, C, s, y, f_before, f, tol):
    """B+ of Fletcher and Xu's hybrid (1987, eq. 3.5): C while f falls fast, else by BFGS."""
    return C.copy() if f_before - f >= tol * f_before else B + broyden_change(B, s, y)
