"""What the pages say: care's frozen values turned into words and rows, with no component in sight."""
