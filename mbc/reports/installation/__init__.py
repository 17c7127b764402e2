"""What a clinic may require of this program, tried on the installation at hand: the validation pack."""
