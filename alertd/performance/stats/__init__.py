"""Formulas: numpy only, each with its source and units. Pure; daily log returns, 365 days a year, unless said."""
