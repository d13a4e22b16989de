"""The tables of docs/performance.md: what a draw costs, and what a scan without draws."""
