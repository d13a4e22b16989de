"""A normal over whole scans: few factors that all of the brain shares, and noise of its own."""
