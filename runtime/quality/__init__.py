"""Whether a score can be believed: the image's and the lungs' quality, and drift over many."""
