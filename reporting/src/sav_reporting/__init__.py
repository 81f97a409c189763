"""Reports, feedback and exports. Empty until its first command lands."""
