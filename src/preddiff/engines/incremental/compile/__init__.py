"""From a network to steps on boxes."""
