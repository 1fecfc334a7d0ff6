"""Fills the search index where Vector does not."""
