"""Stands for the contract of this API."""
