"""Small numbers: which counts may be published, rounded to what, and what an attacker could still conclude."""
