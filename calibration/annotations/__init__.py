"""Radiologists' scores, from the tables that they come in."""
