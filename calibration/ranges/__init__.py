"""What each tensor ranges over: collected, bounded, kept in a calibration table."""
