"""Whether networks agree in scores, and how long each takes, in one run over the same images."""
