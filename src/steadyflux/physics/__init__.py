"""What is carried and by which laws."""
