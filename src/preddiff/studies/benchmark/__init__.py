"""The tables of docs/performance.md: what draws and scans cost."""
