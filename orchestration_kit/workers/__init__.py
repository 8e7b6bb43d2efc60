"""Adapters behind the worker signature: the website workers of the demo, and more to come."""
