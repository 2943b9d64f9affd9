"""Answers to archives: C-STORE and STOW-RS, again until they arrived, confirmed where wanted."""
