"""Numbers for kernels: a recurrence is written once, and sums, differentiates or maximises."""
