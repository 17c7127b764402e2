"""The course of one client: which scores may be compared, measurement error, captions."""
