"""From a node of the graph to the operation that does the same on boxes.

One function per operation, with the parameters of its torch namesake, so that a node's arguments
bind to it as they are; it returns None where the operation must see whole outputs. `table.py` lists
the names under which each is found.
"""
