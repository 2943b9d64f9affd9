"""The node as a service: started, watched, kept in order, ended."""
