"""The doors of the back office: one module for each place."""
