"""The statistics of an evaluation: errors, agreement, reliability, intervals."""
