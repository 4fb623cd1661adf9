"""rest_kit: a REST API that can be trusted, over data that you already have."""

__version__ = "0.1.0"
