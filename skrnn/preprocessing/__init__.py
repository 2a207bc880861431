"""Transformers that bring data into the form the estimators take."""

from skrnn.preprocessing.tokens import TokenEncoder

__all__ = ["TokenEncoder"]
