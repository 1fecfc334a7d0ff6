"""Supervision of the processes of a stack."""
