"""What does a figure show: marks on axes, before anything is drawn."""
