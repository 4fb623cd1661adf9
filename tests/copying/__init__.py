"""Rows from one store into another."""
