"""From results to pages: files, notebooks, and a page of an analysis that is still running."""
