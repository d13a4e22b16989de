"""The execution of a traced network: its steps, on boxes."""
