"""What reproduces a release elsewhere: its data, and a program that computes every figure from them again."""
