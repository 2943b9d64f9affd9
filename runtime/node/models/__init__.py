"""Models of the node: installed without risk, rolled back, and watched beside the one in use."""
