"""Reconciliation (三单对碰): the rules a case is held against, and what each of them says about it."""
