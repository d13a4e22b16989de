"""Maps held against what happens when the places that they mark are hidden, and against truth."""
