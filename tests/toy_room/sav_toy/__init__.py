"""The schema of the toys; everything else of them is in `toy`."""
