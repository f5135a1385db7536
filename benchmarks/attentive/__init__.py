"""What sparse attentive backtracking costs, in memory and in time, beside its alternatives."""
