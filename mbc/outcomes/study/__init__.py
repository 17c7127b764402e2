"""A study that several clinics run alike, each on its own record: specification, result, and results pooled."""
