"""What a clinic may require of this program, tested on this installation: the validation pack."""
