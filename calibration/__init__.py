"""Calibration: representative radiographs are chosen and their activation ranges collected."""
