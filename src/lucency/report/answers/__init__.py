"""What is special about the answers of each task; the page itself knows no task."""
