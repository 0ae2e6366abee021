"""What the tests share: the backends, a pretend GPU and a pretend CuPy."""
