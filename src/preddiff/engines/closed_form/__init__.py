"""Expectations of linear models without a draw."""
