"""The parts of `mbc.models.expected_course`: who was followed, the course model, its calibration, its signal."""
