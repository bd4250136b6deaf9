"""Tongguan (通关): a gateway that clears cross-border e-commerce through Chinese customs."""

__version__ = "0.1.0"
