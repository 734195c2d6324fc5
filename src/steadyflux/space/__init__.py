"""Where things are: cells, edges and places, whatever the geometry."""
