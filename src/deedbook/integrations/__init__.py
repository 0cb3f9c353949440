"""The outside world, one folder each. Their words stop here; ours begin."""
